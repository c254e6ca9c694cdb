"""SagaDesk: what every way into the engine shares. Reads and prepares; commits nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.saga import locks
from chassis.saga.batch import Announcer, Batch, lock_keys
from chassis.saga.core import begin
from chassis.saga.definition import Definitions, Saga
from chassis.saga.inputs import Started
from chassis.saga.state import Fields, SagaState
from chassis.saga.store import SagaStore
from chassis.stores.postgres import Database
from chassis.stores.statement import Statement


@dataclass(frozen=True, slots=True)
class Start:
    """A saga to begin. `cause` is the command's id."""

    saga: Saga
    fields: Fields
    cause: UUID | None = None
    workspace_id: UUID | None = None
    actor_id: UUID | None = None
    traceparent: str = ""


class SagaDesk:
    """The definitions, the tables, and how a batch becomes part of a statement."""

    def __init__(
        self,
        definitions: Definitions,
        announcer: Announcer,
        *,
        database: Database,
        shards: int,
        mint: Callable[[], UUID] = new_id,
    ) -> None:
        self.definitions = definitions
        self.store = SagaStore(database, shards=shards)
        self._announcer = announcer
        self._database = database
        self._mint = mint

    def batch(self) -> Batch:
        """An empty batch."""
        return Batch(self.definitions, self._announcer)

    def definition(self, state: SagaState) -> Saga:
        """What the saga is pinned to. Raises Unavailable when that is not deployed here."""
        try:
            return self.definitions.get(state.saga, state.definition_version)
        except KeyError:
            pin = f"{state.saga} v{state.definition_version}"
            raise Unavailable(f"{pin} is not deployed here, and sagas run on it") from None

    async def begin(self, batch: Batch, starts: Sequence[Start], at: datetime) -> list[SagaState]:
        """Take the starts into the batch, each with its first command or a place in a queue.

        Raises Unavailable when a queue is full."""
        wanted = [
            (self._mint(), [] if s.saga.needs_approval(s.fields) else lock_keys(s.saga, s.fields))
            for s in starts
        ]
        locked_ids = await self.join(batch, wanted)
        states: list[SagaState] = []
        for start, (saga_id, _) in zip(starts, wanted, strict=True):
            locked = saga_id in locked_ids
            started = Started(
                saga_id,
                at,
                start.fields,
                locked,
                start.workspace_id,
                start.actor_id,
                start.traceparent,
            )
            states.append(batch.take(None, begin(start.saga, started), start.cause))
        return states

    async def join(self, batch: Batch, wanted: Sequence[tuple[UUID, Sequence[str]]]) -> set[UUID]:
        """Put sagas into the queues of their lock keys; which of them hold all theirs at once.

        Raises Unavailable when a queue is full."""
        every = {key for _, keys in wanted for key in keys}
        held = await locks.holders(self._database, sorted(every))
        full = [key for key, (_, length) in held.items() if length > locks.QUEUE_MAX]
        if full:
            raise Unavailable(f"too many wait for {full[0]}", retry_after=5)
        batch.free |= every - held.keys()
        taken = {key for key, _ in batch.joins}
        locked = set[UUID]()
        for saga_id, keys in wanted:
            if all(key in batch.free and key not in taken for key in keys):
                locked.add(saga_id)
            taken.update(keys)
            batch.joins.extend((key, saga_id) for key in keys)
        return locked

    async def granted(self, waiting: Sequence[SagaState]) -> set[UUID]:
        """Which of these sagas are first in all their queues."""
        wanted = {state.id: lock_keys(self.definition(state), state.data) for state in waiting}
        every = sorted({key for keys in wanted.values() for key in keys})
        held = await locks.holders(self._database, every)
        return {
            saga_id
            for saga_id, keys in wanted.items()
            if all(key in held and held[key][0] == saga_id for key in keys)
        }

    def fill(self, statement: Statement, batch: Batch, *, exact: bool = False) -> None:
        """Add all that the batch holds, but for its outbox. `exact`: see SagaStore."""
        gone = {state.id for state in batch.ended}  # joined and ended at once: an approval too late
        joins = [(key, saga_id) for key, saga_id in batch.joins if saga_id not in gone]
        locks.add_joins(statement, joins, batch.free)
        self.store.add_rearms(statement, batch.rearmed)
        self.store.add_changes(statement, batch, exact=exact)
        held = [
            (key, state.id)
            for state in batch.ended
            for key in lock_keys(self.definition(state), state.data)
        ]
        touched = [*batch.changes, *(state.id for state in batch.rearmed)]
        locks.add_leaves(statement, held, touched)
