"""The HTTP door: `POST /commands/{Contract}` and `POST /queries/{Contract}`, fields as JSON.

Headers: `basalt-context` (signed by the gateway), `basalt-command-id`, `basalt-deadline-ms`,
`traceparent`. The gateway has checked the permission; the door checks that it is the contract's
own and that the message speaks of the context's workspace.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chassis.clock import Clock
from chassis.context import Context, called_by, read_context
from chassis.doors.answers import NoSuchContract, Unidentified, answered, failed
from chassis.errors import FieldError, InvalidMessage, NotAllowed, Unavailable
from chassis.observability.logs import bound
from chassis.observability.metrics import REQUESTS_IN_FLIGHT, observe
from chassis.observability.tracing import server_span, trace_id
from chassis.resilience.deadline import enforced, now_ms
from chassis.settings import ServiceSettings
from contracts.base import Command, Message, Query

log = structlog.get_logger()

_IDS = "basalt.ids"  # in the request's scope: who and what it is about, once that is known


class Execute(Protocol):
    """How a command is carried out (`CommandChunk.execute`)."""

    async def __call__(
        self,
        command: Command[Message],
        context: Context,
        command_id: UUID,
        *,
        traceparent: str = "",
        deadline_ms: int | None = None,
    ) -> Message: ...


Answer = Callable[[Query[Message], Context], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A command or query that the door takes, by the contract's name."""

    contract: type[Message]
    run: Execute | Answer


class HttpDoor:
    """Reads, checks, runs, answers. Safe for any input: a caller's fault is never a 500."""

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Clock,
        commands: Mapping[str, Taken],
        queries: Mapping[str, Taken],
    ) -> None:
        self._settings = settings
        self._key = settings.context_key.get_secret_value().encode()
        self._clock = clock
        self._commands, self._queries = commands, queries
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return self._in_flight

    async def command(self, request: Request) -> Response:
        """The endpoint of `POST /commands/{name}`."""
        return await self._answer(request, self._commands, self._run_command)

    async def query(self, request: Request) -> Response:
        """The endpoint of `POST /queries/{name}`."""
        return await self._answer(request, self._queries, self._run_query)

    async def _answer(
        self,
        request: Request,
        taken: Mapping[str, Taken],
        run: Callable[[Request, Taken], Awaitable[Message]],
    ) -> Response:
        name = request.path_params["name"]
        found = taken.get(name)
        operation = name if found else "unknown"
        began = self._clock.monotonic()
        self._in_flight += 1
        REQUESTS_IN_FLIGHT.inc()
        try:
            with server_span(operation, request.headers.get("traceparent", "")) as span:
                outcome, response = await self._outcome(request, name, found, run)
                seconds = self._clock.monotonic() - began
                ids = request.scope.get(_IDS, {})
                span.set_attributes({f"basalt.{key}": text for key, text in ids.items()})
                span.set_attribute("basalt.outcome", outcome)
                say = log.info if taken is self._commands else log.debug
                say("answered", operation=name, outcome=outcome, ms=round(seconds * 1e3, 1), **ids)
        finally:
            self._in_flight -= 1
            REQUESTS_IN_FLIGHT.dec()
        observe(operation, outcome, seconds)
        return response

    async def _outcome(
        self,
        request: Request,
        name: str,
        found: Taken | None,
        run: Callable[[Request, Taken], Awaitable[Message]],
    ) -> tuple[str, Response]:
        try:
            if found is None:
                raise NoSuchContract(f"{name} is not taken here")
            if self._in_flight > self._settings.http_requests_max:
                raise Unavailable("too many requests in flight")
            deadline_ms = self._deadline(request)
            async with enforced(deadline_ms, self._clock, "door"):
                return "ok", answered(await run(request, found))
        except Exception as error:
            outcome, response = failed(error, trace_id())
            if outcome == "internal":
                log.exception("request_failed", operation=name)
            elif outcome in ("unavailable", "deadline"):
                log.warning("request_not_answered", operation=name, reason=str(error))
            return outcome, response

    async def _run_command(self, request: Request, taken: Taken) -> Message:
        context = self._context(request, taken.contract)
        command_id = _uuid_header(request, "basalt-command-id")
        command = await self._message(request, taken.contract, context)
        with _noted(request, context, command_id), called_by(context):
            execute: Execute = taken.run  # type: ignore[assignment]  # commands have an Execute
            return await execute(
                command,  # type: ignore[arg-type]  # the contract is a Command
                context,
                command_id,
                deadline_ms=self._deadline(request),
            )

    async def _run_query(self, request: Request, taken: Taken) -> Message:
        context = self._context(request, taken.contract)
        query = await self._message(request, taken.contract, context)
        with _noted(request, context, None):
            answer: Answer = taken.run  # type: ignore[assignment]  # queries have an Answer
            return await answer(query, context)  # type: ignore[arg-type]  # it is a Query

    def _context(self, request: Request, contract: type[Message]) -> Context:
        text = request.headers.get("basalt-context")
        if not text:
            raise Unidentified("basalt-context is missing")
        context = read_context(text, self._key, self._clock.now())
        if context.permission != contract.permission:
            raise NotAllowed(f"{contract.__name__} needs {contract.permission}")
        return context

    async def _message(
        self, request: Request, contract: type[Message], context: Context
    ) -> Message:
        body = await self._body(request)
        try:
            message = contract.model_validate_json(body or b"{}")
        except ValidationError as error:
            raise invalid(error) from None
        if "workspace_id" in contract.model_fields:
            workspace_id = getattr(message, "workspace_id", None)
            if workspace_id != context.workspace_id:
                raise NotAllowed("the message is about another workspace than the context")
        return message

    async def _body(self, request: Request) -> bytes:
        """Refuses early by the header, and late when the header lied."""
        limit = self._settings.http_body_bytes_max
        size = request.headers.get("content-length", "0")
        too_large = InvalidMessage([FieldError("", "body_too_large", f"over {limit} bytes")])
        if not size.isdigit() or int(size) > limit:
            raise too_large
        parts: list[bytes] = []
        total = 0
        try:
            async for part in request.stream():
                total += len(part)
                if total > limit:
                    raise too_large
                parts.append(part)
        except ClientDisconnect:
            raise InvalidMessage([FieldError("", "incomplete", "the body broke off")]) from None
        return b"".join(parts)

    def _deadline(self, request: Request) -> int:
        now = now_ms(self._clock)
        text = request.headers.get("basalt-deadline-ms", "")
        if not text:
            return now + self._settings.deadline_default_ms
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise InvalidMessage(
                [FieldError("basalt-deadline-ms", "int_type", "unix milliseconds")]
            )
        return min(int(text), now + self._settings.deadline_max_ms)


def invalid(error: ValidationError) -> InvalidMessage:
    """pydantic's faults without the values: an input may be a password."""
    return InvalidMessage(
        [
            FieldError(".".join(str(part) for part in fault["loc"]), fault["type"], fault["msg"])
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    )


def _uuid_header(request: Request, name: str) -> UUID:
    try:
        return UUID(request.headers.get(name, ""))
    except ValueError:
        raise InvalidMessage([FieldError(name, "uuid_type", "a UUID is needed")]) from None


def _noted(
    request: Request, context: Context, command_id: UUID | None
) -> AbstractContextManager[None]:
    """Log lines inside carry the ids; the request keeps them for its own line and span."""
    ids = {
        "workspace_id": context.workspace_id,
        "command_id": command_id,
        "actor_id": context.actor_id,
    }
    request.scope[_IDS] = {name: str(value) for name, value in ids.items() if value is not None}
    return bound(**ids)
