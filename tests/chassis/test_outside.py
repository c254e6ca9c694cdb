"""OutsideClient: what an answer of a server that is not ours means."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from chassis.clock import SystemClock
from chassis.errors import Unanswered, Unavailable
from chassis.outside import OutsideClient
from chassis.resilience.breaker import BreakerOpen
from chassis.settings import ServiceSettings
from chassis.transport import RawAnswer

KEY = "a test's key of contexts"
FAILURES_TO_OPEN = 20


@dataclass
class FakeTransport:
    """Answers the same each time, or never."""

    answer: RawAnswer | None = None
    asked: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    closed: bool = False

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        self.asked.append((path, body, dict(headers)))
        if self.answer is None:
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        assert self.answer is not None
        return self.answer

    async def close(self) -> None:
        self.closed = True


def a_client(transport: FakeTransport, timeout_ms: int = 1_000) -> OutsideClient:
    settings = ServiceSettings(context_key=KEY, client_timeout_ms=timeout_ms)
    return OutsideClient(
        "elsewhere", "http://nowhere", settings, SystemClock(), transport=transport
    )


async def test_an_answer_below_500_is_given_with_its_status() -> None:
    transport = FakeTransport(RawAnswer(404, b'{"error": "unknown"}'))

    answer = await a_client(transport).post("/find", {"key": "7"}, {"idempotency-key": "k"})

    assert answer == (404, {"error": "unknown"})
    ((path, body, headers),) = transport.asked
    assert (path, body) == ("/find", b'{"key":"7"}')
    assert headers["idempotency-key"] == "k"


@pytest.mark.parametrize(
    "answer",
    [
        RawAnswer(500, b"{}"),
        RawAnswer(503, b"busy"),
        RawAnswer(200, b"<html>"),
        RawAnswer(200, b"[]"),
    ],
)
async def test_what_is_no_answer_is_a_server_that_is_away(answer: RawAnswer) -> None:
    with pytest.raises(Unavailable):
        await a_client(FakeTransport(answer)).post("/find", {})


async def test_silence_leaves_it_in_doubt() -> None:
    with pytest.raises(Unanswered):
        await a_client(FakeTransport(), timeout_ms=20).post("/capture", {})


async def test_after_many_failures_nobody_is_asked_for_a_while() -> None:
    transport = FakeTransport(RawAnswer(503, b"{}"))
    client = a_client(transport)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            await client.post("/find", {})

    with pytest.raises(BreakerOpen):
        await client.post("/find", {})

    assert len(transport.asked) == FAILURES_TO_OPEN


async def test_nothing_is_repeated() -> None:
    transport = FakeTransport(RawAnswer(500, b"{}"))

    with pytest.raises(Unavailable):
        await a_client(transport).post("/capture", {})

    assert len(transport.asked) == 1


async def test_closing_it_closes_the_connections() -> None:
    transport = FakeTransport()

    await a_client(transport).close()

    assert transport.closed
