"""Outbox to inbox through Kafka, against bare produce and consume of the same bytes."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.envelope import Envelope, Record, wire_headers
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.outbox import Outbox
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.messaging.subscription import Subscription
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import an_envelope
from tests.bench.messages import CHUNK, a_place
from tests.bench.table import Measurement
from tests.chassis.messaging.quota import a_chunk, a_commit_quota

EVENTS = 20_000
PACED_EVENTS = 400
PACE_S = 0.005
PARTITIONS = 6
WAIT_S = 120.0
LIMITS = RunnerLimits(buffer_records_max=4_000)


async def outbox_to_inbox(postgres_url: str, kafka: str) -> list[Measurement]:
    """From before the sender's commit until after the consumer's, all in one process."""
    group = f"bench-{new_id().hex[-8:]}"
    topics = [f"ours.{group}", f"bare.{group}", "billing.account.v1"]  # the last: what it causes
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
    try:
        async with a_place(postgres_url) as (database, _):
            bulk, paced = await _ours(database, kafka, group, topics[0])
        bare, hop = await _bare(kafka, topics[1])
    finally:
        await admin.delete_topics(topics)
        await admin.close()
    against = "bare aiokafka, same bytes"
    how = f"{EVENTS} events, each also changes a row and announces a fact"
    pace = f"{PACED_EVENTS} events, one at a time, {PACE_S * 1000:.0f} ms between them"
    return [
        Measurement("outbox > Kafka > inbox, bulk", bulk, bare, "events/s", against, how),
        Measurement("outbox > Kafka > inbox, p50", paced[0], hop[0], "ms", against, pace),
        Measurement("outbox > Kafka > inbox, p99", paced[1], hop[1], "ms", against, pace),
    ]


class Counted:
    """A handler that tells how many records are durably handled."""

    def __init__(self, chunk: CommandChunk) -> None:
        self._chunk = chunk
        self._done = 0
        self._moved = asyncio.Event()

    async def __call__(self, records: Sequence[Record]) -> None:
        await self._chunk(records)
        self._done += len(records)
        self._moved.set()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while self._done < count:
                self._moved.clear()
                await self._moved.wait()


@asynccontextmanager
async def _wired(
    database: Database, kafka: str, group: str, topic: str
) -> AsyncIterator[tuple[Relay, Counted]]:
    """A relay and a consumer, both ready."""
    clock = SystemClock()
    relay = Relay(database, clock, lambda wake: Producer(kafka, wake, client_id="bench"))
    await relay.start()
    counted = Counted(a_chunk(database, relay, relay, group=group))
    subscription = Subscription(
        bootstrap=kafka,
        group=group,
        topics=[topic],
        handler=counted,
        clock=clock,
        limits=LIMITS,
    )
    await subscription.start()
    try:
        async with asyncio.timeout(WAIT_S):
            while subscription.not_ready() or relay.not_ready():
                await clock.sleep(0.01)
        yield relay, counted
    finally:
        await subscription.stop()
        await relay.stop()


def _some(count: int, topic: str) -> list[Envelope]:
    return [an_envelope(a_commit_quota(new_id()), topic=topic) for _ in range(count)]


async def _ours(
    database: Database, kafka: str, group: str, topic: str
) -> tuple[float, tuple[float, float]]:
    clock = SystemClock()
    gc.collect()  # as a service does once it has started
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    async with _wired(database, kafka, group, topic) as (relay, counted):

        async def send(events: Sequence[Envelope]) -> None:
            outbox = Outbox()
            for event in events:
                outbox.append(event)
            await relay.commit(Statement(), outbox)

        events = _some(EVENTS, topic)
        began = time.perf_counter()
        for at in range(0, EVENTS, CHUNK):
            await send(events[at : at + CHUNK])
        await counted.reach(EVENTS)
        bulk = EVENTS / (time.perf_counter() - began)
        times = []
        for number, event in enumerate(_some(PACED_EVENTS, topic), EVENTS + 1):
            await clock.sleep(PACE_S)
            sent = time.perf_counter()
            await send([event])
            await counted.reach(number)
            times.append(time.perf_counter() - sent)
        sql = "SELECT count(*) FROM inbox WHERE consumer_group = $1"
        assert await database.fetchval(sql, group) == EVENTS + PACED_EVENTS, "each exactly once"
    return bulk, _percentiles_ms(times)


async def _bare(kafka: str, topic: str) -> tuple[float, tuple[float, float]]:
    """The same events, with their headers, and no more than that."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=f"{topic}-group",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, enable_idempotence=True, acks="all", max_batch_size=262_144
    )
    await consumer.start()
    await producer.start()
    try:
        async with asyncio.timeout(WAIT_S):
            bulk = await _bare_bulk(producer, consumer, topic)
            times = await _bare_paced(producer, consumer, topic)
    finally:
        await producer.stop()
        await consumer.stop()
    return bulk, _percentiles_ms(times)


async def _bare_bulk(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, topic: str) -> float:
    events = _some(EVENTS, topic)

    async def produce() -> None:
        for event in events:
            headers = wire_headers(event.headers())
            await producer.send(topic, event.data, event.key.encode(), headers=headers)

    began = time.perf_counter()
    sending = asyncio.create_task(produce())
    seen = 0
    while seen < EVENTS:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
    seconds = time.perf_counter() - began
    await sending
    return EVENTS / seconds


async def _bare_paced(
    producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, topic: str
) -> list[float]:
    clock, times = SystemClock(), []
    for event in _some(PACED_EVENTS, topic):
        await clock.sleep(PACE_S)
        sent = time.perf_counter()
        headers = wire_headers(event.headers())
        await producer.send(topic, event.data, event.key.encode(), headers=headers)
        await consumer.getone()
        times.append(time.perf_counter() - sent)
    return times


def _percentiles_ms(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return p50 * 1000, p99 * 1000
