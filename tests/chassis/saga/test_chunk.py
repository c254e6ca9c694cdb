"""Replies from Kafka: what is no reply, what collides, what keeps failing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Conflict, Unavailable
from chassis.messaging.deadletters import DeadLetter
from chassis.messaging.envelope import Headers, Record
from chassis.parking.lot import ParkingLot, Stray
from chassis.saga.chunk import SagaChunk, decode_answer
from chassis.saga.engine import Answer
from chassis.stores.statement import Statement
from chassis.testing.saga import START
from contracts.billing.account import QuotaExceeded, QuotaReserved

SAGA, COMMAND = UUID(int=1), UUID(int=2)
WORKSPACE = UUID(int=7)
RESERVED = QuotaReserved(
    workspace_id=WORKSPACE, reservation_id=UUID(int=3), app_id=UUID(int=8), units=1
)


@dataclass
class FakeRecord:
    value: bytes | None
    headers: Headers
    topic: str = "reply.orchestrator.v1"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None


def a_record(wire_type: str = RESERVED.address.type, body: str = "", **headers: str) -> FakeRecord:
    named = {
        "ce_id": str(new_id()),
        "ce_type": wire_type,
        "ce_correlationid": str(SAGA),
        "ce_causationid": str(COMMAND),
        **headers,
    }
    value = (body or RESERVED.model_dump_json()).encode()
    return FakeRecord(value, [(name, text.encode()) for name, text in named.items()])


@dataclass
class FakeEngine:
    """Fails as often as it is told; remembers what it handled."""

    failures: list[Exception] = field(default_factory=list)
    poison: frozenset[UUID] = frozenset()
    handled: list[list[Answer]] = field(default_factory=list)

    async def answer(
        self, answers: Sequence[Answer], also: Callable[[Statement], None] | None = None
    ) -> int:
        if self.failures:
            raise self.failures.pop(0)
        if self.poison & {answer.message_id for answer in answers}:
            raise ZeroDivisionError
        self.handled.append(list(answers))
        return 2


class FakeLot(ParkingLot):
    """In memory."""

    def __init__(self, *queues: str) -> None:
        self.group = "orchestrator"
        self.refused: list[Record] = []
        self.queues = set(queues)
        self.lined_up: list[Stray] = []

    async def refuse(self, records: Sequence[tuple[Record, str]]) -> None:
        self.refused += [record for record, _ in records]

    async def park(self, record: Record, queue: str, message_id: UUID, letter: DeadLetter) -> None:
        self.queues.add(queue)

    async def parked(self, queues: Iterable[str]) -> set[str]:
        return self.queues & set(queues)

    async def line_up(self, strays: Sequence[Stray]) -> None:
        self.lined_up += strays


def a_chunk(engine: FakeEngine, lot: FakeLot, freed: list[int] | None = None) -> SagaChunk:
    heard = freed if freed is not None else []
    return SagaChunk(engine, lot, SystemClock(), heard.append)


class TestSagaChunk:
    async def test_handles_all_at_once_and_tells_how_many_ended(self) -> None:
        engine, freed = FakeEngine(), list[int]()

        await a_chunk(engine, FakeLot(), freed)([a_record(), a_record()])

        assert [len(answers) for answers in engine.handled] == [2]
        assert freed == [2]

    async def test_a_conflict_is_tried_again(self) -> None:
        engine = FakeEngine(failures=[Conflict(), Conflict()])

        await a_chunk(engine, FakeLot())([a_record()])

        assert len(engine.handled) == 1

    async def test_what_is_unavailable_is_the_callers_to_wait_for(self) -> None:
        engine = FakeEngine(failures=[Unavailable("postgres")])

        with pytest.raises(Unavailable):
            await a_chunk(engine, FakeLot())([a_record()])

    async def test_conflicts_are_no_failures(self) -> None:
        engine, lot = FakeEngine(failures=[Conflict(), Conflict(), TimeoutError()]), FakeLot()

        await a_chunk(engine, lot)([a_record()])

        assert len(engine.handled) == 1
        assert not lot.queues

    async def test_what_is_no_reply_is_refused_once_the_others_are_done(self) -> None:
        engine, lot = FakeEngine(failures=[Unavailable("postgres")] * 3), FakeLot()
        chunk, records = a_chunk(engine, lot), [a_record(), FakeRecord(b"{}", [])]

        for _ in range(3):
            with pytest.raises(Unavailable):
                await chunk(records)
        await chunk(records)

        assert lot.refused == records[1:]

    async def test_what_is_no_reply_becomes_a_dead_letter(self) -> None:
        engine, lot = FakeEngine(), FakeLot()
        strays = [a_record(ce_correlationid="saga 7"), FakeRecord(b"{}", [])]

        await a_chunk(engine, lot)([*strays, a_record()])

        assert lot.refused == strays
        assert [len(answers) for answers in engine.handled] == [1]

    async def test_one_that_keeps_failing_is_found_and_parks_its_saga(self) -> None:
        records = [a_record() for _ in range(9)]
        poison = decode_answer(records[4], START).message_id
        engine, lot = FakeEngine(poison=frozenset([poison])), FakeLot()

        await a_chunk(engine, lot)(records)

        assert lot.queues == {f"reply.orchestrator.v1 {SAGA}"}
        handled = [answer.message_id for answers in engine.handled for answer in answers]
        rest = [decode_answer(record, START).message_id for record in records]
        assert handled == [message_id for message_id in rest if message_id != poison]

    async def test_replies_to_a_parked_saga_line_up_and_the_others_go_on(self) -> None:
        other = UUID(int=5)
        records = [a_record(), a_record(ce_correlationid=str(other)), a_record()]
        engine, lot = FakeEngine(failures=[Conflict()]), FakeLot(f"reply.orchestrator.v1 {SAGA}")

        await a_chunk(engine, lot)(records)

        assert [stray.record for stray in lot.lined_up] == [records[0], records[2]]
        assert [[answer.saga_id for answer in chunk] for chunk in engine.handled] == [[other]]


class TestDecodeAnswer:
    def test_reads_ids_type_and_fields(self) -> None:
        answer = decode_answer(a_record(), START)

        assert (answer.saga_id, answer.reply.command_id) == (SAGA, COMMAND)
        assert answer.reply.type == "billing.QuotaReserved.v1"
        assert answer.reply.fields["units"] == 1
        assert not answer.reply.refusal

    def test_knows_a_refusal(self) -> None:
        refusal = QuotaExceeded(workspace_id=WORKSPACE, units_left=0)

        answer = decode_answer(a_record(refusal.address.type, refusal.model_dump_json()), START)

        assert answer.reply.refusal

    @pytest.mark.parametrize("body", ["{", "[]", '{"units": "many"}', "null"])
    def test_what_does_not_match_its_contract_is_no_answer(self, body: str) -> None:
        answer = decode_answer(a_record(body=body), START)

        assert answer.reply.type == "billing.QuotaReserved.v1 (broken)"
        assert answer.reply.fields == {}

    def test_a_type_that_nobody_knows_is_no_refusal(self) -> None:
        answer = decode_answer(a_record("billing.Shrugged.v1"), START)

        assert answer.reply.type == "billing.Shrugged.v1"
        assert not answer.reply.refusal
