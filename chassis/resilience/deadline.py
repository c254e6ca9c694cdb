"""Deadline: the absolute moment after which nobody waits for an answer any more.

It is set once, where work enters a process, in a context variable; every call made on the way
reads it and passes it on (`basalt-deadline-ms` over HTTP, `ce_deadlinems` over Kafka), so a retry
deep down never outlives the client. Unix milliseconds, because it crosses machines.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from chassis.clock import Clock
from chassis.errors import Unanswered
from chassis.observability.metrics import DEADLINES

_deadline_ms: ContextVar[int | None] = ContextVar("deadline_ms", default=None)


def current_deadline_ms() -> int | None:
    """The deadline that holds here, or None."""
    return _deadline_ms.get()


def now_ms(clock: Clock) -> int:
    """Unix milliseconds."""
    return int(clock.now().timestamp() * 1000)


def remaining(clock: Clock) -> float | None:
    """Seconds left, not below 0; None when there is no deadline."""
    deadline = _deadline_ms.get()
    return None if deadline is None else max(0.0, deadline / 1000 - clock.now().timestamp())


def within(seconds: float, clock: Clock) -> float:
    """The shorter of `seconds` and what is left."""
    left = remaining(clock)
    return seconds if left is None else min(seconds, left)


@contextmanager
def deadline_at(deadline_ms: int | None) -> Iterator[None]:
    """Inside, this deadline holds, unless an earlier one already does."""
    outer = _deadline_ms.get()
    earliest = min((ms for ms in (outer, deadline_ms) if ms is not None), default=None)
    token = _deadline_ms.set(earliest)
    try:
        yield
    finally:
        _deadline_ms.reset(token)


@asynccontextmanager
async def enforced(deadline_ms: int, clock: Clock, hop: str) -> AsyncIterator[None]:
    """`deadline_at`, and what runs inside is cut off then. Raises Unanswered: the effect of what
    was cut off is in doubt."""
    with deadline_at(deadline_ms):
        left = remaining(clock)
        assert left is not None, "it has just been set"
        try:
            async with asyncio.timeout(left):
                yield
        except TimeoutError:
            DEADLINES.labels(hop).inc()
            raise Unanswered(f"{hop}: the deadline has passed") from None
