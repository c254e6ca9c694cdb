"""AiohttpTransport against a server that misbehaves in every way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unanswered, Unavailable
from chassis.settings import ServiceSettings
from chassis.transport import AiohttpTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\n{}"
HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"
MOVED = b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere\r\ncontent-length: 0\r\n\r\n"


class Server:
    """Reads a request and answers with these bytes; then closes unless told to keep."""

    def __init__(self, answer: bytes, keep: bool = True) -> None:
        self.answer, self.keep = answer, keep
        self.connections = 0
        self.requests: list[bytes] = []

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.requests.append(head + await reader.readexactly(2))
            writer.write(self.answer)
            await writer.drain()
            if not self.keep:
                break
        writer.close()


class Way:
    """A transport and the server at its end."""

    def __init__(self) -> None:
        self.transports: list[AiohttpTransport] = []
        self.servers: list[Server] = []

    async def to(self, server: Server) -> AiohttpTransport:
        self.servers.append(server)
        return self.at(await server.start())

    def at(self, url: str) -> AiohttpTransport:
        settings = ServiceSettings(
            context_key="a key for the tests of transports",
            client_timeout_ms=300,
        )
        self.transports.append(AiohttpTransport("toy", url, settings))
        return self.transports[-1]


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    made = Way()
    yield made
    for transport in made.transports:
        await transport.close()
    for server in made.servers:
        await server.stop()


async def test_an_answer_comes_whole_and_the_connection_is_kept(way: Way) -> None:
    server = Server(OK)
    transport = await way.to(server)

    answers = [await transport.post("/commands/Count", b"{}", {"x-own": "1"}) for _ in range(3)]

    assert [(a.status, a.body, a.retry_after) for a in answers] == [(200, b"{}", "7")] * 3
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /commands/Count HTTP/1.1\r\n")
    assert b"x-own: 1" in server.requests[0]


async def test_where_nobody_listens_nothing_was_sent(way: Way) -> None:
    with pytest.raises(Unavailable) as error:
        await way.at("http://127.0.0.1:1").post("/x", b"{}", {})

    assert not isinstance(error.value, Unanswered)


@pytest.mark.parametrize("answer", [HALF, b"", b"nonsense\r\n\r\n"])
async def test_what_breaks_off_is_in_doubt(way: Way, answer: bytes) -> None:
    transport = await way.to(Server(answer, keep=False))

    with pytest.raises(Unanswered):
        await transport.post("/x", b"{}", {})


async def test_silence_is_in_doubt_after_its_time(way: Way) -> None:
    transport = await way.to(Server(b"", keep=True))

    with pytest.raises(Unanswered):
        await transport.post("/x", b"{}", {})


async def test_a_redirection_is_not_followed(way: Way) -> None:
    transport = await way.to(Server(MOVED))

    answer = await transport.post("/x", b"{}", {})

    assert answer.status == 302
