"""Row + outbox, and outbox to inbox, against the bare drivers on the same servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import Envelope, wire_headers
from chassis.messaging.outbox import Outbox
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.messaging.runner import RunnerLimits
from chassis.messaging.subscription import Subscription
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import an_envelope
from contracts.billing.account import QuotaReserved
from tests.bench.table import Measurement
from tests.chassis.messaging.quota import a_chunk, a_commit_quota, a_database

WORKERS = 8
TRANSACTIONS = 4_000
EVENTS = 20_000
CHUNK = 256
PACED_EVENTS = 400
PACE_S = 0.005
PARTITIONS = 6
WAIT_S = 120.0
LINKED_MS = 1000.0

RAW = """
WITH kept AS (INSERT INTO orders VALUES ($1, $2))
INSERT INTO outbox (id, aggregatetype, aggregateid, type, topic, headers, payload, shard, epoch)
VALUES ($3, 'billing.account', $4, 't', 'billing.account.v1', $5, $6, 1, 0)
"""
HEADERS = '{"ce_id": "x", "ce_type": "billing.QuotaReserved.v1"}'
BODY = b'{"workspace_id": "0", "reservation_id": "1", "units": 1}'


def an_event() -> Envelope:
    """A fact to send."""
    fact = QuotaReserved(workspace_id=new_id(), reservation_id=new_id(), app_id=new_id(), units=1)
    return an_envelope(fact)


@asynccontextmanager
async def a_place(postgres_url: str) -> AsyncIterator[tuple[Database, str]]:
    """A fresh database with the chassis's tables and one of orders, and its URL."""
    name = f"bench_{new_id().hex}"
    url = f"{postgres_url.rsplit('/', 1)[0]}/{name}"
    admin = await asyncpg.connect(postgres_url, timeout=10)
    await admin.execute(f"CREATE DATABASE {name}", timeout=60)
    database = await a_database(url)
    try:
        await database.execute("CREATE TABLE orders (id uuid PRIMARY KEY, state jsonb NOT NULL)")
        yield database, url
    finally:
        await database.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)", timeout=60)
        await admin.close(timeout=5)


