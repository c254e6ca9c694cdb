"""Handles: what waits for its turn in a simulated loop, and what a sleeping task waits for."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.testing.simulation.loop import SimLoop

Callback = Callable[..., object]


class Handle:
    """A callback that waits for its turn. Has what asyncio expects of a handle."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context")

    def __init__(self, callback: Callback, args: tuple[Any, ...], context: Context) -> None:
        self._callback, self._args, self._context = callback, args, context
        self._cancelled = False

    def cancel(self) -> object:
        self._cancelled = True
        return None

    def cancelled(self) -> bool:
        return self._cancelled


class Nap(Handle):
    """What a task that sleeps waits for: its timer, and to the task what a future is. One object
    and one turn of the loop, where a future, its timer and its callback take three and two."""

    __slots__ = ("_asyncio_future_blocking", "_loop", "_when")

    def __init__(self, loop: "SimLoop", when: float) -> None:
        self._loop, self._when = loop, when
        self._cancelled = False
        self._asyncio_future_blocking = True  # what a task looks for in what it is given

    def get_loop(self) -> "SimLoop":
        return self._loop

    def add_done_callback(self, wake: Callback, *, context: Context) -> None:
        """By the task that waits, as soon as it does."""
        self._callback, self._args, self._context = wake, (self,), context
        self._loop.add_timer(self._when, self)

    def cancel(self, msg: object = None) -> bool:
        """By the task, when it is cancelled meanwhile: it wakes up at once, and is told."""
        if self._cancelled:
            return False
        self._cancelled = True
        self._loop.call_soon(self._callback, self, context=self._context)
        return True

    def result(self) -> None:
        if self._cancelled:
            raise asyncio.CancelledError
