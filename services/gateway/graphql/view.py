"""The GraphQL endpoint over HTTP: POST with JSON. Wrong input is a typed error, never a 500."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from strawberry import Schema
from strawberry.http.ides import get_graphql_ide_html
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from chassis.clock import Clock
from chassis.errors import Unanswered, Unavailable
from chassis.observability.metrics import REQUESTS_IN_FLIGHT, observe
from chassis.observability.tracing import server_span, trace_id
from chassis.resilience.deadline import enforced, now_ms
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.masking import mask_all
from services.gateway.scope import Scope, bearer
from services.gateway.settings import Settings

OVER_HTTP = {OperationType.QUERY, OperationType.MUTATION}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for."""

    query: str
    variables: dict[str, Any] | None  # JSON
    operation_name: str | None


class HttpDoor:
    """Answers one HTTP request with one GraphQL result."""

    def __init__(
        self,
        schema: Schema,
        new_scope: Callable[[str], Scope],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._schema, self._new_scope, self._settings = schema, new_scope, settings
        self._clock = clock
        self._in_flight = 0
        self._page = get_graphql_ide_html(graphql_ide="graphiql")

    async def __call__(self, request: Request) -> Response:
        """POST answers; GET shows GraphiQL in development."""
        if request.method == "GET" and self._settings.development:
            return HTMLResponse(self._page)
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "POST"})
        began = self._clock.monotonic()
        REQUESTS_IN_FLIGHT.inc()
        self._in_flight += 1
        try:
            with server_span("graphql", request.headers.get("traceparent", "")):
                outcome, response = await self._answer(request)
        finally:
            self._in_flight -= 1
            REQUESTS_IN_FLIGHT.dec()
        observe("graphql", outcome, self._clock.monotonic() - began)
        return response

    async def _answer(self, request: Request) -> tuple[str, Response]:
        try:
            if self._in_flight > self._settings.http_requests_max:
                raise Unavailable("too many requests in flight", retry_after=1.0)
            asked = read_request(await self._body(request))
        except BadInput as error:
            return "invalid", self._response(_failed(error), 400)
        except Unavailable as error:
            return "unavailable", self._response(_failed(error), 503)
        scope = self._new_scope(bearer(request.headers.get("authorization", "")))
        result = await self._execute(asked, scope)
        return "errors" if result.errors else "ok", self._response(result, 200)

    async def _execute(self, asked: Asked, scope: Scope) -> ExecutionResult:
        clock = self._clock
        deadline_ms = now_ms(clock) + self._settings.operation_ms_max
        try:
            async with enforced(deadline_ms, clock, "graphql"):
                result = await self._schema.execute(
                    asked.query,
                    variable_values=asked.variables,
                    context_value=scope,
                    operation_name=asked.operation_name,
                    allowed_operation_types=OVER_HTTP,
                )
        except Unanswered as error:
            return _failed(error)
        except InvalidOperationTypeError:
            rule = "a subscription needs a WebSocket (graphql-transport-ws)"
            return _failed(BadInput(Fault("query", rule)))
        except CannotGetOperationTypeError:
            rule = "names no operation of this document"
            return _failed(BadInput(Fault("operationName", rule)))
        return result

    def _response(self, result: ExecutionResult, status: int) -> Response:
        body: dict[str, Any] = {"data": result.data}  # JSON
        if result.errors:
            masked = mask_all(result.errors, trace_id()) or []
            body["errors"] = [error.formatted for error in masked]
        body["extensions"] = {"traceId": trace_id(), **(result.extensions or {})}
        return Response(orjson.dumps(body), status, media_type="application/json")

    async def _body(self, request: Request) -> bytes:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise BadInput(Fault("content-type", "must be application/json"))
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.request_body_ms_max / 1000):
                async for piece in request.stream():
                    body += piece
                    if len(body) > self._settings.request_bytes_max:
                        rule = f"is over {self._settings.request_bytes_max} bytes"
                        raise BadInput(Fault("body", rule))
        except ClientDisconnect:
            raise BadInput(Fault("body", "broke off")) from None
        except TimeoutError:
            rule = f"did not arrive within {self._settings.request_body_ms_max} ms"
            raise BadInput(Fault("body", rule)) from None
        return bytes(body)


def read_request(body: bytes | str) -> Asked:
    """A JSON body as GraphQL over HTTP defines it. BadInput when it is not."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput(Fault("body", "is not JSON")) from None
    return check_request(data)


def check_request(data: Any) -> Asked:  # whatever JSON the client sent
    """`{query, variables?, operationName?}` of the right types. BadInput otherwise."""
    if not isinstance(data, dict):
        raise BadInput(Fault("body", "must be a JSON object with a query"))
    query, variables = data.get("query"), data.get("variables")
    operation_name = data.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadInput(Fault("query", "must be a GraphQL document"))
    if variables is not None and not isinstance(variables, dict):
        raise BadInput(Fault("variables", "must be an object"))
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadInput(Fault("operationName", "must be a text"))
    return Asked(query, variables, operation_name or None)


def _failed(error: Exception) -> ExecutionResult:
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
