"""Producer: a bare idempotent aiokafka producer, thrown away at its first failure.

After a refused batch an idempotent producer is stuck for that partition for ever, so a failure
ends its life; the outbox still has the rows.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from chassis.errors import Unanswered, Unavailable
from chassis.faults import FAULTS
from chassis.messaging.envelope import Headers, wire_headers
from chassis.messaging.outbox import Outgoing, hash_of

log = structlog.get_logger()

REQUEST_BYTES_MAX = 2_097_152
"""Dead letter topics take this much: a copy with its reason is larger than the original."""

_BATCH_BYTES = 262_144
_BATCH_FROM = 3  # fewer records are cheaper sent one by one
_REQUEST_TIMEOUT_S = 5.0
_TOPIC_S = 2.0  # how long a topic may stay unknown before its rows are set aside


class Watcher(Protocol):
    """Hears what became of the rows. Called from the event loop, never concurrently."""

    def confirmed(self, ids: Sequence[UUID]) -> None: ...

    def unroutable(self, rows: Sequence[Outgoing]) -> None: ...

    def broken(self, error: BaseException) -> None: ...


class Producer:
    """One life of one producer."""

    def __init__(self, bootstrap: str, watcher: Watcher, *, client_id: str) -> None:
        self._watcher = watcher
        self._client: Any = AIOKafkaProducer(  # aiokafka is untyped
            bootstrap_servers=bootstrap,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=int(_REQUEST_TIMEOUT_S * 1000),
            retry_backoff_ms=100,
        )

    async def start(self, timeout: float) -> None:
        """Connect. Raises Unavailable."""
        try:
            async with asyncio.timeout(timeout):
                await self._client.start()
        except (TimeoutError, OSError, KafkaError) as error:
            await self.stop(1.0)
            raise Unavailable(f"kafka: {type(error).__name__}") from error
        except asyncio.CancelledError:
            await self.stop(1.0)
            raise

    async def stop(self, timeout: float) -> None:
        """Flush for at most `timeout` seconds, then drop what is left."""
        try:
            async with asyncio.timeout(timeout):
                await self._client.stop()
        except (TimeoutError, OSError, KafkaError) as error:
            log.warning("producer_cut_off", error=type(error).__name__)

    async def send_rows(self, rows: Sequence[Outgoing]) -> None:
        """Hand rows to Kafka, per partition in the order given. Returns when all are on their
        way; the watcher hears the rest."""
        if FAULTS.armed:
            await FAULTS.at("relay.before_publish", rows)
        groups: dict[tuple[str, int], list[Outgoing]] = {}
        counts = {topic: await self._partitions(topic) for topic in {row.topic for row in rows}}
        missing: list[Outgoing] = []
        for row in rows:
            if count := counts[row.topic]:
                groups.setdefault((row.topic, hash_of(row.key) % count), []).append(row)
            else:
                missing.append(row)
        if missing:
            self._watcher.unroutable(missing)
        if len(groups) == 1:
            ((place, group),) = groups.items()
            await self._send_group(*place, group)
        elif groups:
            await asyncio.gather(*(self._send_group(*place, g) for place, g in groups.items()))

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """One record, confirmed. Raises Unavailable or Unanswered."""
        try:
            async with asyncio.timeout(2 * _REQUEST_TIMEOUT_S):
                future = await self._client.send(topic, value, key, headers=list(headers))
                future.add_done_callback(self._judge)
                await asyncio.shield(future)
        except (TimeoutError, KafkaTimeoutError) as error:
            raise Unanswered(f"kafka: {topic} is not confirmed") from error
        except (OSError, KafkaError) as error:
            raise Unavailable(f"kafka: {type(error).__name__}") from error

    async def _partitions(self, topic: str) -> int:
        """How many the topic has; 0 when there is no such topic."""
        known = self._client.client.cluster.partitions_for_topic(topic)
        if known:
            return len(known)
        try:
            async with asyncio.timeout(_TOPIC_S):
                return len(await self._client.partitions_for(topic))
        except (TimeoutError, UnknownTopicOrPartitionError):
            return 0

    async def _send_group(self, topic: str, partition: int, rows: Sequence[Outgoing]) -> None:
        """Until Kafka's client has taken all of them: it waits while a broker is away."""
        if len(rows) < _BATCH_FROM:
            for row in rows:
                await self._patiently(partial(self._send_one, topic, partition, row))
            return
        left = list(rows)
        while left:
            batch = self._client.create_batch()
            ids: list[UUID] = []
            for row in left:
                taken = batch.append(
                    key=row.key.encode(),
                    value=row.payload,
                    timestamp=None,
                    headers=wire_headers(row.headers),
                )
                if taken is None:
                    break
                ids.append(row.id)
            left = left[len(ids) :]
            batch.close()
            await self._patiently(partial(self._send_batch, topic, partition, batch, ids))

    async def _send_one(self, topic: str, partition: int, row: Outgoing) -> None:
        future = await self._client.send(
            topic,
            row.payload,
            row.key.encode(),
            partition=partition,
            headers=wire_headers(row.headers),
        )
        future.add_done_callback(partial(self._done, [row.id]))

    async def _send_batch(self, topic: str, partition: int, batch: Any, ids: list[UUID]) -> None:
        future = await self._client.send_batch(batch, topic, partition=partition)
        future.add_done_callback(partial(self._done, ids))

    async def _patiently(self, attempt: Callable[[], Any]) -> None:
        while True:
            try:
                await attempt()
                return
            except KafkaTimeoutError:  # its buffer is full: the broker is away
                log.warning("producer_waits_for_kafka")

    def _judge(self, future: "asyncio.Future[object]") -> None:
        """A letter that Kafka refused ends this producer's life as a row does."""
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is not None:
            self._watcher.broken(error)

    def _done(self, ids: list[UUID], future: "asyncio.Future[object]") -> None:
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is None:
            if FAULTS.armed:
                FAULTS.published(ids)
            self._watcher.confirmed(ids)
        else:
            self._watcher.broken(error)
