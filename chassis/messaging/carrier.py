"""Carrier: takes rows from memory or from the table to Kafka, and deletes what it confirmed."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

import orjson
import structlog

from chassis.clock import Clock
from chassis.errors import Conflict, Unavailable
from chassis.messaging.envelope import Headers
from chassis.messaging.limits import RelayLimits
from chassis.messaging.metrics import (
    OUTBOX_QUEUE,
    OUTBOX_RESETS,
    OUTBOX_SENT,
    OUTBOX_UNROUTABLE,
)
from chassis.messaging.order import ShardBook
from chassis.messaging.outbox import Outgoing
from chassis.messaging.producer import Producer, Watcher
from chassis.stores.postgres import Database

log = structlog.get_logger()

_SCAN = """SELECT id, shard, aggregateid, type, topic, headers, payload FROM outbox
    WHERE shard = ANY($1::int[]) AND id <> ALL($2::uuid[]) ORDER BY seq LIMIT $3"""


class Carrier:
    """The rows in flight, and the loops that move them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        connect: Callable[[Watcher], Producer],
        limits: RelayLimits,
        book: ShardBook,
    ) -> None:
        self._database = database
        self._clock = clock
        self._connect = connect
        self._limits = limits
        self._book = book
        self._life: _Life | None = None
        self._queue: deque[Outgoing] = deque()
        self._sent: dict[UUID, int] = {}  # id -> shard: queued or sent, and not deleted yet
        self._acked: dict[UUID, None] = {}  # confirmed, to be deleted
        self._aside: dict[str, list[Outgoing]] = {}  # rows of topics that are missing
        self._era = 0  # rises when rows are dropped from memory that Kafka may not have
        self._to_send = asyncio.Event()
        self._to_scan = asyncio.Event()
        self.down = "kafka: not connected yet"

    @property
    def loops(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What must run for ever."""
        return (self._send_loop, self._scan_loop, self._sweep_loop)

    def enqueue(self, rows: Sequence[Outgoing], way: str) -> None:
        """Send these, in order, after what is queued. Known ones are skipped; when the queue is
        full their shards are left to a scan."""
        new = [row for row in rows if row.id not in self._sent]
        if not new:
            return
        if len(self._queue) + len(new) > self._limits.queue_max:
            self._book.soil({row.shard for row in new})
            return
        self._sent.update((row.id, row.shard) for row in new)
        self._queue.extend(new)
        OUTBOX_SENT.labels(way).inc(len(new))
        self._to_send.set()

    def rouse(self) -> None:
        """Scan if there is something to scan."""
        if self._book.dirty:
            self._to_scan.set()

    def take_acked(self) -> list[UUID]:
        """Rows for the caller to delete; then `forget` or `give_back`."""
        acked = list(self._acked)[: self._limits.delete_rows]
        for row_id in acked:
            del self._acked[row_id]
        return acked

    def give_back(self, ids: Iterable[UUID]) -> None:
        self._acked.update(dict.fromkeys(ids))

    def forget(self, ids: Iterable[UUID]) -> None:
        for row_id in ids:
            self._sent.pop(row_id, None)

    def has(self, row_id: UUID) -> bool:
        """Whether the row is queued, sent or confirmed."""
        return row_id in self._sent

    def is_acked(self, row_id: UUID) -> bool:
        return row_id in self._acked

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """One record, confirmed. Raises Unavailable."""
        if self._life is None or self._life.producer is None:
            raise Unavailable("kafka: not connected")
        await self._life.producer.send(topic, key, value, headers)

    async def drain(self, timeout: float) -> None:
        """Wait until Kafka has confirmed what is in memory."""
        try:
            async with asyncio.timeout(timeout):
                while len(self._sent) > len(self._acked) and not self.down:
                    await self._clock.sleep(0.01)
        except TimeoutError:
            log.warning("relay_stops_with_rows_unsent", rows=len(self._sent) - len(self._acked))

    async def disconnect(self, timeout: float) -> None:
        life, self._life = self._life, None
        if life is not None and life.producer is not None:
            await life.producer.stop(timeout)

    async def delete_acked(self) -> None:
        """Delete what no commit has taken along. Raises Unavailable."""
        acked = self.take_acked()
        if not acked:
            return
        try:
            await self._database.execute("DELETE FROM outbox WHERE id = ANY($1::uuid[])", acked)
        except BaseException:
            self.give_back(acked)
            raise
        self.forget(acked)

    def confirm(self, ids: Sequence[UUID]) -> None:
        """Kafka has them."""
        OUTBOX_SENT.labels("kafka").inc(len(ids))
        self._acked.update(dict.fromkeys(ids))

    def postpone(self, rows: Sequence[Outgoing]) -> None:
        """Their topic is missing: set it aside for a while, and do not hold up the others."""
        OUTBOX_UNROUTABLE.inc(len(rows))
        loop = asyncio.get_running_loop()
        for row in rows:
            if row.topic not in self._aside:
                log.error("outbox_topic_missing", topic=row.topic)
                self._aside[row.topic] = []
                loop.call_later(self._limits.unroutable_s, self._retry, row.topic)
            self._aside[row.topic].append(row)

    def fail(self) -> None:
        self._to_send.set()

    def _retry(self, topic: str) -> None:
        """In the table's order, so that nothing that came meanwhile is first."""
        rows = self._aside.pop(topic)
        self._drop(row.id for row in rows)
        self._book.soil({row.shard for row in rows})
        self.rouse()

    async def _send_loop(self) -> None:
        while True:
            if self._life is None or self._life.failure is not None:
                await self._reconnect()
            await self._wait(self._to_send)
            self._to_send.clear()
            life = self._life
            if life is None or life.producer is None or life.failure is not None:
                continue
            rows = [row for row in self._queue if row.topic not in self._aside]
            if len(rows) < len(self._queue):
                self.postpone([row for row in self._queue if row.topic in self._aside])
            self._queue.clear()
            OUTBOX_QUEUE.set(len(self._sent) - len(self._acked))
            if rows:
                try:
                    await life.producer.send_rows(rows)
                except Exception as error:  # whatever it is, the table still has the rows
                    life.broken(error)

    async def _reconnect(self) -> None:
        """Begin a new producer's life, with nothing in memory but what is confirmed."""
        old, self._life = self._life, None
        if old is not None:
            self.down = f"kafka: {type(old.failure).__name__}"
            OUTBOX_RESETS.inc()
            log.warning("producer_replaced", error=self.down)
            if old.producer is not None:
                await old.producer.stop(self._limits.retry_s)
        self._drop_unconfirmed()
        while True:
            life = _Life(self)
            life.producer = self._connect(life)
            try:
                await life.producer.start(self._limits.connect_s)
                break
            except Unavailable as error:
                self.down = str(error)
                await self._clock.sleep(self._limits.retry_s)
        self._drop_unconfirmed()
        self._life, self.down = life, ""
        self._book.soil_all()
        self.rouse()

    def _drop_unconfirmed(self) -> None:
        self._queue.clear()
        self._drop([row_id for row_id in self._sent if row_id not in self._acked])

    def _drop(self, ids: Iterable[UUID]) -> None:
        """Leave rows to the table. A scan that is under way has left them out, as known: what it
        finds may be newer, and must not go before them."""
        self.forget(ids)
        self._era += 1

    async def _scan_loop(self) -> None:
        while True:
            await self._wait(self._to_scan)
            self._to_scan.clear()
            while self._book.dirty:
                if self.down or len(self._queue) > self._limits.queue_max // 2:
                    await self._clock.sleep(self._limits.sweep_s)
                    continue
                try:
                    if not await self._scan() and self._book.dirty:  # in doubt until the next lease
                        await self._clock.sleep(self._limits.rescan_s)
                except (Unavailable, Conflict) as error:
                    log.warning("outbox_scan_failed", error=str(error))
                    await self._clock.sleep(self._limits.retry_s)

    async def _scan(self) -> int:
        """How many rows there were to send."""
        shards = set(self._book.dirty)
        self._book.begin_scan(shards)
        known = [row_id for row_id, shard in self._sent.items() if shard in shards]
        era = self._era
        try:
            found = await self._database.fetch(_SCAN, list(shards), known, self._limits.scan_rows)
        except BaseException:
            self._book.soil(shards)
            raise
        if era != self._era:
            self._book.soil(shards)
            return 0
        rows = [
            Outgoing(
                row["id"],
                row["shard"],
                row["aggregateid"],
                row["type"],
                row["topic"],
                orjson.loads(row["headers"]),
                row["payload"],
            )
            for row in found
        ]
        self.enqueue(rows, "scan")
        self._book.end_scan(shards, complete=len(rows) < self._limits.scan_rows)
        return len(rows)

    async def _sweep_loop(self) -> None:
        while True:
            await self._clock.sleep(self._limits.sweep_s)
            OUTBOX_QUEUE.set(len(self._sent) - len(self._acked))
            try:
                await self.delete_acked()
            except (Unavailable, Conflict) as error:
                log.warning("outbox_sweep_failed", error=str(error))

    async def _wait(self, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.wake_s):
                await event.wait()


class _Life(Watcher):
    """What one producer reports; silent once it has failed."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.producer: Producer | None = None
        self.failure: BaseException | None = None

    def confirmed(self, ids: Sequence[UUID]) -> None:
        self._carrier.confirm(ids)

    def unroutable(self, rows: Sequence[Outgoing]) -> None:
        self._carrier.postpone(rows)

    def broken(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
            self._carrier.fail()
