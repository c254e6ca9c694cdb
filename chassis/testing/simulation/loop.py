"""An event loop in which one seed decides who runs next and what time it is.

Time jumps to the next timer when nobody is ready. Each simulated process has a queue of its own,
in the order that asyncio promises; which process runs next is the seed's choice. A process that
crashed never runs again, and no cleanup of its does; one that is frozen runs later.

The loop has what chassis and services use of asyncio: callbacks, timers, futures, tasks. No
sockets, no signals: asking for one is an error. Work for a thread is done on the spot.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from inspect import CORO_CREATED, getcoroutinestate
from random import Random
from types import coroutine
from typing import Any, ClassVar

from chassis.testing.simulation.handles import Callback, Handle, Nap

BURST_MAX = 8
"""Callbacks of one process in a row, at most: enough for speed, few enough to interleave."""


class Stuck(Exception):
    """The world does not come to its end within its bounds of steps or of virtual time."""


class Process:
    """One simulated operating-system process, or the outside world (the default)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen_until = 0.0
        self.clock_offset_s = 0.0
        self.ready: deque[Handle] = deque()
        self.queued = False  # whether the loop knows that something is ready
        self.tasks: list[asyncio.Task[Any]] = []  # kept, so that none is cleaned up when it dies

    def __repr__(self) -> str:
        return self.name


PROCESS: ContextVar[Process] = ContextVar("process")


@coroutine
def elapse(seconds: float) -> Generator[Nap | None, None, None]:
    """Let virtual time pass, in seconds: what the simulator itself waits with."""
    loop = SimLoop.running
    if seconds <= 0 or loop is None:  # or somebody cleans up after the world's end
        yield None
        return
    yield Nap(loop, loop._now + seconds)


def _unless_done(future: "asyncio.Future[Any]", settle: Callback, value: object) -> None:
    if not future.done():
        settle(value)


class SimLoop(asyncio.AbstractEventLoop):
    """Virtual time in seconds from 0. `run` it with the world's main coroutine."""

    running: "ClassVar[SimLoop | None]" = None  # asyncio's own answer asks the kernel each time

    def __init__(self, dice: Random, *, steps_max: int, seconds_max: float) -> None:
        self.outside = Process("outside")
        self.steps = 0
        self.late_at = 0.0  # when the last of what is under way arrives
        self.errors: list[dict[str, Any]] = []
        self._random = dice.random
        self._steps_max, self._seconds_max = steps_max, seconds_max
        self._now = 0.0
        self._timers: list[tuple[float, int, Handle]] = []
        self._count = 0
        self._busy: list[Process] = []
        self._processes: list[Process] = []
        self._over = False

    # --- what asyncio asks for

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]  # our own handles
        self, callback: Callback, *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, context if context is not None else copy_context())
        process = handle._context.get(PROCESS, self.outside)
        if process.alive:
            process.ready.append(handle)
            if not process.queued:
                process.queued = True
                self._busy.append(process)
        return handle

    def call_at(  # type: ignore[override]  # our own handles
        self, when: float, callback: Callback, *args: Any, context: Context | None = None
    ) -> Handle:
        handle = Handle(callback, args, context if context is not None else copy_context())
        self._count += 1
        heappush(self._timers, (when, self._count, handle))
        return handle

    def call_later(  # type: ignore[override]  # our own handles
        self, delay: float, callback: Callback, *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def add_timer(self, when: float, handle: Handle) -> None:
        """As call_at does, with a handle that there is."""
        self._count += 1
        heappush(self._timers, (when, self._count, handle))

    def outside_later(self, delay: float, callback: Callback, *args: Any) -> None:
        """In the outside world, whatever becomes of the process that asked."""
        context = Context()
        self.call_at(self._now + delay, callback, *args, context=context)

    def arrives_later(self, delay: float, callback: Callback) -> None:
        """As outside_later; what is under way is waited for before a world is judged."""
        self.late_at = max(self.late_at, self._now + delay)
        self.outside_later(delay, callback)

    def call_as(self, process: Process, callback: Callback) -> None:
        """As this process, if it still lives."""
        context = copy_context()
        context.run(PROCESS.set, process)
        self.call_soon(callback, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # typeshed's has more
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, context=context)
        process = (context or copy_context()).get(PROCESS, self.outside)
        if not process.tasks:
            self._processes.append(process)
        process.tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]  # typeshed's has more
        self, executor: object, work: Callback, *args: Any
    ) -> "asyncio.Future[Any]":
        """There are no threads: the work is done at once, and who asked for it learns later."""
        done = self.create_future()
        try:
            result = work(*args)
        except Exception as error:
            self.call_soon(_unless_done, done, done.set_exception, error)
        else:
            self.call_soon(_unless_done, done, done.set_result, result)
        return done

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._over:
            self.errors.append(context)

    # --- processes

    def spawn(self, process: Process, coro: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run a coroutine as this process."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return context.run(self.create_task, coro, context=context)

    def crash(self, process: Process) -> None:
        """kill -9: whatever it had in memory is gone, and nothing of it runs again."""
        process.alive = False
        process.ready.clear()
        if process.queued:
            process.queued = False
            self._busy.remove(process)

    def freeze(self, process: Process, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        process.frozen_until = self._now + seconds
        self.call_later(seconds, lambda: None)  # time must not jump over its thaw

    # --- running

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """The result of `main`. Raises Stuck."""
        before, other = events._get_running_loop(), SimLoop.running
        events._set_running_loop(self)
        SimLoop.running = self
        try:
            task = self.spawn(self.outside, main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            self._over = True
            events._set_running_loop(before)
            SimLoop.running = other
            self._close_unborn()

    def _close_unborn(self) -> None:
        """What never began, because its process died first, is nobody's mistake."""
        for process in self._processes:
            for task in process.tasks:
                coro = task.get_coro()
                if coro is not None and getcoroutinestate(coro) == CORO_CREATED:  # type: ignore[arg-type]
                    coro.close()

    def _step(self) -> None:
        timers, now, busy = self._timers, self._now, self._busy
        while timers and timers[0][0] <= now:
            handle = heappop(timers)[2]
            if not handle._cancelled:
                self._enqueue(handle)
        runnable = [process for process in busy if process.frozen_until <= now]
        if not runnable:
            self._jump()
            return
        dice = self._random
        process = runnable[0]
        if len(runnable) > 1:
            process = runnable[int(dice() * len(runnable))]
        ready = process.ready
        for _ in range(1 + int(dice() * BURST_MAX)):
            if not ready:
                break
            self.steps += 1
            handle = ready.popleft()
            if not handle._cancelled:
                handle._context.run(handle._callback, *handle._args)
        if not ready and process.queued:
            process.queued = False
            busy.remove(process)
        if self.steps > self._steps_max:
            raise Stuck(f"{self.steps} steps, and {self._now:.1f} virtual seconds")

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if not timers:
            raise Stuck("nobody is ready, and nobody waits for a time")
        self._now = max(self._now, timers[0][0])
        if self._now > self._seconds_max:
            raise Stuck(f"{self._now:.0f} virtual seconds have passed")

    def _enqueue(self, handle: Handle) -> None:
        process = handle._context.get(PROCESS, self.outside)
        if process.alive:
            process.ready.append(handle)
            if not process.queued:
                process.queued = True
                self._busy.append(process)
