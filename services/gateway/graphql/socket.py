"""GraphQL over WebSocket: the graphql-transport-ws protocol and no other."""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import timedelta
from typing import Any, cast

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry import Schema
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.unset import UnsetType

from chassis.errors import Unavailable
from chassis.observability.tracing import server_span
from services.gateway.errors import BadInput, Unauthenticated
from services.gateway.graphql.view import check_request
from services.gateway.scope import Scope, bearer
from services.gateway.settings import Settings

log = structlog.get_logger()

CLOSE_BAD_MESSAGE = 4400
CLOSE_TRY_LATER = 1013


class TextFrames(ASGIWebSocketAdapter):
    """JSON as text frames, in and out. orjson makes bytes, which would go out as binary frames."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[Any, None]:
        """Messages until the socket closes."""
        try:
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                message = await self.ws.receive_text()
                if len(message) > cast("SocketDoor", self.view).message_length_max:
                    await self.close(CLOSE_BAD_MESSAGE, "the message is too long")
                    return
                try:
                    yield orjson.loads(message)
                except orjson.JSONDecodeError as error:
                    raise NonJsonMessageReceived from error
        except (WebSocketDisconnect, KeyError):
            return

    async def send_json(self, message: Mapping[str, object]) -> None:
        """One message."""
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except (WebSocketDisconnect, RuntimeError) as error:
            raise WebSocketDisconnected from error


class Protocol(BaseGraphQLTransportWSHandler[Scope, None]):
    """Strawberry's protocol, with messages checked first and a span for each operation."""

    async def handle_message(self, message: Any) -> None:  # whatever JSON the client sent
        """A malformed message closes the socket, as the protocol demands."""
        fault = malformed(message)
        if fault:
            await self.websocket.close(CLOSE_BAD_MESSAGE, fault[:120])
            return
        await super().handle_message(message)

    async def run_operation(self, operation: Operation[Scope, None]) -> None:
        """Each operation of a socket has a trace of its own."""
        name = f"graphql {operation.operation_name or 'operation'}"
        with server_span(name):
            await super().run_operation(operation)


class SocketDoor(GraphQL[Scope, None]):
    """Accepts sockets; origins other than the allowed ones are refused before anything else."""

    websocket_adapter_class = TextFrames
    graphql_transport_ws_handler_class = Protocol

    def __init__(
        self, schema: Schema, new_scope: Callable[[str], Scope], settings: Settings
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=settings.socket_init_seconds),
            max_subscriptions_per_connection=settings.subscriptions_per_socket_max,
            allowed_origins=settings.cors_origins,
        )
        self._new_scope = new_scope
        self.message_length_max = settings.request_bytes_max
        self._sockets, self._sockets_max = 0, settings.sockets_max

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes; one too many is refused before it is accepted."""
        if self._sockets >= self._sockets_max:
            await WebSocket(scope, receive, send).close(CLOSE_TRY_LATER)
            return
        self._sockets += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._sockets -= 1

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Scope:
        """A socket's scope: the token of the handshake, until connection_init gives another."""
        return self._new_scope(bearer(request.headers.get("authorization", "")))

    async def on_ws_connect(self, context: Scope) -> UnsetType | dict[str, object] | None:
        """Take the token from `connectionParams`, under either spelling. A socket holds a place of
        few for as long as it likes: nobody without a session gets one (close code 4403)."""
        params = context.connection_params or {}
        given = params.get("authorization", params.get("Authorization"))
        if isinstance(given, str):
            context.token = bearer(given)
        try:
            await context.caller()
        except Unauthenticated:
            raise ConnectionRejectionError from None
        except (Unavailable, TimeoutError):
            log.warning("socket_without_check")  # identity is away: each operation asks again
        return None


def malformed(message: object) -> str:
    """What is wrong with a message of the protocol; "" = nothing."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "a message must be an object with a type"
    if message["type"] not in ("subscribe", "complete"):
        return ""
    if not isinstance(message.get("id"), str):
        return "id must be a text"
    if message["type"] == "subscribe":
        try:
            check_request(cast("Any", message.get("payload")))
        except BadInput as error:
            return str(error)
    return ""
