"""Subscriptions over a real socket: first how it stands, then each change, then the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from uuid import uuid4

import orjson
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chassis.errors import Rejected, Unavailable
from contracts.identity.session import Authorize, SessionEnded
from contracts.operation import GetOperation, Operation, OperationState, OperationUnknown
from services.gateway import ids
from services.gateway.scope import World
from tests.services.gateway.fakes import NOW, TOKEN, WORKSPACE, a_world, an_app

OPERATION = uuid4()
WATCH = "subscription($id: ID!) { operation(id: $id) { state done finished } }"
ID = ids.encode("Operation", WORKSPACE, "orchestrator", OPERATION)
TRANSPORT = Subprotocol("graphql-transport-ws")


def an_operation(version: int, **changes: Any) -> Operation:
    return Operation(
        **{
            "operation_id": OPERATION,
            "workspace_id": WORKSPACE,
            "kind": "publish_app",
            "owner": "orchestrator",
            "state": OperationState.RUNNING,
            "started_at": NOW,
            "updated_at": NOW,
            "version": version,
            "done": version,
            **changes,
        }
    )


ENDED = an_operation(3, state=OperationState.COMPLETED, finished_at=NOW)


class Story:
    """Answers one after the other; the last one for ever."""

    def __init__(self, *answers: Operation | Exception) -> None:
        self.answers = list(answers)

    def __call__(self, query: GetOperation) -> Operation:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def a_server(world: World, **settings: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(
        an_app(world, **settings), port=0, log_level="error", lifespan="off", access_log=False
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]  # the test owns the signals
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:
            await asyncio.wait({task}, timeout=0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/graphql"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 5)


@asynccontextmanager
async def a_socket(url: str, token: str = TOKEN) -> AsyncIterator[ClientConnection]:
    async with connect(url, subprotocols=[TRANSPORT]) as socket:
        params = {"authorization": f"Bearer {token}"} if token else {}
        await socket.send(orjson.dumps({"type": "connection_init", "payload": params}).decode())
        assert (await heard(socket))["type"] == "connection_ack"
        yield socket


async def heard(socket: ClientConnection) -> Any:
    text = await asyncio.wait_for(socket.recv(), 5)
    assert isinstance(text, str), "GraphQL over WebSocket speaks in text frames"
    return orjson.loads(text)


async def watched(socket: ClientConnection, query: str = WATCH) -> list[Any]:
    """Every message until the subscription ends."""
    payload = {"query": query, "variables": {"id": ID}}
    message = {"id": "1", "type": "subscribe", "payload": payload}
    await socket.send(orjson.dumps(message).decode())
    messages = [await heard(socket)]
    while messages[-1]["type"] == "next":
        messages.append(await heard(socket))
    return messages


async def test_an_operation_is_watched_to_its_end() -> None:
    world, _ = a_world(
        {GetOperation: Story(an_operation(1), an_operation(1), an_operation(2), ENDED)}
    )

    async with a_server(world) as url, a_socket(url) as socket:
        *results, end = await watched(socket)

    assert [r["payload"]["data"]["operation"]["done"] for r in results] == [1, 2, 3]
    assert results[-1]["payload"]["data"]["operation"]["finished"] is True
    assert "traceId" in results[0]["payload"]["extensions"]
    assert end["type"] == "complete"


async def test_an_owner_that_is_down_for_a_while_loses_nothing() -> None:
    story = Story(an_operation(1), Unavailable("down"), Unavailable("down"), ENDED)
    world, _ = a_world({GetOperation: story})

    async with a_server(world) as url, a_socket(url) as socket:
        *results, _ = await watched(socket)

    assert [r["payload"]["data"]["operation"]["done"] for r in results] == [1, 3]


async def test_a_revoked_session_ends_its_streams() -> None:
    world, fake = a_world({GetOperation: Story(an_operation(1))})

    def revoke(query: GetOperation) -> Operation:
        fake.answers[Authorize] = Rejected(SessionEnded())
        return an_operation(1)

    fake.answers[GetOperation] = revoke

    async with a_server(world) as url, a_socket(url) as socket:
        *results, _ = await watched(socket)

    assert results[-1]["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_what_is_refused_is_said_in_the_stream() -> None:
    world, _ = a_world({GetOperation: Rejected(OperationUnknown(operation_id=OPERATION))})

    async with a_server(world) as url, a_socket(url) as socket:
        messages = await watched(socket)

    assert '"REFUSED"' in orjson.dumps(messages).decode()


async def test_without_a_token_there_is_no_socket() -> None:
    world, fake = a_world({GetOperation: Story(ENDED)})

    async with a_server(world) as url:
        with pytest.raises(ConnectionClosed) as closed:
            async with a_socket(url, token=""):
                pass

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
    assert fake.asked == []


async def test_a_socket_is_kept_while_nobody_can_say_whose_it_is() -> None:
    world, fake = a_world({Authorize: Unavailable("identity")})

    async with a_server(world) as url, a_socket(url) as socket:
        messages = await watched(socket)

    assert '"UNAVAILABLE"' in orjson.dumps(messages).decode()
    assert fake.calls(GetOperation) == []


async def test_a_wrong_document_is_an_error_with_a_code() -> None:
    world, _ = a_world({})

    async with a_server(world) as url, a_socket(url) as socket:
        messages = await watched(socket, "subscription { nothing }")

    assert messages[-1]["type"] == "error"
    assert messages[-1]["payload"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize(
    "frame",
    [
        "nonsense",
        "[]",
        "3",
        "{}",
        '{"type": 5}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 5, "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{me}", "variables": 5}}',
        '{"type": "unheard of"}',
        '{"type": "ping", "payload": "' + "x" * 5000 + '"}',
    ],
)
async def test_a_malformed_message_closes_the_socket_as_the_protocol_says(frame: str) -> None:
    world, _ = a_world({})

    async with a_server(world, request_bytes_max=4000) as url, a_socket(url) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


async def test_the_legacy_protocol_is_not_spoken() -> None:
    world, _ = a_world({})

    async with (
        a_server(world) as url,
        connect(url, subprotocols=[Subprotocol("graphql-ws")]) as socket,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4406
