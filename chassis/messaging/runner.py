"""PartitionRunner: from a consumer's partitions to a handler, a chunk at a time.

Lanes handle chunks concurrently, each partition's records in order (see `Lanes`). An offset is
committed after the effects of all records before it are durable. What was handled but not committed
comes again: the inbox knows.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from chassis.clock import Clock, jittered
from chassis.errors import Unavailable
from chassis.messaging.envelope import Record
from chassis.messaging.lanes import Lane, Lanes, Partition, Place
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.metrics import LAG, PARTITIONS, PAUSES

log = structlog.get_logger()

Records = Sequence[Record]


class ChunkHandler(Protocol):
    """Handles records of any partitions, each partition's in order."""

    async def __call__(self, records: Sequence[Record]) -> None:
        """Return when all effects are durable. Raise Unavailable to get the same ones again."""
        ...


class Consumer(Protocol):
    """What the runner needs of aiokafka's consumer."""

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[Place, Sequence[Record]]: ...

    async def commit(self, offsets: Mapping[Place, int]) -> None: ...

    def pause(self, *places: Place) -> None: ...

    def resume(self, *places: Place) -> None: ...

    def highwater(self, place: Place) -> int | None: ...


class PartitionRunner:
    """Runs one handler on one consumer. Tell it of assignments (`assigned`, `revoked`)."""

    def __init__(
        self, handler: ChunkHandler, clock: Clock, limits: RunnerLimits | None = None
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._limits = limits or RunnerLimits()
        self._consumer: Consumer | None = None
        self._partitions: dict[Place, Partition] = {}
        self._lanes = Lanes((), self._limits)
        self._tasks: list[asyncio.Task[None]] = []
        self._draining = False
        self._moved_at = clock.monotonic()
        self._beyond = 0
        self.ever_assigned = False

    async def run(self, consumer: Consumer) -> None:
        """Read until cancelled. After it, `drain`."""
        self._consumer = consumer
        committer = asyncio.create_task(self._commit_regularly())
        try:
            while True:
                await self._poll(consumer)
        finally:
            committer.cancel()
            await asyncio.gather(committer, return_exceptions=True)

    async def drain(self) -> None:
        """Finish the chunks under way (within `drain_s`), drop what has not begun, commit."""
        self._draining = True
        for partition in self._partitions.values():
            partition.buffer.clear()
        try:
            async with asyncio.timeout(self._limits.drain_s):
                for lane in self._lanes.all:
                    lane.wake.set()
                    await lane.idle.wait()
        except TimeoutError:
            log.warning("drain_cut_off")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._lanes = [], Lanes((), self._limits)
        await self._commit()

    async def revoked(self, _places: object = ()) -> None:
        """Before a rebalance: everything is handed back (all assignors here are eager)."""
        await self.drain()
        for place in self._partitions:
            PARTITIONS.labels(place.topic).set(0)
            LAG.remove(place.topic, str(place.partition))  # another replica's from here on
        self._partitions = {}

    async def assigned(self, places: Sequence[Place]) -> None:
        """After a rebalance. Positions start at the committed offsets."""
        self.ever_assigned = True
        self._draining = False
        self._moved_at = self._clock.monotonic()
        self._partitions = {place: Partition(place) for place in sorted(places)}
        self._lanes = Lanes(self._partitions.values(), self._limits)
        self._tasks = [asyncio.create_task(self._run_lane(lane)) for lane in self._lanes.all]
        for topic, count in Counter(place.topic for place in self._partitions).items():
            PARTITIONS.labels(topic).set(count)
        log.info("partitions_assigned", count=len(self._partitions))

    def stalled(self) -> str:
        """Why this consumer looks dead although there is work; "" when it does not."""
        silent_s = self._clock.monotonic() - self._moved_at
        waiting = max(sum(self._lag().values()), self._beyond)
        if silent_s < self._limits.stalled_s or not waiting:
            return ""
        return f"no progress for {silent_s:.0f} s with {waiting} records waiting"

    def observe(self, waiting: int) -> None:
        """How many records the broker says are waiting: a dead consumer sees none itself."""
        self._beyond = waiting

    @property
    def places(self) -> list[Place]:
        """What is assigned now."""
        return list(self._partitions)

    # --- private: reading

    async def _poll(self, consumer: Consumer) -> None:
        batches = await consumer.getmany(
            timeout_ms=int(self._limits.poll_s * 1000),
            max_records=self._limits.buffer_records_max,
        )
        for place, records in batches.items():
            partition = self._partitions.get(place)
            if partition is None or self._draining:
                continue  # of an assignment that has ended: they come again
            partition.buffer.extend(records)
            if len(partition.buffer) >= self._limits.buffer_records_max:
                consumer.pause(place)
                partition.paused = True
        if batches:
            self._lanes.rouse()

    # --- private: handling

    async def _run_lane(self, lane: Lane) -> None:
        busy = False
        while True:
            if self._lanes.others_will_do(lane):
                await self._clock.sleep(self._limits.patience_s)
            records = self._take(lane, self._limits.chunk_records_max)
            if not records:
                self._lanes.release(lane)
                lane.wake.clear()
                busy = False
                await self._wait(lane.wake)
                continue
            if busy or len(records) > 1:
                await self._clock.sleep(self._limits.gather_s)
                records += self._take(lane, self._limits.chunk_records_max - len(records))
            busy = len(records) > 1
            if await self._handle(records):
                self._finish(records)
            self._lanes.release(lane)

    def _take(self, lane: Lane, most: int) -> list[Record]:
        if self._draining:
            return []
        records = self._lanes.take(lane, most)
        for partition in self._partitions.values():
            if partition.paused and len(partition.buffer) < self._limits.buffer_records_max // 2:
                partition.paused = False
                assert self._consumer is not None, "records come from a consumer"
                self._consumer.resume(partition.place)
        return records

    async def _handle(self, records: list[Record]) -> bool:
        """Until it is done, or the partitions are taken away while a dependency is missing."""
        pause = self._limits.retry_s
        while True:
            try:
                await self._handler(records)
                self._moved_at = self._clock.monotonic()
                return True
            except Unavailable as error:
                PAUSES.inc()
                log.warning("partitions_wait", error=str(error), records=len(records))
                wait = error.retry_after or jittered(pause)
            except Exception:
                log.exception("chunk_handler_failed", records=len(records))
                wait = pause
            self._moved_at = self._clock.monotonic()  # waiting knowingly is not being stuck
            await self._clock.sleep(min(wait, self._limits.retry_max_s))
            if self._draining:
                return False
            pause = min(pause * 2, self._limits.retry_max_s)

    def _finish(self, records: Sequence[Record]) -> None:
        last: dict[tuple[str, int], int] = {}
        for record in records:
            last[record.topic, record.partition] = record.offset
        for place, partition in self._partitions.items():
            offset = last.get((place.topic, place.partition))
            if offset is not None:
                partition.done = offset + 1

    # --- private: offsets

    async def _commit_regularly(self) -> None:
        while True:
            await self._clock.sleep(self._limits.commit_s)
            await self._commit()
            for place, lag in self._lag().items():
                LAG.labels(place.topic, str(place.partition)).set(lag)

    async def _commit(self) -> None:
        ready = {p.place: p.done for p in self._partitions.values() if p.done > p.committed}
        if not ready or self._consumer is None:
            return
        try:
            async with asyncio.timeout(self._limits.commit_timeout_s):
                await self._consumer.commit(ready)
        except Exception as error:  # the group moved on, or the broker is away: they come again
            log.warning("offsets_not_committed", error=type(error).__name__)
            return
        for place, offset in ready.items():
            if place in self._partitions:
                self._partitions[place].committed = offset

    def _lag(self) -> dict[Place, int]:
        if self._consumer is None:
            return {}
        lags: dict[Place, int] = {}
        for place, partition in self._partitions.items():
            end = self._consumer.highwater(place)
            if end is not None and partition.done >= 0:
                lags[place] = max(0, end - partition.done)
            elif partition.buffer:
                lags[place] = len(partition.buffer)
        return lags

    async def _wait(self, event: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._limits.stalled_s):
                await event.wait()
        except TimeoutError:
            return
