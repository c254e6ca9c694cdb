"""ServiceClient: every fate crosses the wire and comes out as it went in."""

from collections.abc import Callable, Mapping

import orjson
import pytest

from chassis.client import BadAnswer, ServiceClient
from chassis.clock import SystemClock, new_id
from chassis.context import Context
from chassis.errors import (
    Conflict,
    IdempotencyKeyReused,
    InvalidMessage,
    NotAllowed,
    Rejected,
    Unanswered,
    Unavailable,
)
from chassis.observability.tracing import server_span
from chassis.resilience.breaker import AsyncBreaker, BreakerLimits, BreakerOpen
from chassis.resilience.deadline import deadline_at, now_ms
from chassis.settings import ServiceSettings
from chassis.transport import RawAnswer, Transport
from tests.chassis.doors.doorway import (
    KEY,
    WORKSPACE,
    Doorway,
    FakeExecute,
    a_context,
    counted,
)
from tests.chassis.toy.contracts.toy.counter import Count, Counted, GetCounter, Reading, TooHigh

CLOCK = SystemClock()
TRACE = "0af7651916cd43dd8448eb211c80319c"
Answer = Callable[[], RawAnswer]


class Wire:
    """A transport that answers as told, in order; the last answer repeats."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.headers: list[Mapping[str, str]] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        self.headers.append(headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer()

    async def close(self) -> None:
        pass


class ToDoor:
    """A transport to an application in memory."""

    def __init__(self, doorway: Doorway) -> None:
        self.http = doorway.http

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        response = await self.http.post(path, content=body, headers=headers)
        after = response.headers.get("retry-after", "")
        return RawAnswer(response.status_code, response.content, after)

    async def close(self) -> None:
        await self.http.aclose()


def a_client(transport: Transport, **limits: object) -> ServiceClient:
    settings = ServiceSettings(context_key=KEY, **limits)  # type: ignore[arg-type]
    breaker = AsyncBreaker("toy", CLOCK, BreakerLimits(calls_min=4))
    return ServiceClient("toy", "http://toy", settings, CLOCK, transport=transport, breaker=breaker)


def a_client_of(execute: FakeExecute, **limits: object) -> ServiceClient:
    return a_client(ToDoor(Doorway(execute)), **limits)


def a_count(by: int = 1) -> Count:
    return Count(workspace_id=WORKSPACE, counter_id=new_id(), by=by)


def ok() -> RawAnswer:
    data = {"workspace_id": str(WORKSPACE), "counter_id": str(new_id()), "value": 1}
    return RawAnswer(200, orjson.dumps({"type": "toy.Counted.v1", "data": data}))


def down() -> RawAnswer:
    raise Unavailable("toy: ClientConnectorError")


def unavailable() -> RawAnswer:
    return RawAnswer(503, b'{"type":"unavailable"}', "0")


def refused() -> RawAnswer:
    return RawAnswer(422, b'{"type":"toy.TooHigh.v1","data":{"value_max":1}}')


def gibberish() -> RawAnswer:
    return RawAnswer(502, b"<html>bad gateway</html>")


def another_type() -> RawAnswer:
    return RawAnswer(200, b'{"type":"toy.Reading.v1","data":{"value":1}}')


def half() -> RawAnswer:
    return RawAnswer(200, b'{"type":')


class TestThroughTheDoor:
    async def test_a_command_comes_back_as_what_it_answers(self) -> None:
        answer = await a_client_of(FakeExecute(counted)).send(
            a_count(by=4), a_context(), command_id=new_id()
        )

        assert isinstance(answer, Counted)
        assert answer.value == 4

    async def test_a_query_too(self) -> None:
        query = GetCounter(workspace_id=WORKSPACE, counter_id=new_id())

        answer = await a_client_of(FakeExecute(counted)).ask(query, a_context("workspace.read"))

        assert answer == Reading(value=7)

    @pytest.mark.parametrize(
        ("raised", "expected"),
        [
            (Conflict("row"), Conflict),
            (IdempotencyKeyReused("id"), IdempotencyKeyReused),
            (Unavailable("postgres", retry_after=0), Unavailable),
            (Unanswered("postgres"), Unanswered),
            (RuntimeError("a bug"), BadAnswer),
        ],
    )
    async def test_each_fate_comes_out_as_it_went_in(
        self, raised: Exception, expected: type[Exception]
    ) -> None:
        client = a_client_of(FakeExecute(raised), client_attempts_max=1)

        with pytest.raises(Exception) as error:  # its exact type is the point
            await client.send(a_count(), a_context(), command_id=new_id())

        assert type(error.value) is expected

    async def test_a_refusal_has_its_type_and_fields(self) -> None:
        client = a_client_of(FakeExecute(Rejected(TooHigh(value_max=9))))

        with pytest.raises(Rejected) as refusal:
            await client.send(a_count(), a_context(), command_id=new_id())

        assert refusal.value.rejection == TooHigh(value_max=9)

    @pytest.mark.parametrize(
        ("context", "message"),
        [
            (a_context("workspace.read"), "needs app.edit"),
            (a_context(workspace_id=new_id()), "another workspace"),
        ],
    )
    async def test_a_missing_right_is_not_allowed(self, context: Context, message: str) -> None:
        with pytest.raises(NotAllowed, match=message):
            await a_client_of(FakeExecute(counted)).send(a_count(), context, command_id=new_id())

    async def test_a_wrong_field_is_named(self) -> None:
        wrong = a_count().model_copy(update={"by": -1})

        with pytest.raises(InvalidMessage) as refusal:
            await a_client_of(FakeExecute(counted)).send(wrong, a_context(), command_id=new_id())

        assert [error.field for error in refusal.value.errors] == ["by"]


class TestOnTheWire:
    async def test_it_tries_again_with_the_same_command_id(self) -> None:
        wire = Wire(down, unavailable, ok)
        command_id = new_id()

        await a_client(wire).send(a_count(), a_context(), command_id=command_id)

        ids = [headers["basalt-command-id"] for headers in wire.headers]
        assert ids == [str(command_id)] * 3

    async def test_it_gives_up_after_its_attempts(self) -> None:
        wire = Wire(down)

        with pytest.raises(Unavailable, match="ClientConnectorError"):
            await a_client(wire).send(a_count(), a_context(), command_id=new_id())

        assert len(wire.headers) == 3

    async def test_a_refusal_is_not_tried_again(self) -> None:
        wire = Wire(refused)

        with pytest.raises(Rejected):
            await a_client(wire).send(a_count(), a_context(), command_id=new_id())

        assert len(wire.headers) == 1

    @pytest.mark.parametrize("answer", [another_type, half])
    async def test_an_answer_that_is_not_the_contracts_is_a_bug(self, answer: Answer) -> None:
        with pytest.raises(BadAnswer):
            await a_client(Wire(answer)).send(a_count(), a_context(), command_id=new_id())

    async def test_something_in_between_that_answers_is_an_outage(self) -> None:
        with pytest.raises(Unavailable, match="502"):
            await a_client(Wire(gibberish)).send(a_count(), a_context(), command_id=new_id())

    async def test_when_it_is_down_for_long_the_breaker_spares_it(self) -> None:
        wire = Wire(down)
        client = a_client(wire, client_attempts_max=1)

        for _ in range(4):
            with pytest.raises(Unavailable):
                await client.send(a_count(), a_context(), command_id=new_id())
        with pytest.raises(BreakerOpen):
            await client.send(a_count(), a_context(), command_id=new_id())

        assert len(wire.headers) == 4

    async def test_deadline_and_trace_travel(self) -> None:
        wire = Wire(ok)
        deadline_ms = now_ms(CLOCK) + 2_000

        with deadline_at(deadline_ms), server_span("outer", f"00-{TRACE}-b7ad6b7169203331-01"):
            await a_client(wire).send(a_count(), a_context(), command_id=new_id())

        headers = wire.headers[0]
        assert headers["basalt-deadline-ms"] == str(deadline_ms)
        assert headers["traceparent"].split("-")[1] == TRACE

    async def test_past_the_deadline_nothing_is_sent_twice(self) -> None:
        wire = Wire(down)

        with deadline_at(now_ms(CLOCK)), pytest.raises(Unavailable):
            await a_client(wire).send(a_count(), a_context(), command_id=new_id())

        assert len(wire.headers) <= 1
