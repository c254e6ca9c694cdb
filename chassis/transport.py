"""Transport: HTTP POST to one service, over connections that are kept.

aiohttp, because httpx costs five times its CPU time per call (0.9 ms to 0.18 ms), and the gateway
makes several calls per request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from yarl import URL

from chassis.errors import Unanswered, Unavailable
from chassis.settings import ServiceSettings

KEEP_ALIVE_S = 30.0
"""Shorter than the server's: a connection is dropped by us, not under us."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back. `retry_after` is the header's text, or ""."""

    status: int
    body: bytes
    retry_after: str = ""


class Transport(Protocol):
    """A way to one service."""

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Raises Unavailable when nothing was sent, Unanswered when that is not known. The caller
        bounds its time."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class AiohttpTransport:
    """A pool of at most `client_calls_max` connections."""

    def __init__(self, name: str, base_url: str, settings: ServiceSettings) -> None:
        self._name, self._base = name, base_url
        self._urls: dict[str, URL] = {}
        seconds = settings.client_timeout_ms / 1000
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.client_calls_max, keepalive_timeout=KEEP_ALIVE_S
            ),
            timeout=aiohttp.ClientTimeout(total=seconds, connect=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        url = self._urls.get(path)
        if url is None:  # one for each contract
            url = self._urls[path] = URL(self._base + path)
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                content = await response.read()
                return RawAnswer(response.status, content, response.headers.get("retry-after", ""))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unavailable(f"{self._name}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:  # it broke off: in doubt
            raise Unanswered(f"{self._name}: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._session.close()