async def _rate(work: Callable[[], Awaitable[object]], total: int) -> float:
    """Calls per second, WORKERS at a time."""

    async def worker() -> None:
        for _ in range(total // WORKERS):
            await work()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return total / (time.perf_counter() - began)


async def row_and_outbox(postgres_url: str, kafka: str) -> list[Measurement]:
    """Transactions of one row and one message, one by one and set-based."""
    async with a_place(postgres_url) as (database, url):
        pool = await asyncpg.create_pool(url, min_size=WORKERS, max_size=WORKERS)
        clock = SystemClock()
        relay = Relay(database, clock, lambda wake: Producer(kafka, wake, client_id="bench"))

        async def raw() -> None:
            async with pool.acquire(timeout=10) as connection:
                identity = new_id()
                values = (identity, '{"a": 1}', new_id(), str(identity), HEADERS, BODY)
                await connection.execute(RAW, *values, timeout=10)

        async def ours(rows: int = 1) -> None:
            statement, outbox = Statement(), Outbox()
            statement.add(
                "INSERT INTO orders SELECT id, state::jsonb"
                " FROM unnest({}::uuid[], {}::text[]) AS u(id, state)",
                [new_id() for _ in range(rows)],
                ['{"a": 1}'] * rows,
            )
            for _ in range(rows):
                outbox.append(an_event())
            await relay.commit(statement, outbox)

        peer = await _rate(raw, TRANSACTIONS)
        alone = await _rate(ours, TRANSACTIONS)
        chunks = await _rate(lambda: ours(CHUNK), 8 * WORKERS) * CHUNK
        await pool.close()
    against = "raw asyncpg, the same in one CTE"
    how = f"{WORKERS} workers, relay not running"
    return [
        Measurement("row + outbox, one by one", alone, peer, "tx/s", against, how),
        Measurement(f"row + outbox, chunks of {CHUNK}", chunks, peer, "rows/s", against, how),
    ]


async def outbox_to_inbox(postgres_url: str, kafka: str) -> list[Measurement]:
    """Events from a commit to the consumer's commit; bare produce and consume for comparison."""
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
    pace = f"{1 / PACE_S:.0f} events/s"
    return [
        Measurement("outbox > Kafka > inbox, bulk", bulk, bare, "events/s", against, f"{EVENTS}"),
        Measurement("outbox > Kafka > inbox, p50", paced[0], hop[0], "ms", against, pace),
        Measurement("outbox > Kafka > inbox, p99", paced[1], hop[1], "ms", against, pace),
    ]


@asynccontextmanager
async def _wired(database: Database, kafka: str, group: str, topic: str) -> AsyncIterator[Relay]:
    """A relay and a consumer, both ready."""
    clock = SystemClock()
    relay = Relay(database, clock, lambda wake: Producer(kafka, wake, client_id="bench"))
    await relay.start()
    subscription = Subscription(
        bootstrap=kafka,
        group=group,
        topics=[topic],
        handler=a_chunk(database, relay, relay, group=group),
        clock=clock,
        limits=RunnerLimits(chunk_records_max=512, buffer_records_max=4_000),
    )
    await subscription.start()
    async with asyncio.timeout(WAIT_S):
        while subscription.not_ready() or relay.not_ready():
            await clock.sleep(0.01)
    yield relay
    await subscription.stop()
    await relay.stop()


async def _ours(
    database: Database, kafka: str, group: str, topic: str
) -> tuple[float, tuple[float, float]]:
    clock = SystemClock()

    async def handled(count: int) -> None:
        sql = "SELECT count(*) FROM inbox WHERE consumer_group = $1"
        async with asyncio.timeout(WAIT_S):
            while await database.fetchval(sql, group) < count:
                await clock.sleep(0.002)

    async with _wired(database, kafka, group, topic) as relay:

        async def send(events: list[Envelope]) -> None:
            outbox = Outbox()
            for event in events:
                outbox.append(event)
            await relay.commit(Statement(), outbox)

        events = [an_envelope(a_commit_quota(new_id()), topic=topic) for _ in range(EVENTS)]
        began = time.perf_counter()
        for at in range(0, EVENTS, CHUNK):
            await send(events[at : at + CHUNK])
        await handled(EVENTS)
        bulk = EVENTS / (time.perf_counter() - began)
        times = []
        for number in range(1, PACED_EVENTS + 1):
            sent = time.perf_counter()
            await send([an_envelope(a_commit_quota(new_id()), topic=topic)])
            await handled(EVENTS + number)
            times.append((time.perf_counter() - sent) * LINKED_MS)
            await clock.sleep(PACE_S)
    return bulk, _percentiles(times)


async def _bare(kafka: str, topic: str) -> tuple[float, tuple[float, float]]:
    events = [an_envelope(a_commit_quota(new_id()), topic=topic) for _ in range(EVENTS)]
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

    async def produce() -> None:
        for event in events:
            headers = wire_headers(event.headers())
            await producer.send(topic, event.data, event.key.encode(), headers=headers)

    async with asyncio.timeout(WAIT_S):
        began = time.perf_counter()
        sending = asyncio.create_task(produce())
        seen = 0
        while seen < EVENTS:
            seen += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
        bulk = EVENTS / (time.perf_counter() - began)
        await sending
        times = []
        for event in events[:PACED_EVENTS]:
            sent = time.perf_counter()
            await producer.send(topic, event.data, event.key.encode())
            await consumer.getone()
            times.append((time.perf_counter() - sent) * LINKED_MS)
    await producer.stop()
    await consumer.stop()
    return bulk, _percentiles(times)


def _percentiles(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
