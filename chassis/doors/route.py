"""How every request for a file ends: in time, counted, and never as an unexplained error."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from chassis.doors.answers import failed
from chassis.observability.metrics import observe
from chassis.observability.tracing import server_span, trace_id
from chassis.resilience.deadline import enforced, now_ms
from chassis.resources import Resources

log = structlog.get_logger()

Answer = Callable[[Request], Awaitable[Response]]

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}
"""Bodies are other people's content: never sniffed, never run as a page of ours."""


def absent() -> Response:
    """What a caller may not have does not exist for them."""
    return Response(status_code=404, headers={**SAFE_HEADERS, "Cache-Control": "no-store"})


def route_class(resources: Resources) -> type[APIRoute]:
    """Routes with the same fates, span, metrics and deadline as the service's own door."""

    class FileRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:  # as FastAPI has it
            answer = super().get_route_handler()

            async def handle(request: Request) -> Response:
                began = resources.clock.monotonic()
                with server_span(self.name, request.headers.get("traceparent", "")):
                    outcome, response = await _outcome(self.name, request, answer, resources)
                observe(self.name, outcome, resources.clock.monotonic() - began)
                return response

            return handle

    return FileRoute


async def _outcome(
    name: str, request: Request, answer: Answer, resources: Resources
) -> tuple[str, Response]:
    deadline_ms = now_ms(resources.clock) + resources.settings.deadline_default_ms
    try:
        async with enforced(deadline_ms, resources.clock, "door"):
            return "ok", await answer(request)
    except RequestValidationError:
        return "ok", absent()  # an address that no file can have
    except Exception as error:
        outcome, response = failed(error, trace_id())
        if outcome == "internal":
            log.exception("request_failed", operation=name)
        return outcome, response
