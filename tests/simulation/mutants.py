"""Mutants: each takes one safety mechanism away, and the simulator must notice.

A patch replaces a piece of the real code while worlds run; production code has no switch for it.
What is rare has a scenario of its own, which makes the case that the mechanism is for.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from chassis.clock import new_id
from chassis.messaging import carrier, order, relay
from chassis.messaging.inbox import Inbox, Kept
from chassis.messaging.lease import Leases
from chassis.messaging.runner import PartitionRunner
from chassis.parking import lot
from chassis.saga import core, store
from chassis.saga.desk import SagaDesk
from chassis.saga.engine import SagaEngine
from chassis.saga.inputs import Happened
from chassis.saga.state import Phase, Status, StepMark, StepState
from chassis.saga.turn import HAPPENED, Turn
from chassis.stores.aggregates import AggregateStore
from chassis.testing.simulation.scenario import Scenario
from services.billing import payments
from services.billing.payments import HttpPayments
from tests.simulation import rare
from tests.simulation.scenarios import every

Patch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Mutant:
    """A mechanism, and how it is taken away. `scenarios` by seed; `seeds_max` is its budget."""

    name: str
    patches: tuple[Patch, ...]
    scenarios: Callable[[int], Scenario] = every
    seeds_max: int = 100

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, the mechanism is broken."""
        with ExitStack() as stack:
            for make in self.patches:
                stack.enter_context(make())
            yield


def instead(owner: object, name: str, new: object) -> Patch:
    """`owner.name` is `new`."""
    return lambda: patch.object(owner, name, new)


# --- what is broken


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _without(fragment: str) -> Callable[..., None]:
    """AggregateStore._update without a part of its WHERE."""
    update = AggregateStore._update

    def changed(self: Any, statement: Any, entries: Sequence[Any]) -> None:
        inner = type("_Statement", (), {})()
        inner.add = lambda sql, *args, expect=None: statement.add(sql.replace(fragment, ""), *args)
        update(self, inner, entries)

    return changed


def _undo_confirmed_only(self: Turn, error_type: str, error: dict[str, Any]) -> None:
    """From the last step confirmed, as if the one in doubt had not happened."""
    for index, step in enumerate(self.state.steps):
        if step.mark == StepMark.SENT:
            self.state.steps[index] = replace(step, mark=StepMark.PENDING)
    _UNDO(self, error_type, error)


def _undo_first_first(self: Turn, index: int) -> None:
    happened = [i for i, step in enumerate(self.state.steps) if step.mark in HAPPENED]
    if not happened:
        _UNDO_FROM(self, -1)
        return
    stage = self.saga.stages[happened[0]]
    self.state.status, self.state.cursor = Status.COMPENSATING, stage.start
    self.send_all([i for i in stage if i in happened])


def _awaits_any(self: Turn, command: UUID) -> int | None:
    awaited = self.awaited()
    return awaited[0] if awaited else None


def _any_type_is_success(turn: Turn, reply: Any) -> Any:
    """Whatever comes for the step under way moves it on."""
    index = _awaits_any(turn, reply.command_id)
    if index is None:
        return _REPLY(turn, reply)
    if turn.state.phase == Phase.FORWARD and not reply.refusal:
        core._step_done(turn, index, reply)
        return turn.decision()
    if turn.state.phase == Phase.BACKWARD:
        core._step_undone(turn, index)
        return turn.decision()
    return _REPLY(turn, reply)


def _gives_up_after_the_pivot(turn: Turn, late: bool) -> Any:
    if turn.state.phase == Phase.FORWARD and turn.state.cursor > turn.saga.point_of_no_return:
        for index in range(turn.saga.point_of_no_return, len(turn.saga.steps)):
            turn.state.steps[index] = StepState()
        turn.state.cursor = turn.saga.point_of_no_return - 1
        turn.note(Happened.GIVEN_UP, "", "")
        turn.undo(core.STEP_UNANSWERED, {"step": ""})
        return turn.decision()
    return _SEND_AGAIN(turn, late)


def _no_deadline(decide: Callable[..., Any]) -> Callable[..., Any]:
    """As if the deadline were never reached."""

    def timeless(turn: Turn) -> Any:
        deadline = turn.state.deadline_at
        turn.state.deadline_at = deadline.replace(year=deadline.year + 50)
        decision = decide(turn)
        decision.state.deadline_at = deadline
        return decision

    return timeless


def _ids_of_each_send(self: Turn, index: int) -> None:
    """Minted ids are made up anew each time."""
    fresh = {name: str(new_id()) for name in self.saga.mints}
    data = self.state.data
    self.state.data = {**data, **fresh}
    _SEND(self, index)
    self.state.data = data


async def _every_shard_is_mine(self: Leases) -> dict[int, int]:
    await _TICK(self)
    return dict.fromkeys(range(self._shards), 1)


async def _asleep(self: SagaEngine, *, per_shard: int) -> int:
    return 0


async def _always_locked(self: SagaDesk, batch: Any, wanted: Any) -> set[UUID]:
    await _JOIN(self, batch, wanted)
    return {saga_id for saga_id, _ in wanted}


def _done_when_taken(self: PartitionRunner, lane: Any, most: int) -> list[Any]:
    """The offset may be committed as soon as a record is taken from the buffer."""
    records = _TAKE(self, lane, most)
    self._finish(records)
    return records


