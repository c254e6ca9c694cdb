"""A consumer that remembers what it was asked, and a runner on it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chassis.messaging.envelope import Record
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from chassis.testing.messages import FakeRecord

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


class Place(NamedTuple):
    topic: str
    partition: int


@dataclass
class FakeConsumer:
    """Gives what the test puts in; remembers pauses and commits."""

    committed: dict[Place, int] = field(default_factory=dict)
    paused: set[Place] = field(default_factory=set)
    error: Exception | None = None
    _waiting: "asyncio.Queue[Mapping[Any, Sequence[Record]]]" = field(default_factory=asyncio.Queue)
    _ends: dict[Place, int] = field(default_factory=dict)

    def put(self, place: Place, *offsets: int) -> None:
        self._ends[place] = offsets[-1] + 1
        self._waiting.put_nowait({place: [a_record(place, offset) for offset in offsets]})

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Mapping[Any, Sequence[Record]]:
        return await self._waiting.get()

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        if self.error is not None:
            raise self.error
        self.committed.update(offsets)

    def pause(self, *places: Any) -> None:
        self.paused |= set(places)

    def resume(self, *places: Any) -> None:
        self.paused -= set(places)

    def highwater(self, place: Any) -> int | None:
        return self._ends.get(place)


@dataclass
class Handler:
    """Remembers chunks. While `gate` is closed a chunk stays under way."""

    chunks: list[list[tuple[int, int]]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, records: Sequence[Record]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.under_way += 1
        self.begun.set()
        await self.gate.wait()
        self.under_way -= 1
        self.chunks.append([(record.partition, record.offset) for record in records])

    def offsets(self, place: Place) -> list[int]:
        return [o for chunk in self.chunks for p, o in chunk if p == place.partition]


def a_record(place: Place, offset: int) -> FakeRecord:
    return FakeRecord(place.topic, place.partition, offset, b"key", b"{}")


A, B, C = (Place("topic", number) for number in range(3))


@dataclass
class Stage:
    clock: VirtualClock
    handler: Handler
    consumer: FakeConsumer
    runner: PartitionRunner


@asynccontextmanager
async def running(consumer: FakeConsumer, limits: RunnerLimits) -> AsyncIterator[Stage]:
    """A runner on this consumer; drained at the end."""
    clock, handler = VirtualClock(), Handler()
    runner = PartitionRunner(handler, clock, limits)
    task = asyncio.create_task(runner.run(consumer))
    await clock.settle()
    yield Stage(clock, handler, consumer, runner)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    handler.gate.set()
    await runner.drain()


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


def a_stage() -> AbstractAsyncContextManager[Stage]:
    return running(CuriousConsumer(), LIMITS)
