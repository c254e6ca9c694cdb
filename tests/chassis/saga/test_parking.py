"""A reply that keeps failing parks its saga, with the real engine on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.messaging.deadletters import DeadLetters
from chassis.parking.loop import LoopLimits, ParkedKeys
from chassis.parking.lot import LotLimits, ParkingLot
from chassis.saga.batch import REPLIES
from chassis.saga.chunk import SagaChunk
from chassis.saga.engine import Answer, SagaEngine
from chassis.saga.state import SagaState
from chassis.saga.store import GROUP
from chassis.stores.statement import Statement
from chassis.testing.messages import FakeRecord, FakeSender
from chassis.testing.saga import success_of
from tests.chassis.saga.stand import Sent, Stand, a_stand

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Moody:
    """The engine, as long as it meets no message that it stumbles over."""

    engine: SagaEngine
    poison: set[UUID] = field(default_factory=set)

    async def answer(
        self, answers: Sequence[Answer], also: Callable[[Statement], None] | None = None
    ) -> int:
        if self.poison & {answer.message_id for answer in answers}:
            raise ZeroDivisionError
        return await self.engine.answer(answers, also)


@dataclass
class Desk:
    """An orchestrator's way for replies."""

    stand: Stand
    engine: Moody
    chunk: SagaChunk
    keys: ParkedKeys
    offset: int = 0

    def reply(self, sent: Sent, message_id: UUID | None = None) -> FakeRecord:
        """A participant's success, as a record."""
        message = success_of(sent.contract, sent.fields)
        headers = {
            "ce_id": str(message_id or new_id()),
            "ce_type": message.address.type,
            "ce_correlationid": sent.headers["ce_correlationid"],
            "ce_causationid": str(sent.id),
            "ce_traceparent": TRACE,
        }
        self.offset += 1
        key = headers["ce_correlationid"].encode()
        value = message.model_dump_json().encode()
        wire = [(name, text.encode()) for name, text in headers.items()]
        return FakeRecord(REPLIES, 0, self.offset, key, value, wire)

    async def step_of(self, saga: SagaState) -> int:
        return (await self.stand.state(saga)).cursor

    async def letters(self) -> list[str]:
        rows = await self.stand.database.fetch("SELECT state FROM dead_letter ORDER BY seq")
        return [row["state"] for row in rows]

    async def retry(self) -> None:
        await self.stand.database.execute("UPDATE dead_letter SET next_at = NULL")
        while await self.keys.round():
            pass


@pytest.fixture
async def desk(fresh_database: str) -> AsyncIterator[Desk]:
    async with a_stand(fresh_database) as stand:
        engine, clock = Moody(stand.engine), SystemClock()
        letters = DeadLetters(GROUP, FakeSender())
        lot = ParkingLot(GROUP, stand.database, letters, LotLimits(first_pause_s=60))
        chunk = SagaChunk(engine, lot, clock)
        limits = LoopLimits(pause_s=60, conflict_s=0.001)
        keys = ParkedKeys(lot, (REPLIES,), chunk.replay, stand.database, clock, limits)
        yield Desk(stand, engine, chunk, keys)


async def test_its_later_replies_wait_and_other_sagas_go_on(desk: Desk) -> None:
    broken, sound = await desk.stand.publish(2)
    first, second = await desk.stand.take_commands()
    poison = new_id()
    desk.engine.poison.add(poison)

    await desk.chunk([desk.reply(first, poison), desk.reply(first), desk.reply(second)])
    await desk.chunk([desk.reply(first)])

    assert await desk.letters() == ["failed", "waiting", "waiting"]
    traces = await desk.stand.database.fetch("SELECT DISTINCT traceparent FROM dead_letter")
    assert [row["traceparent"] for row in traces] == [TRACE]
    assert await desk.step_of(broken) == 0
    assert await desk.step_of(sound) == 1


async def test_a_replica_that_remembers_the_saga_sees_that_it_is_parked(desk: Desk) -> None:
    """It reads nothing beforehand: the statement itself has to notice."""
    (saga,) = await desk.stand.publish()
    (reserve,) = await desk.stand.take_commands()
    await desk.chunk([desk.reply(reserve)])
    (freeze,) = await desk.stand.take_commands()
    poison = new_id()
    desk.engine.poison.add(poison)
    await desk.chunk([desk.reply(freeze, poison)])

    await desk.chunk([desk.reply(freeze)])

    assert await desk.letters() == ["failed", "waiting"]
    assert await desk.step_of(saga) == 1


async def test_once_it_succeeds_the_saga_goes_on_and_the_rest_follows(desk: Desk) -> None:
    (saga,) = await desk.stand.publish()
    (reserve,) = await desk.stand.take_commands()
    poison = new_id()
    desk.engine.poison.add(poison)
    await desk.chunk([desk.reply(reserve, poison), desk.reply(reserve)])

    desk.engine.poison.clear()
    await desk.retry()

    assert await desk.letters() == ["handled", "handled"]
    assert await desk.step_of(saga) == 1
    (freeze,) = await desk.stand.take_commands()
    await desk.chunk([desk.reply(freeze)])
    assert await desk.step_of(saga) == 2


async def test_what_is_no_reply_is_kept_with_its_bytes(desk: Desk) -> None:
    stray = FakeRecord(REPLIES, 0, 0, b"\xff", b"\xfe", [("ce_id", b"\xff")])

    await desk.chunk([stray, stray])

    rows = await desk.stand.database.fetch("SELECT state, key, payload FROM dead_letter")
    assert [tuple(row) for row in rows] == [("undecodable", b"\xff", b"\xfe")]