async def _drops_and_commits(self: PartitionRunner) -> None:
    """What was read and not handled counts as done when partitions are given back."""
    for partition in self._partitions.values():
        if partition.buffer:
            partition.done = partition.buffer[-1].offset + 1
    await _DRAIN(self)


def _memory_first(self: order.ShardBook, number: int, shard: Any) -> list[Any]:
    """Rows leave from memory whatever lies in the table."""
    ready: list[Any] = []
    while shard.queue and shard.queue[0].committed is not None:
        ticket = shard.queue.popleft()
        if ticket.committed:
            ready += ticket.rows[number]
    return ready


def _gone_when_sent(self: carrier.Carrier, rows: Sequence[Any], way: str) -> None:
    """Rows may be deleted before Kafka has confirmed them."""
    _ENQUEUE(self, rows, way)
    self.confirm([row.id for row in rows])


async def _under_a_new_key(self: HttpPayments, verb: str, key: UUID, wanted: Any) -> Any:
    """The payment is named, but each attempt is another one to the provider."""
    headers = {"idempotency-key": f"{verb}:{new_id()}"}
    path, body = f"/payments/{verb}", {"key": str(key), **wanted}
    return payments._read(*await self._client.post(path, body, headers))


def _keeps_no_reply(self: Inbox, message_id: UUID, kept: Kept) -> None:
    self._new[message_id] = Kept()


def _blind_lines(self: lot.Lines, reading: Any, queues: Any) -> None:
    return None


_UNDO, _UNDO_FROM, _SEND = Turn.undo, Turn.undo_from, Turn.send
_REPLY, _SEND_AGAIN = core._reply, core._send_again
_TICK, _JOIN = Leases.tick, SagaDesk.join
_TAKE, _DRAIN = PartitionRunner._take, PartitionRunner.drain
_ENQUEUE = carrier.Carrier.enqueue
_NO_FOREIGN = """ARRAY(SELECT s.shard FROM unnest({}::int[], {}::bigint[]) AS s(shard, epoch)
    WHERE s.shard < 0)"""

MUTANTS = (
    Mutant("inbox", (instead(Inbox, "seen", _nothing), instead(Inbox, "flush", _nothing))),
    Mutant("tombstone", (instead(Inbox, "refuse", _nothing),), rare.late_forwards),
    Mutant("in-doubt step", (instead(Turn, "undo", _undo_confirmed_only),)),
    Mutant(
        "compare-and-set of sagas",
        (
            instead(store, "_UPDATE", store._UPDATE.replace(" AND s.version = d.version", "")),
            instead(
                store,
                "_UPDATE_EXACT",
                store._UPDATE_EXACT.replace(" AND s.version = d.version", ""),
            ),
        ),
    ),
    Mutant(
        "compare-and-set of aggregates",
        (instead(AggregateStore, "_update", _without(" AND r.revision = u.base")),),
        rare.contended,
    ),
    Mutant("epoch of the lease", (instead(relay, "_FOREIGN", _NO_FOREIGN),), rare.contended),
    Mutant("durable wake-up", (instead(SagaEngine, "wake", _asleep),), rare.crowded),
    Mutant(
        "contiguous watermark",
        (instead(PartitionRunner, "_take", _done_when_taken),),
        rare.interrupted,
    ),
    Mutant("relay lease", (instead(Leases, "tick", _every_shard_is_mine),), rare.racing),
    Mutant(
        "order of the relay's table",
        (instead(carrier, "_SCAN", carrier._SCAN.replace("ORDER BY seq", "ORDER BY seq DESC")),),
        rare.observed,
    ),
    Mutant(
        "order of the relay's memory",
        (instead(order.ShardBook, "_leave", _memory_first),),
        rare.contended,
    ),
    Mutant(
        "row until confirmed",
        (instead(carrier.Carrier, "enqueue", _gone_when_sent),),
        rare.crashing,
    ),
    Mutant("drain on revoke", (instead(PartitionRunner, "drain", _drops_and_commits),), rare.moved),
    Mutant("reply matching", (instead(core, "_reply", _any_type_is_success),)),
    Mutant("reverse order", (instead(Turn, "undo_from", _undo_first_first),)),
    Mutant("lock", (instead(SagaDesk, "join", _always_locked),)),
    Mutant(
        "deadline before the pivot",
        (
            instead(core, "_tick", _no_deadline(core._tick)),
            instead(core, "_lock_granted", _no_deadline(core._lock_granted)),
        ),
        rare.held_locks,
    ),
    Mutant(
        "forward only after the pivot",
        (instead(core, "_send_again", _gives_up_after_the_pivot),),
        rare.silent,
    ),
    Mutant("reply kept in the inbox", (instead(Inbox, "keep", _keeps_no_reply),), rare.crashing),
    Mutant("ids minted by the saga", (instead(Turn, "send", _ids_of_each_send),)),
    Mutant(
        "idempotency key of the capture",
        (instead(HttpPayments, "_do", _under_a_new_key),),
        rare.paying,
    ),
    Mutant(
        "parked key waits",
        (
            instead(lot.Lines, "reads", _blind_lines),
            instead(lot.ParkingLot, "demand_free", _nothing),
        ),
        rare.broken,
    ),
)
