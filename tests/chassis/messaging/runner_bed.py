"""A consumer that remembers what it was asked, and a runner on it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from chassis.messaging.envelope import Record
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.test_runner import FakeConsumer, Handler, Stage, a_record

LIMITS = RunnerLimits(
    chunk_records_max=10,
    buffer_records_max=20,
    lanes=2,
    drain_s=0.05,
    commit_timeout_s=0.05,
    poll_s=2.0,
    retry_s=1.0,
    retry_max_s=3.0,
)


@dataclass
class CuriousConsumer(FakeConsumer):
    """Remembers what it was asked, and may never answer a commit."""

    asked: list[tuple[int, int]] = field(default_factory=list)
    commits: list[dict[Any, int]] = field(default_factory=list)
    deaf: bool = False
    resumed: list[Any] = field(default_factory=list)

    def put_together(self, *places: Any) -> None:
        """One record of each, in one answer."""
        self._waiting.put_nowait({place: [a_record(place, 0)] for place in places})

    def resume(self, *places: Any) -> None:
        self.resumed += places
        super().resume(*places)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Mapping[Any, Sequence[Record]]:
        self.asked.append((timeout_ms, max_records))
        return await super().getmany(timeout_ms=timeout_ms, max_records=max_records)

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        self.commits.append(dict(offsets))
        if self.deaf:
            await asyncio.Event().wait()
        await super().commit(offsets)


def curious(stage: Stage) -> CuriousConsumer:
    assert isinstance(stage.consumer, CuriousConsumer)
    return stage.consumer


@asynccontextmanager
async def a_stage() -> AsyncIterator[Stage]:
    clock, handler, consumer = VirtualClock(), Handler(), CuriousConsumer()
    runner = PartitionRunner(handler, clock, LIMITS)
    task = asyncio.create_task(runner.run(consumer))
    await clock.settle()
    yield Stage(clock, handler, consumer, runner)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    handler.gate.set()
    await runner.drain()
