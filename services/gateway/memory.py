"""What the gateway remembers for a day, in Redis; all of it can be lost without harm.

What a keyed mutation filled in: ids that it minted, the head, what was live. A client that repeats
the call after a lost answer must send the same command; without this memory the repeat may be
refused with IdempotencyKeyReused, and nothing is done twice.

Who founds a workspace that identity does not know yet: they may watch its making. Without this
memory they are refused until it is made.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

FOUNDING_SECONDS = 900
"""Longer than the onboarding saga's deadline, with its undoing."""

GONE = (RedisError, OSError, TimeoutError)
Fields = dict[str, Any]  # contract field values that JSON can say, UUIDs as text


class Memory(Protocol):
    """Keeps the first value given for a command."""

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """The kept value, or the one that `make` makes now, from then on."""
        ...

    async def found(self, workspace_id: UUID, user_id: UUID) -> None:
        """Somebody begins a workspace."""
        ...

    async def founds(self, workspace_id: UUID, user_id: UUID) -> bool:
        """Whether it was them."""
        ...


class NoMemory:
    """Remembers nothing: for commands without a key, and for tests."""

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """Make it anew."""
        return await make()

    async def found(self, workspace_id: UUID, user_id: UUID) -> None:
        """Forgotten at once."""

    async def founds(self, workspace_id: UUID, user_id: UUID) -> bool:
        """Nobody knows."""
        return False


class RedisMemory:
    """Fulfils Memory. Without Redis it remembers nothing, and says so in the log."""

    def __init__(self, redis: Redis, keep_seconds: int, calls_max: int) -> None:
        self._redis, self._keep_seconds = redis, keep_seconds
        self._places = asyncio.Semaphore(calls_max)  # the pool refuses what is over its size

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """One round trip for a repeat, two for a first call."""
        key = f"gateway:filled:{command_id}"
        kept = await self._get(key)
        if kept is None:
            made = await make()
            if await self._set_first(key, orjson.dumps(made, default=str), self._keep_seconds):
                return made
            kept = await self._get(key) or orjson.dumps(made, default=str)
        return dict(orjson.loads(kept))

    async def found(self, workspace_id: UUID, user_id: UUID) -> None:
        """Kept for as long as a workspace takes to be made, or to be given up, whatever becomes
        of its members."""
        key = f"gateway:founder:{workspace_id}"
        await self._set_first(key, str(user_id).encode(), FOUNDING_SECONDS)

    async def founds(self, workspace_id: UUID, user_id: UUID) -> bool:
        """False when Redis is away."""
        return await self._get(f"gateway:founder:{workspace_id}") == str(user_id).encode()

    async def _get(self, key: str) -> bytes | None:
        try:
            async with self._places:
                kept = await self._redis.get(key)
        except GONE as error:
            log.warning("memory_unavailable", error=type(error).__name__)
            return None
        return kept.encode() if isinstance(kept, str) else kept

    async def _set_first(self, key: str, value: bytes, keep_seconds: int) -> bool:
        """Whether it is the first value of this key, as far as anybody knows."""
        try:
            async with self._places:
                return bool(await self._redis.set(key, value, ex=keep_seconds, nx=True))
        except GONE as error:
            log.warning("memory_unavailable", error=type(error).__name__)
            return True
