"""What a keyed mutation filled in the first time, so that its repeat is the same command.

A client that repeats `publishApp` after a lost answer finds another head, or its own release live.
The command has to be the first one all the same: what the gateway added to it is kept for a day.
Only Redis has it: when that is gone, a repeat may be refused with IdempotencyKeyReused, and
nothing is done twice.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

Fields = dict[str, Any]  # contract field values that JSON can say, UUIDs as text


class Memory(Protocol):
    """Keeps the first value given for a command."""

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """The kept value, or the one that `make` makes now, from then on."""
        ...


class NoMemory:
    """Remembers nothing: for commands without a key, and for tests."""

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """Make it anew."""
        return await make()


class RedisMemory:
    """Fulfils Memory. Without Redis it remembers nothing, and says so in the log."""

    def __init__(self, redis: Redis, keep_seconds: int) -> None:
        self._redis, self._keep_seconds = redis, keep_seconds

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Fields]]) -> Fields:
        """One round trip for a repeat, two for a first call."""
        key = f"gateway:filled:{command_id}"
        try:
            kept = await self._redis.get(key)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("memory_unavailable", error=type(error).__name__)
            return await make()
        if kept is not None:
            return dict(orjson.loads(kept))
        made = await make()
        try:
            won = await self._redis.set(key, orjson.dumps(made), ex=self._keep_seconds, nx=True)
            kept = None if won else await self._redis.get(key)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("memory_unavailable", error=type(error).__name__)
            return made
        return dict(orjson.loads(kept)) if kept else made
