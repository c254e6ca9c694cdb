"""The fault door: `POST`, `GET` and `DELETE /faults`, on a service that runs with FAULTS=staging.

Elsewhere the routes do not exist. A caller needs a signed context with the permission `operator`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import structlog
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chassis.clock import Clock
from chassis.context import Context, read_context
from chassis.doors.answers import JSON, Unidentified, failed
from chassis.doors.http import invalid
from chassis.errors import FieldError, InvalidMessage, NotAllowed, Unavailable
from chassis.faults import FAULTS, POINTS, Armed, Rule
from chassis.observability.tracing import trace_id
from chassis.service import CannotStart
from chassis.settings import ServiceSettings

log = structlog.get_logger()

OPERATOR = "operator"
_BODY_BYTES_MAX = 16_384
_BODY_S = 5.0
_KNOWN_FATES = (InvalidMessage, NotAllowed, Unavailable)

Answering = Callable[[Request, Context], Awaitable[Response]]


def fault_routers(settings: ServiceSettings, clock: Clock, service: str) -> list[APIRouter]:
    """The routes, or none where faults are off. Raises CannotStart in production."""
    if settings.faults == "off":
        return []
    if settings.environment == "production":
        raise CannotStart("FAULTS=staging in an environment named production: unset one of them")
    FAULTS.open(clock, service, settings.faults_log)
    door = FaultDoor(settings.context_key.get_secret_value().encode(), clock)
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/faults", door.guarded(arm), methods=["POST"])
    router.add_api_route("/faults", door.guarded(show), methods=["GET"])
    router.add_api_route("/faults", door.guarded(stop), methods=["DELETE"])
    return [router]


class FaultDoor:
    """Lets operators in, and gives every outcome the shape that the other doors give it."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def guarded(self, answer: Answering) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a route."""

        async def handle(request: Request) -> Response:
            try:
                return await answer(request, self._operator(request))
            except _KNOWN_FATES as error:
                return failed(error, trace_id())[1]

        return handle

    def _operator(self, request: Request) -> Context:
        text = request.headers.get("basalt-context")
        if not text:
            raise Unidentified("basalt-context is missing")
        context = read_context(text, self._key, self._clock.now())
        if context.permission != OPERATOR:
            raise NotAllowed(f"faults need the permission {OPERATOR}")
        return context


async def arm(request: Request, context: Context) -> Response:
    """Put the rule in the body in force."""
    try:
        rule = Rule.model_validate_json(await _body(request))
    except ValidationError as error:
        raise invalid(error) from None
    armed = FAULTS.arm(rule)
    log.warning("fault_rule_given", rule_id=str(rule.rule_id), actor_id=str(context.actor_id))
    return _answer(_shown(armed))


async def show(_request: Request, _context: Context) -> Response:
    """What is in force, and what could be."""
    points = {point: sorted(actions) for point, actions in POINTS.items()}
    return _answer({"rules": [_shown(armed) for armed in FAULTS.rules()], "points": points})


async def stop(_request: Request, context: Context) -> Response:
    """Stop everything at once."""
    count = FAULTS.stop_all()
    log.warning("faults_stopped", rules=count, actor_id=str(context.actor_id))
    return _answer({"stopped": count})


def _shown(armed: Armed) -> dict[str, object]:
    left = FAULTS.seconds_left(armed)
    return {**armed.rule.model_dump(mode="json"), "fired": armed.fired, "expires_in_s": left}


def _answer(content: object) -> Response:
    return Response(orjson.dumps(content), media_type=JSON)


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > _BODY_BYTES_MAX:
                    fault = FieldError("", "body_too_large", f"over {_BODY_BYTES_MAX} bytes")
                    raise InvalidMessage([fault])
    except (ClientDisconnect, TimeoutError):
        raise InvalidMessage([FieldError("", "incomplete", "the body broke off")]) from None
    return body
