"""A carrier over a table and a Kafka that do what a test wants, on a clock that stands still."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.messaging.carrier import Carrier
from chassis.messaging.limits import RelayLimits
from chassis.messaging.order import ShardBook
from chassis.messaging.outbox import Outgoing
from chassis.messaging.producer import Watcher
from chassis.testing.clock import VirtualClock

SHARD = 3
LIMITS = RelayLimits(
    queue_max=6, scan_rows=4, delete_rows=2, unroutable_s=0.02, connect_s=7.0, retry_s=0.5
)


def a_row(topic: str = "topic", shard: int = SHARD) -> Outgoing:
    return Outgoing(new_id(), shard, "k", "T.v1", topic, {"a": "b"}, b"{}")


@dataclass
class Table:
    """The outbox table, in order. `errors` are raised by the next calls."""

    rows: list[Outgoing] = field(default_factory=list)
    deleted: list[list[UUID]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    scans: int = 0
    most: list[int] = field(default_factory=list)

    async def fetch(
        self, sql: str, shards: list[int], known: list[UUID], most: int
    ) -> list[dict[str, Any]]:
        assert sql.endswith("ORDER BY seq LIMIT $3"), sql
        self.scans += 1
        self.most.append(most)
        if self.errors:
            raise self.errors.pop(0)
        found = [row for row in self.rows if row.shard in shards and row.id not in known]
        return [
            {
                "id": row.id,
                "shard": row.shard,
                "aggregateid": row.key,
                "type": row.type,
                "topic": row.topic,
                "headers": '{"a": "b"}',
                "payload": row.payload,
            }
            for row in found[:most]
        ]

    async def execute(self, sql: str, ids: list[UUID]) -> None:
        assert sql == "DELETE FROM outbox WHERE id = ANY($1::uuid[])"
        if self.errors:
            raise self.errors.pop(0)
        self.deleted.append(ids)
        self.rows = [row for row in self.rows if row.id not in ids]


@dataclass
class Kafka:
    """Every producer that was connected; `answers` decides what becomes of rows."""

    lives: list["FakeProducer"] = field(default_factory=list)
    refusals: list[Unavailable] = field(default_factory=list)
    error: Exception | None = None
    confirms: bool = True
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self, watcher: Watcher) -> "FakeProducer":
        self.lives.append(FakeProducer(self, watcher))
        return self.lives[-1]

    async def until(self, count: int) -> None:
        """So many rows have been sent."""
        while len(self.sent) < count:
            self.news.clear()
            await self.news.wait()

    @property
    def sent(self) -> list[Outgoing]:
        return [row for life in self.lives for row in life.rows]


@dataclass
class FakeProducer:
    kafka: Kafka
    watcher: Watcher
    rows: list[Outgoing] = field(default_factory=list)
    records: list[tuple[Any, ...]] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)

    async def start(self, timeout: float) -> None:
        self.started.append(timeout)
        if self.kafka.refusals:
            raise self.kafka.refusals.pop(0)

    async def stop(self, timeout: float) -> None:
        self.stopped.append(timeout)

    async def send_rows(self, rows: Sequence[Outgoing]) -> None:
        if self.kafka.error is not None:
            error, self.kafka.error = self.kafka.error, None
            raise error
        self.rows += rows
        self.kafka.news.set()
        if self.kafka.confirms:
            self.watcher.confirmed([row.id for row in rows])

    async def send(self, *record: Any) -> None:
        self.records.append(record)


@dataclass
class Bed:
    clock: VirtualClock
    table: Table
    kafka: Kafka
    book: ShardBook
    carrier: Carrier
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self, *, clear: bool = True) -> None:
        """Begin its loops; `clear`: and let the first scan be over."""
        self.tasks = [asyncio.ensure_future(loop()) for loop in self.carrier.loops]  # type: ignore[arg-type]  # coroutines
        await self.clock.settle()
        assert not clear or self.book.dirty == set()


def ids(rows: Iterable[Outgoing]) -> list[UUID]:
    return [row.id for row in rows]
