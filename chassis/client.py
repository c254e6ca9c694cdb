"""ServiceClient: another service's HTTP door, as two methods.

Around each call, outermost first: deadline, bulkhead, retry with a budget, breaker, attempt
timeout. Queries are safe to repeat and commands are idempotent by their id, so both are retried
when the answer did not come; only this layer retries.
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError, create_model

from chassis.clock import Clock
from chassis.context import Context, sign
from chassis.errors import (
    Conflict,
    FieldError,
    IdempotencyKeyReused,
    InvalidMessage,
    NotAllowed,
    Rejected,
    Unanswered,
    Unavailable,
)
from chassis.observability.metrics import CALL_SECONDS, CALLS
from chassis.observability.tracing import client_span, inject
from chassis.resilience.breaker import AsyncBreaker, BreakerLimits
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.deadline import current_deadline_ms, now_ms, within
from chassis.resilience.retry import Retry, RetryBudget
from chassis.settings import ServiceSettings
from chassis.transport import AiohttpTransport, RawAnswer, Transport
from chassis.wiring import Wiring
from contracts.base import REGISTRY, Command, Message, Query, Rejection, answer_of

A = TypeVar("A", bound=Message)


class BadAnswer(Exception):
    """The service answered something that its contracts do not know: a bug, not an outage."""


class ServiceClient:
    """Calls one service. Made by `Service(clients=(...))`; found in `resources.clients`."""

    def __init__(
        self,
        name: str,
        base_url: str,
        settings: ServiceSettings,
        clock: Clock,
        *,
        transport: Transport | None = None,
        breaker: AsyncBreaker | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._key = settings.context_key.get_secret_value().encode()
        self._timeout_s = settings.client_timeout_ms / 1000
        self._default_ms = settings.deadline_default_ms
        self._transport = transport or AiohttpTransport(name, base_url, settings)
        self.breaker = breaker or AsyncBreaker(
            name, clock, BreakerLimits(slow_s=self._timeout_s * 0.8)
        )
        self._bulkhead = Bulkhead(
            name,
            clock,
            calls_max=settings.client_calls_max,
            queue_max=settings.client_queue_max,
            wait_s=settings.client_queue_wait_ms / 1000,
        )
        budget = RetryBudget(ratio=settings.client_retry_ratio)
        self._retry = Retry(name, clock, budget, attempts_max=settings.client_attempts_max)

    async def ask(self, query: Query[A], context: Context) -> A:
        """The answer to a query. Raises Rejected, InvalidMessage, NotAllowed, Unavailable."""
        return cast(A, await self._call("queries", query, context, None))

    async def send(self, command: Command[A], context: Context, *, command_id: UUID) -> A:
        """Have a command carried out: the same id has the same answer and one effect. Raises
        Conflict too, and IdempotencyKeyReused when the id came with another input before."""
        return cast(A, await self._call("commands", command, context, command_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _call(
        self, folder: str, message: Message, context: Context, command_id: UUID | None
    ) -> Message:
        contract = type(message)
        path = f"/{folder}/{contract.__name__}"
        body = message.__pydantic_serializer__.to_json(message)
        headers = {
            "content-type": "application/json",
            "basalt-context": sign(context, self._key),
            "basalt-deadline-ms": str(
                current_deadline_ms() or now_ms(self._clock) + self._default_ms
            ),
        }
        if command_id is not None:
            headers["basalt-command-id"] = str(command_id)

        async def attempt() -> Message:
            with self.breaker.calling():
                return await self._attempt(path, body, headers, contract)

        with client_span(f"{self.name} {contract.__name__}", **{"peer.service": self.name}):
            async with self._bulkhead.place():
                return await self._retry(attempt)

    async def _attempt(
        self, path: str, body: bytes, headers: Mapping[str, str], contract: type[Message]
    ) -> Message:
        began = self._clock.monotonic()
        outcome = "failed"
        try:
            response = await self._post(path, body, {**headers, "traceparent": inject()})
            outcome = str(response.status)
            return self._read(response, contract)
        finally:
            CALLS.labels(self.name, outcome).inc()
            CALL_SECONDS.labels(self.name).observe(self._clock.monotonic() - began)

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        seconds = within(self._timeout_s, self._clock)
        try:
            async with asyncio.timeout(seconds):
                return await self._transport.post(path, body, headers)
        except TimeoutError as error:
            raise Unanswered(f"{self.name}: no answer in {seconds:.3g} s") from error

    def _read(self, response: RawAnswer, contract: type[Message]) -> Message:
        if response.status == 200:
            return _framed(self.name, answer_of(contract), response.body)
        try:
            document = orjson.loads(response.body)
            kind = document["type"]
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"{self.name}: status {response.status}, not ours") from None
        raise self._failure(response, document, kind)

    def _failure(self, response: RawAnswer, document: Any, kind: str) -> Exception:
        match response.status, kind:
            case 422, _:
                rejection = REGISTRY.get(kind)
                if rejection is None or not issubclass(rejection, Rejection):
                    return BadAnswer(f"{self.name}: {kind} is no rejection that is known here")
                return Rejected(_framed(self.name, rejection, response.body))
            case 400, _:
                return InvalidMessage(
                    [FieldError(e["field"], e["rule"], e["message"]) for e in document["errors"]]
                )
            case ((401 | 403), _):
                return NotAllowed(document.get("message", ""))
            case 409, "idempotency_key_reused":
                return IdempotencyKeyReused(self.name)
            case 409, _:
                return Conflict(self.name)
            case 503, _:
                return Unavailable(f"{self.name}: unavailable", retry_after=_seconds(response))
            case 504, _:
                return Unanswered(f"{self.name}: its deadline passed")
            case _:
                trace_id = document.get("trace_id", "")
                return BadAnswer(f"{self.name}: {response.status} {kind} {trace_id}".strip())


async def open_clients(wiring: Wiring, names: Iterable[str]) -> dict[str, ServiceClient]:
    """A client for each service that is named. Raises SettingsInvalid when a URL is missing."""
    settings: ServiceSettings = wiring.settings
    clients: dict[str, ServiceClient] = {}
    for name in names:
        client = ServiceClient(name, settings.url_of(name), settings, wiring.resources.clock)
        clients[name] = client
        wiring.close(client.close)
    return clients


@cache
def _frame(contract: type[Message]) -> type[BaseModel]:
    """`{"type": ..., "data": ...}` around one contract, to be read in one pass."""
    return create_model("Frame", type=(str, ...), data=(contract, ...))


def _framed(service: str, contract: type[A], content: bytes) -> A:
    try:
        frame: Any = _frame(contract).model_validate_json(content)  # a model made at run time
    except ValidationError:
        raise BadAnswer(f"{service}: the answer does not match {contract.__name__}") from None
    if frame.type != contract.address.type:
        raise BadAnswer(f"{service}: {frame.type} is no {contract.__name__}")
    return cast(A, frame.data)


def _seconds(response: RawAnswer) -> float | None:
    return float(response.retry_after) if response.retry_after.isdigit() else None
