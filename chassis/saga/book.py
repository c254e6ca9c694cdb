"""SagaBook: a command's handler starts, reads and cancels sagas in its own transaction."""

from typing import ClassVar
from uuid import UUID

from chassis.context import Context
from chassis.messaging.outbox import Outbox
from chassis.messaging.tracing import current_traceparent
from chassis.resources import Resources
from chassis.saga.batch import lock_keys
from chassis.saga.core import decide
from chassis.saga.definition import Definitions, Saga
from chassis.saga.desk import SagaDesk, Start
from chassis.saga.inputs import Cancel, Fact, Input, Order, Signal
from chassis.saga.metrics import count
from chassis.saga.orders import refusal_of
from chassis.saga.state import Phase, SagaState
from chassis.saga.turn import Turn
from chassis.stores.chunks import ChunkStore
from chassis.stores.statement import Statement
from contracts.base import Message


class SagaBook(ChunkStore):
    """A service subclasses it and names its definitions and its announcer.

    A handler that refuses does so before it calls `start`, `cancel` or `signal`.
    """

    definitions: ClassVar[Definitions]

    @staticmethod
    def announcer(saga: Saga, state: SagaState, fact: Fact) -> Message:
        """The public event of a fact."""
        raise NotImplementedError

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._desk = SagaDesk(
            self.definitions,
            self.announcer,
            database=resources.database,
            shards=resources.settings.topic_partitions,
            mint=resources.mint,
        )
        self._batch = self._desk.batch()
        self._states: dict[UUID, SagaState] = {}

    async def start(self, command: Message, context: Context) -> SagaState:
        """Begin the newest version of the saga that this command starts."""
        start = Start(
            self.definitions.started_by(type(command)),
            command.model_dump(mode="json"),
            workspace_id=getattr(command, "workspace_id", None) or context.workspace_id,
            actor_id=context.actor_id,
            traceparent=current_traceparent(),
        )
        (state,) = await self._desk.begin(self._batch, [start], self.resources.clock.now())
        self._states[state.id] = state
        return state

    async def get(self, saga_id: UUID) -> SagaState | None:
        """The saga as it is now."""
        if saga_id not in self._states:
            found, _ = await self._desk.store.load([saga_id], [])
            self._states.update(found)
        return self._states.get(saga_id)

    def cancel(self, state: SagaState, actor_id: UUID | None) -> SagaState:
        """Undo it if it can be undone; otherwise the wish is recorded."""
        return self._decide(state, Cancel(self.resources.clock.now(), actor_id))

    def order(self, state: SagaState, order: Order) -> tuple[SagaState, str]:
        """What an operator wants, and why it is not possible ("" when it is). An attempt that is
        not possible is recorded too: a handler refuses after this, and the record stays."""
        why = refusal_of(Turn(self._desk.definition(state), state, order.at), order)
        return self._decide(state, order), why

    async def signal(
        self, state: SagaState, *, approved: bool, by: str, reason: str = ""
    ) -> SagaState:
        """Agree that it goes on, with a place in the queues of its locks; or end it."""
        locked = True
        if approved and state.phase == Phase.APPROVAL and not state.ended:
            keys = lock_keys(self._desk.definition(state), state.data)
            locked = bool(await self._desk.join(self._batch, [(state.id, keys)]))
        at = self.resources.clock.now()
        return self._decide(state, Signal(at, approved, by, reason, locked))

    def _decide(self, state: SagaState, event: Input) -> SagaState:
        decision = decide(self._desk.definition(state), state, event)
        self._states[state.id] = self._batch.take(state, decision)
        return self._states[state.id]

    def flush(self, statement: Statement) -> None:
        self._desk.fill(statement, self._batch)

    def send(self, outbox: Outbox) -> None:
        for envelope in self._batch.outbox:
            outbox.append(envelope)

    def committed(self) -> None:
        count(self._batch)
