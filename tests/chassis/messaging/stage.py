"""Replicas, Kafka's topics and what must hold in the end, for the flow tests."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.clock import SystemClock
from chassis.errors import Unavailable
from chassis.messaging.envelope import Envelope, decode, wire_headers
from chassis.stores.postgres import Database

FACTS = "billing.account.v1"
PARTITIONS = 4
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[3]


class Replicas:
    """Processes of `replica.py`."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.running: list[subprocess.Popen[str]] = []

    async def start(self, count: int) -> None:
        new = [self._spawn() for _ in range(count)]
        self.running += new
        async with asyncio.timeout(PATIENCE_S):
            for process in new:
                assert process.stdout is not None
                while "ready" not in await asyncio.to_thread(process.stdout.readline):
                    assert process.poll() is None, "the replica ended"

    def _spawn(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.chassis.messaging.replica", *self._arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def kill(self) -> None:
        """kill -9 one of them."""
        self.running.pop().kill()

    def close(self) -> None:
        for process in self.running:
            process.kill()


@asynccontextmanager
async def a_reader(bootstrap: str, *topics: str) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def send(bootstrap: str, records: list[tuple[str, bytes, bytes, Any]]) -> None:
    """Keyed records, each key in order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    for topic, key, value, headers in records:
        await producer.send(topic, value, key, headers=headers)
    await producer.stop()


def wire(group: str, command: Envelope) -> tuple[str, bytes, bytes, Any]:
    return (
        f"cmd.{group}.v1",
        command.key.encode(),
        command.data,
        wire_headers(command.headers()),
    )


async def until_answered(reader: Any, wanted: set[UUID]) -> None:
    """Read replies until each of these commands has one."""
    async with asyncio.timeout(PATIENCE_S):
        while wanted:
            for records in (await reader.getmany(timeout_ms=200)).values():
                wanted -= {decode(record).causation_id for record in records}


async def all_of(bootstrap: str, topic: str) -> list[Any]:
    """Every record of the topic up to its end now."""
    found: list[Any] = []
    async with a_reader(bootstrap, topic) as reader:
        places = [TopicPartition(topic, n) for n in reader.partitions_for_topic(topic)]
        ends = await reader.end_offsets(places)
        async with asyncio.timeout(PATIENCE_S):
            while sum(ends.values()) > len(found):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += records
    return found


async def check_effects(database: Database, commands: list[Envelope]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        rows = await fetched(database, "SELECT state FROM account")
    commits = Counter(commit for row in rows for commit in row["state"]["commits"])
    assert len(commits) == len(commands)
    assert set(commits.values()) == {1}, "once each"
    async with asyncio.timeout(PATIENCE_S):
        while await database.fetchval("SELECT count(*) FROM outbox"):
            await SystemClock().sleep(0.05)


async def fetched(database: Database, sql: str) -> list[Any]:
    """The test's own connections may have died with the server."""
    while True:
        try:
            return await database.fetch(sql)
        except Unavailable:
            await SystemClock().sleep(0.1)


async def check_facts(bootstrap: str, keys: set[str], count: int) -> None:
    """A consumer that deduplicates sees each aggregate's versions without a gap, in order."""
    versions: dict[str, list[int]] = {}
    seen: set[UUID] = set()
    for record in await all_of(bootstrap, FACTS):
        fact = decode(record)
        if fact.key in keys and fact.id not in seen:
            seen.add(fact.id)
            versions.setdefault(fact.key, []).append(fact.aggregate_version or 0)
    assert sum(map(len, versions.values())) == count
    for per_key in versions.values():
        assert per_key == list(range(1, len(per_key) + 1))
