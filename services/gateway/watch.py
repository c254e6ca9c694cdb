"""Watching: being told that something may have changed.

A watcher asks the owner for a snapshot, then asks again whenever a fact about its subject passes
on Kafka (push), and now and then without one (the guarantee). Facts are nudges, never content: a
lost, late or doubled one costs nothing but a question, so a stream is loss-free by construction.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from chassis.errors import Unavailable

V = TypeVar("V")


class Nudges:
    """Who waits for which subject. `nudge` never waits and never grows: a set flag stays set."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def watch(self, *subjects: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the subjects may have changed."""
        event = asyncio.Event()
        for subject in subjects:
            self._waiting.setdefault(subject, set()).add(event)
        try:
            yield event
        finally:
            for subject in subjects:
                waiting = self._waiting.get(subject, set())
                waiting.discard(event)
                if not waiting:
                    self._waiting.pop(subject, None)

    def nudge(self, *subjects: str) -> None:
        """Wake whoever watches one of these."""
        for subject in subjects:
            for event in self._waiting.get(subject, ()):
                event.set()


class Watch:
    """Turns questions into a stream of snapshots that differ. Times in seconds."""

    def __init__(self, nudges: Nudges, poll_min: float, poll_max: float) -> None:
        self._nudges, self._poll_min, self._poll_max = nudges, poll_min, poll_max

    async def snapshots(
        self,
        ask: Callable[[], Awaitable[V]],
        *subjects: str,
        version: Callable[[V], object],
        ended: Callable[[V], bool],
    ) -> AsyncGenerator[V, None]:
        """The first snapshot at once, then each one that differs, until one has `ended`.

        A slow reader gets fewer snapshots, never old ones: nothing is queued. An owner that is
        unavailable for a while is asked again, once there was a first answer.
        """
        with self._nudges.watch(*subjects) as nudged:
            last: object = None
            started, wait = False, self._poll_min
            while True:
                nudged.clear()
                try:
                    snapshot = await ask()
                except Unavailable:
                    if not started:
                        raise
                else:
                    if not started or version(snapshot) != last:
                        started, last, wait = True, version(snapshot), self._poll_min
                        yield snapshot
                    if ended(snapshot):
                        return
                wait = await self._pause(nudged, wait)

    async def _pause(self, nudged: asyncio.Event, wait: float) -> float:
        """Until nudged, or `wait` seconds; how long to wait next time."""
        try:
            async with asyncio.timeout(wait):
                await nudged.wait()
        except TimeoutError:
            return min(wait * 2, self._poll_max)
        return self._poll_min
