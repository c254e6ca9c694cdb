"""How REST says what went wrong: the codes of the GraphQL side, each with its status."""

from collections.abc import Callable
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from chassis.clock import Clock
from chassis.errors import Unanswered
from chassis.observability.tracing import server_span, trace_id
from chassis.resilience.deadline import enforced, now_ms
from services.gateway import errors
from services.gateway.errors import Fault, Shown, bad_input, shown

log = structlog.get_logger()

STATUS = {
    errors.UNAUTHENTICATED: 401,
    errors.FORBIDDEN: 403,
    errors.BAD_INPUT: 400,
    errors.REFUSED: 422,
    errors.CONFLICT: 409,
    errors.UNAVAILABLE: 503,
    errors.DEGRADED: 503,
    errors.INTERNAL: 500,
}


def failed(error: Exception) -> Response:
    """`{"error": {"message", "code", ...}}` with the status that belongs to the code."""
    if isinstance(error, RequestValidationError):
        seen = bad_input(*(Fault(_place(item["loc"]), item["msg"]) for item in error.errors()))
    elif isinstance(error, ClientDisconnect):
        seen = bad_input(Fault("body", "broke off"))
    else:
        seen = shown(error, trace_id())
    if seen.code == errors.INTERNAL:
        log.error("rest_bug", exc_info=error)
    return answered(seen, 504 if isinstance(error, Unanswered) else STATUS[seen.code])


def answered(seen: Shown, status: int) -> Response:
    """An error as its JSON body."""
    body = {"error": {"message": seen.message, **seen.extensions, "traceId": trace_id()}}
    headers = {"retry-after": "1"} if status == 503 else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers=headers)


def route_class(clock: Clock, deadline_ms: int) -> type[APIRoute]:
    """Routes whose every outcome is a typed answer, in time, inside a span."""

    class RestRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:  # as FastAPI has it
            answer = super().get_route_handler()

            async def handle(request: Request) -> Response:
                with server_span(self.name, request.headers.get("traceparent", "")):
                    try:
                        async with enforced(now_ms(clock) + deadline_ms, clock, "rest"):
                            found: Response = await answer(request)
                            return found
                    except Exception as error:
                        return failed(error)

            return handle

    return RestRoute


def _place(loc: Any) -> str:
    return ".".join(str(part) for part in loc if part not in ("query", "path", "body", "header"))
