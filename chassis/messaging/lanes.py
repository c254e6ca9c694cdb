"""Lanes: who of a runner's concurrent chunks takes records of which partitions.

A lane holds the partitions whose records are in its chunk, so their order is kept. Large chunks are
what makes records cheap: a further lane is for what is more than one chunk, or for what waits
longer than `patience_s` for a busy one.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chassis.messaging.envelope import Record
from chassis.messaging.limits import RunnerLimits

Place = Any  # aiokafka's TopicPartition: topic and partition


@dataclass(slots=True, eq=False)
class Lane:
    """Runs one chunk after the other."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Partition:
    """What was read of a partition and is not handled yet."""

    place: Place
    buffer: deque[Record] = field(default_factory=deque)
    done: int = -1  # the offset to commit: one past the last record handled
    committed: int = -1
    paused: bool = False
    lane: Lane | None = None  # which has records of it under way


class Lanes:
    """The lanes over some partitions."""

    def __init__(self, partitions: Iterable[Partition], limits: RunnerLimits) -> None:
        self._turn = deque(partitions)  # whose turn it is comes first
        self._limits = limits
        self.all = [Lane() for _ in range(min(limits.lanes, len(self._turn)))]
        for lane in self.all:
            lane.idle.set()

    def take(self, lane: Lane, most: int) -> list[Record]:
        """All there is of one free partition after the other, in each one's order."""
        records: list[Record] = []
        lane.idle.clear()
        for partition in list(self._turn):
            if len(records) >= most:
                break
            if not partition.buffer or partition.lane not in (None, lane):
                continue
            partition.lane = lane
            self._turn.remove(partition)
            self._turn.append(partition)
            count = min(len(partition.buffer), most - len(records))
            records.extend(partition.buffer.popleft() for _ in range(count))
        return records

    def release(self, lane: Lane) -> None:
        """Its chunk is done, or there was none."""
        lane.idle.set()
        for partition in self._turn:
            if partition.lane is lane:
                partition.lane = None
        if self._waiting() > self._limits.chunk_records_max:
            self.rouse()

    def others_will_do(self, lane: Lane) -> bool:
        """Whether to take what waits now would only make two small chunks of one."""
        others = any(not other.idle.is_set() for other in self.all if other is not lane)
        return others and 0 < self._waiting() < self._limits.chunk_records_max

    def rouse(self) -> None:
        """There may be something to take."""
        for lane in self.all:
            lane.wake.set()

    def _waiting(self) -> int:
        return sum(len(each.buffer) for each in self._turn if each.lane is None)
