"""OutsideClient: a server that is not one of ours, such as a payment provider, over HTTP.

Around each call: bulkhead, breaker, timeout within the deadline. Nothing is repeated here: whoever
calls knows whether a repeat is safe. Call it outside of any transaction, from a worker.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from chassis.clock import Clock
from chassis.errors import Unanswered, Unavailable
from chassis.observability.metrics import CALL_SECONDS, CALLS
from chassis.observability.tracing import client_span
from chassis.resilience.breaker import AsyncBreaker, BreakerLimits
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.deadline import within
from chassis.resources import Resources
from chassis.settings import ServiceSettings
from chassis.transport import AiohttpTransport, Transport

Json = dict[str, Any]  # a JSON object
_SERVER_ERROR = 500


class OutsideClient:
    """Calls one server. Close it at the end."""

    def __init__(
        self,
        name: str,
        base_url: str,
        settings: ServiceSettings,
        clock: Clock,
        *,
        transport: Transport | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._timeout_s = settings.client_timeout_ms / 1000
        self._transport = transport or AiohttpTransport(name, base_url, settings)
        self._breaker = AsyncBreaker(name, clock, BreakerLimits(slow_s=self._timeout_s * 0.8))
        self._bulkhead = Bulkhead(
            name,
            clock,
            calls_max=settings.client_calls_max,
            queue_max=settings.client_queue_max,
            wait_s=settings.client_queue_wait_ms / 1000,
        )

    @classmethod
    def of(cls, resources: Resources, name: str) -> "OutsideClient":
        """At `<NAME>_URL`. Raises SettingsInvalid when that is not set."""
        settings: ServiceSettings = resources.settings
        return cls(name, settings.url_of(name), settings, resources.clock)

    async def post(
        self, path: str, body: Json, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Json]:
        """Status and JSON of an answer below 500. Raises Unavailable when nothing was sent or the
        server says that it cannot, Unanswered when it is not known what happened."""
        content = orjson.dumps(body)
        sent = {"content-type": "application/json", **(headers or {})}
        began, outcome = self._clock.monotonic(), "failed"
        with client_span(f"{self.name} {path}", **{"peer.service": self.name}):
            async with self._bulkhead.place():
                try:
                    with self._breaker.calling():
                        status, answer = await self._attempt(path, content, sent)
                    outcome = str(status)
                finally:
                    CALLS.labels(self.name, outcome).inc()
                    CALL_SECONDS.labels(self.name).observe(self._clock.monotonic() - began)
        return status, answer

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _attempt(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Json]:
        seconds = within(self._timeout_s, self._clock)
        try:
            async with asyncio.timeout(seconds):
                response = await self._transport.post(path, body, headers)
        except TimeoutError as error:
            raise Unanswered(f"{self.name}: no answer in {seconds:.3g} s") from error
        if response.status >= _SERVER_ERROR:
            raise Unavailable(f"{self.name}: status {response.status}")
        try:
            answer = orjson.loads(response.body)
        except ValueError:
            raise Unavailable(f"{self.name}: status {response.status}, no JSON") from None
        if not isinstance(answer, dict):
            raise Unavailable(f"{self.name}: status {response.status}, no JSON object")
        return response.status, answer
