"""Time, ids and chance: the only place that reads the machine's clock and its dice.

Everything else takes a `Clock`, so that a test decides what time it is.
"""

import asyncio
import hashlib
import os
import random
import time
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """What time it is, and how to let it pass."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; for measuring and for deadlines within a process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass. Interrupted by cancellation only."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Ids:
    """UUIDv7 with a counter below the millisecond: ids of one process sort by birth."""

    def __init__(self) -> None:
        self._ms = 0
        self._count = 0

    def next(self) -> UUID:
        ms = time.time_ns() // 1_000_000
        if ms > self._ms:
            self._ms, self._count = ms, int.from_bytes(os.urandom(1)) << 2
        else:
            self._count += 1
            if self._count > 0xFFF:  # more than 4096 in one millisecond: borrow from the next
                self._ms, self._count = self._ms + 1, 0
        chance = int.from_bytes(os.urandom(8)) >> 2
        return _shaped(self._ms, self._count, chance)


def _shaped(ms: int, upper: int, lower: int) -> UUID:
    """Version 7, variant 10: 48 bits of time, 12 and 62 bits of content."""
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (upper & 0xFFF) << 64
    return UUID(int=value | 0b10 << 62 | (lower & 0x3FFF_FFFF_FFFF_FFFF))


_ids = _Ids()


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return _ids.next()


def derived_id(born_at: datetime, *parts: object) -> UUID:
    """The same UUIDv7-shaped id for the same parts: its time is `born_at`, the rest a hash."""
    text = "\x1f".join(str(part) for part in parts)
    content = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest())
    return _shaped(int(born_at.timestamp() * 1000), content >> 62, content)


def born_at(identity: UUID) -> datetime:
    """When a UUIDv7 (or a derived one) says it was made."""
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)


def chance() -> float:
    """A number in [0, 1)."""
    return random.random()  # noqa: S311  # spreads load; nothing secret hangs on it


def jittered(seconds: float) -> float:
    """Full jitter: anything between nothing and `seconds`."""
    return chance() * seconds
