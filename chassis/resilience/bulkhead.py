"""Bulkhead: at most so many calls to one dependency at a time, and a short queue before it.

A slow dependency then holds a known number of tasks and connections, not all of them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.observability.metrics import BULKHEAD_IN_USE, BULKHEAD_REFUSED
from chassis.resilience.deadline import within


class BulkheadFull(Unavailable):
    """No place, and no place in the queue or none in time: nothing was sent."""


class Bulkhead:
    """`calls_max` at a time, `queue_max` waiting, each at most `wait_s` seconds."""

    def __init__(
        self, name: str, clock: Clock, *, calls_max: int, queue_max: int, wait_s: float
    ) -> None:
        assert calls_max > 0, "a bulkhead without places lets nobody through"
        assert queue_max >= 0, "a queue has a length"
        self.name = name
        self._clock = clock
        self._places = asyncio.Semaphore(calls_max)
        self._queue_max, self._wait_s = queue_max, wait_s
        self._in_use = 0
        self._waiting = 0
        self._gauge = BULKHEAD_IN_USE.labels(name)

    @property
    def in_use(self) -> int:
        """Places taken."""
        return self._in_use

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return self._waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place inside. Raises BulkheadFull."""
        await self._enter()
        self._in_use += 1
        self._gauge.set(self._in_use)
        try:
            yield
        finally:
            self._in_use -= 1
            self._gauge.set(self._in_use)
            self._places.release()

    async def _enter(self) -> None:
        if not self._places.locked():
            await self._places.acquire()  # tidy: a place is free, it returns at once
            return
        if self._waiting >= self._queue_max:
            self._refuse("its queue is full")
        self._waiting += 1
        patience = asyncio.ensure_future(self._clock.sleep(within(self._wait_s, self._clock)))
        turn = asyncio.ensure_future(self._places.acquire())
        try:
            both = {turn, patience}  # the second is the deadline, by the injected clock
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)  # tidy: see above
        except BaseException:
            self._leave(turn)
            raise
        finally:
            self._waiting -= 1
            patience.cancel()
        if not turn.done():
            self._leave(turn)
            self._refuse("no place in time")

    def _leave(
        self, turn: "asyncio.Future[Any]"
    ) -> None:  # the type of a semaphore's turn is its own affair
        """A place that was won at the same moment goes to the next in the queue."""
        if turn.done() and not turn.cancelled():
            self._places.release()
        else:
            turn.cancel()

    def _refuse(self, why: str) -> None:
        BULKHEAD_REFUSED.labels(self.name).inc()
        raise BulkheadFull(f"{self.name}: {why}")
