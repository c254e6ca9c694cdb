"""SagaEngine: loads sagas, lets the core decide, writes it all in one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from chassis.clock import Clock
from chassis.errors import Conflict, Unavailable
from chassis.faults import FAULTS, Passage
from chassis.messaging.outbox import CommitPoint
from chassis.saga import metrics
from chassis.saga.batch import Batch
from chassis.saga.core import decide
from chassis.saga.desk import SagaDesk, Start
from chassis.saga.inputs import Input, LockGranted, Reply, Tick
from chassis.saga.recent import Recent
from chassis.saga.state import Phase, SagaState
from chassis.stores.statement import Statement

log = structlog.get_logger()

CLAIM_LEASE = timedelta(seconds=15)
"""For how long a due saga is left to the replica that claimed it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it arrived: the message's own id, and the saga that it is for."""

    message_id: UUID
    saga_id: UUID
    reply: Reply


class SagaEngine:
    """The ways into the engine that commit by themselves; each call is one transaction.

    Raises Conflict (run it again) and Unavailable (later); nothing is written then.
    """

    def __init__(self, desk: SagaDesk, commit_point: CommitPoint, clock: Clock) -> None:
        self._desk = desk
        self._commit_point = commit_point
        self._clock = clock
        self._recent = Recent()

    async def answer(
        self, answers: Sequence[Answer], also: Callable[[Statement], None] | None = None
    ) -> int:
        """Handle replies, in their order. How many sagas ended, for whoever waits for locks.
        `also` adds to the statement that they are committed by.

        Sagas that this process wrote last are not read again, nor are their replies looked up in
        the inbox: whatever is not as it seems breaks the statement, and the next try reads all.
        """
        saga_ids = {answer.saga_id for answer in answers}
        try:
            states = self._recent.of(saga_ids)
            seen: set[UUID] = set()
            if len(states) < len(saga_ids):
                found, seen = await self._desk.store.load(
                    [saga_id for saga_id in saga_ids if saga_id not in states],
                    [a.message_id for a in answers if a.saga_id not in states],
                )
                states.update(found)
            return await self._answer(answers, states, seen, also)
        except BaseException:
            self._recent.forget(saga_ids)
            raise

    async def _answer(
        self,
        answers: Sequence[Answer],
        states: dict[UUID, SagaState],
        seen: set[UUID],
        also: Callable[[Statement], None] | None,
    ) -> int:
        batch, handled = self._desk.batch(), list[UUID]()
        for answer in answers:
            if answer.message_id in seen:
                metrics.IGNORED.labels("duplicate").inc()
                continue
            seen.add(answer.message_id)
            handled.append(answer.message_id)
            state = states.get(answer.saga_id)
            if state is None:
                metrics.IGNORED.labels("no saga").inc()
                log.warning("reply_without_saga", saga_id=answer.saga_id, type=answer.reply.type)
                continue
            decision = decide(self._desk.definition(state), state, answer.reply)
            states[state.id] = batch.take(state, decision, answer.message_id)
        statement = Statement()
        self._desk.store.add_inbox(statement, handled)
        if also is not None:
            also(statement)
        await self._commit(statement, batch)
        return len(batch.ended)

    async def wake(self, *, per_shard: int) -> int:
        """Claim sagas that are due and give each its tick, or its lock. How many there were."""
        claimed, at = await self._desk.store.claim(
            list(self._desk.definitions), per_shard=per_shard, lease=CLAIM_LEASE
        )
        if not claimed:
            return 0
        if FAULTS.armed:
            await FAULTS.at("saga.tick", [_passage(state) for state in claimed])
        granted = await self._desk.granted([s for s in claimed if s.phase == Phase.LOCKING])
        events: list[tuple[SagaState, Input]] = [
            (state, LockGranted(at) if state.id in granted else Tick(at)) for state in claimed
        ]
        if not await self._happen(events) and len(events) > 1:
            for event in events:  # one of them is moved or broken: the others are not to suffer
                await self._happen([event])
        return len(claimed)

    async def start(self, starts: Sequence[Start]) -> list[SagaState]:
        """Begin sagas, each with its first command or with a place in the queue for its lock."""
        batch = self._desk.batch()
        states = await self._desk.begin(batch, starts, self._clock.now())
        await self._commit(Statement(), batch)
        return states

    async def _commit(self, statement: Statement, batch: Batch, *, exact: bool = False) -> None:
        self._desk.fill(statement, batch, exact=exact)
        if statement:
            if FAULTS.armed:
                await FAULTS.at("saga.before_persist", batch.outbox)
            await self._commit_point.commit(statement, batch.outbox)
            if FAULTS.armed:
                await FAULTS.at("saga.after_persist_before_send", batch.outbox)
            self._recent.keep(change.state for change in batch.changes.values())
            metrics.count(batch)

    async def _happen(self, events: Sequence[tuple[SagaState, Input]]) -> bool:
        """All of it or nothing. What is left keeps its claim and is due again after the lease."""
        batch = self._desk.batch()
        self._recent.forget(state.id for state, _ in events)
        try:
            for state, event in events:
                batch.take(state, decide(self._desk.definition(state), state, event))
            await self._commit(Statement(), batch, exact=True)
        except Conflict:
            return False
        except Unavailable:
            raise
        except Exception:
            log.exception("saga_tick_failed", sagas=[str(state.id) for state, _ in events[:5]])
            if len(events) == 1:  # of several, each is tried alone next
                metrics.TICKS_FAILED.labels(events[0][0].saga).inc()
            return False
        return True


def _passage(state: SagaState) -> Passage:
    """A saga at a fault point: its name, and which way it goes."""
    workspace_id = str(state.workspace_id) if state.workspace_id else ""
    return Passage(state.saga, direction=str(state.phase).lower(), workspace_id=workspace_id)
