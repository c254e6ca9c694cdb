"""Replies from Kafka: what is no reply, what collides, what keeps failing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Conflict, Unavailable
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.envelope import Headers
from chassis.saga.chunk import SagaChunk, decode_answer
from chassis.saga.engine import Answer
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

    async def answer(self, answers: Sequence[Answer]) -> int:
        if self.failures:
            raise self.failures.pop(0)
        if self.poison & {answer.message_id for answer in answers}:
            raise ZeroDivisionError
        self.handled.append(list(answers))
        return 2


@dataclass
class FakeSender:
    reasons: list[str] = field(default_factory=list)

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        assert topic == "dlq.orchestrator"
        self.reasons.append(dict(headers)["dlq_reason"].decode())


def a_chunk(engine: FakeEngine, sender: FakeSender, freed: list[int] | None = None) -> SagaChunk:
    heard = freed if freed is not None else []
    return SagaChunk(engine, DeadLetters("orchestrator", sender), SystemClock(), heard.append)


class TestSagaChunk:
    async def test_handles_all_at_once_and_tells_how_many_ended(self) -> None:
        engine, freed = FakeEngine(), list[int]()

        await a_chunk(engine, FakeSender(), freed)([a_record(), a_record()])

        assert [len(answers) for answers in engine.handled] == [2]
        assert freed == [2]

    async def test_a_conflict_is_tried_again(self) -> None:
        engine = FakeEngine(failures=[Conflict(), Conflict()])

        await a_chunk(engine, FakeSender())([a_record()])

        assert len(engine.handled) == 1

    async def test_what_is_unavailable_is_the_callers_to_wait_for(self) -> None:
        engine = FakeEngine(failures=[Unavailable("postgres")])

        with pytest.raises(Unavailable):
            await a_chunk(engine, FakeSender())([a_record()])

    async def test_what_is_no_reply_becomes_a_dead_letter(self) -> None:
        engine, sender = FakeEngine(), FakeSender()
        strays = [a_record(ce_correlationid="saga 7"), FakeRecord(b"{}", [])]

        await a_chunk(engine, sender)([*strays, a_record()])

        assert sender.reasons == ["undecodable", "undecodable"]
        assert [len(answers) for answers in engine.handled] == [1]

    async def test_one_that_keeps_failing_is_found_and_set_aside(self) -> None:
        records = [a_record() for _ in range(9)]
        poison = decode_answer(records[4], START).message_id
        engine, sender = FakeEngine(poison=frozenset([poison])), FakeSender()

        await a_chunk(engine, sender)(records)

        assert sender.reasons == ["failed"]
        handled = [answer.message_id for answers in engine.handled for answer in answers]
        rest = [decode_answer(record, START).message_id for record in records]
        assert handled == [message_id for message_id in rest if message_id != poison]


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
