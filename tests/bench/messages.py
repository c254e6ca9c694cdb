"""Row + outbox in one transaction, against the bare driver on the same server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import orjson

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import Envelope
from chassis.messaging.outbox import Outbox
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import an_envelope
from contracts.billing.account import QuotaReserved
from tests.bench.table import Measurement
from tests.chassis.messaging.quota import a_database

WORKERS = 8
TRANSACTIONS = 4_000
WARM = 400
CHUNK = 256
CHUNKS = 64

RAW = """
WITH kept AS (INSERT INTO orders VALUES ($1, $2))
INSERT INTO outbox (id, aggregatetype, aggregateid, type, topic, headers, payload, shard, epoch)
VALUES ($3, 'billing.account', $4, 't', 'billing.account.v1', $5, $6, 1, 0)
"""


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
        event = an_event()
        headers, body = orjson.dumps(event.headers()).decode(), event.data
        relay = Relay(database, clock, lambda wake: Producer(kafka, wake, client_id="bench"))

        async def raw() -> None:
            async with pool.acquire(timeout=10) as connection:
                identity = new_id()
                values = (identity, '{"a": 1}', new_id(), str(identity), headers, body)
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

        await _rate(raw, WARM)
        await _rate(ours, WARM)
        peer = await _rate(raw, TRANSACTIONS)
        alone = await _rate(ours, TRANSACTIONS)
        chunks = await _rate(lambda: ours(CHUNK), CHUNKS) * CHUNK
        await pool.close()
    against = "raw asyncpg, the same in one CTE"
    how = f"{WORKERS} workers, {TRANSACTIONS} transactions, relay not running"
    return [
        Measurement("row + outbox, one by one", alone, peer, "tx/s", against, how),
        Measurement(f"row + outbox, chunks of {CHUNK}", chunks, peer, "rows/s", against, how),
    ]
