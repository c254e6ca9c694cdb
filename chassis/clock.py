"""Time, ids and chance: the only place that reads the machine's clock and its dice.

Everything else takes a `Clock`, so that a test decides what time it is.
"""

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as FastUUID  # a UUID like any other, in C


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


class Dice(Protocol):
    """Where ids and chance come from."""

    def next_id(self) -> UUID: ...

    def chance(self) -> float: ...


class _SystemDice:
    """UUIDv7 with a counter below the millisecond: ids of one process sort by birth."""

    def __init__(self) -> None:
        self._ms = 0
        self._count = 0

    def chance(self) -> float:
        return random.random()  # noqa: S311  # spreads load; nothing secret hangs on it

    def next_id(self) -> UUID:
        ms = time.time_ns() // 1_000_000
        if ms > self._ms:
            self._ms, self._count = ms, int.from_bytes(os.urandom(1)) << 2
        else:
            self._count += 1
            if self._count > 0xFFF:  # more than 4096 in one millisecond: borrow from the next
                self._ms, self._count = self._ms + 1, 0
        chance = int.from_bytes(os.urandom(8)) >> 2
        return shaped_id(self._ms, self._count, chance)


def shaped_id(ms: int, upper: int, lower: int) -> UUID:
    """A UUID of version 7, variant 10: 48 bits of time, 12 and 62 bits of content."""
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (upper & 0xFFF) << 64
    return uuid_of(value | 0b10 << 62 | (lower & 0x3FFF_FFFF_FFFF_FFFF))


def uuid_of(number: int) -> UUID:
    """`UUID(int=number)`, as PostgreSQL's driver makes them: equal to any other and a tenth of its
    cost. Each message has five, which are read, hashed, compared and written. orjson knows only
    the standard library's: give it their text."""
    return uuid_of_bytes(number.to_bytes(16, "big"))


def uuid_of_bytes(value: bytes) -> UUID:
    """`UUID(bytes=value)`, see `uuid_of`."""
    made: UUID = FastUUID(value)
    return made


def uuid_of_text(text: str) -> UUID:
    """`UUID(text)`: the usual form fast, any other as it is. Raises ValueError."""
    made: UUID = FastUUID(text) if len(text) == _USUAL else FastUUID(UUID(text).bytes)
    return made


_USUAL = 36
"""Characters, with dashes."""


_dice: Dice = _SystemDice()


@contextmanager
def rolling(dice: Dice) -> Iterator[None]:
    """Inside, ids and chance come from these dice: a simulated world is one seed's."""
    global _dice
    before, _dice = _dice, dice
    try:
        yield
    finally:
        _dice = before


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return _dice.next_id()


def derived_id(born_at: datetime, *parts: object) -> UUID:
    """The same UUIDv7-shaped id for the same parts: its time is `born_at`, the rest a hash."""
    text = "\x1f".join(str(part) for part in parts)
    content = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest())
    return shaped_id(int(born_at.timestamp() * 1000), content >> 62, content)


def born_at(identity: UUID) -> datetime:
    """When a UUIDv7 (or a derived one) says it was made."""
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)


def chance() -> float:
    """A number in [0, 1)."""
    return _dice.chance()


def jittered(seconds: float) -> float:
    """Full jitter: anything between nothing and `seconds`."""
    return chance() * seconds
