"""From a command's topic to facts and replies, with two replicas, one of them killed."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.errors import Unavailable
from chassis.messaging.envelope import Envelope, decode, read_headers, wire_headers
from chassis.messaging.outbox import Outbox
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import DirectCommit, a_command, an_envelope
from tests.chassis.messaging.quota import POISON, a_commit_quota, a_database
from tests.servers import Servers

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


@pytest.fixture
async def group(kafka_bootstrap: str) -> str:
    """A group with topics of its own; facts are shared."""
    name = f"flow{new_id().hex}"
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)  # aiokafka is untyped
    await admin.start()
    topics = (f"cmd.{name}.v1", f"reply.{name}.v1", f"dlq.{name}", FACTS)
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
    await admin.close()
    return name


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    database = await a_database(fresh_database)
    yield database
    await database.close()


@pytest.fixture
def replicas(
    fresh_database: str, database: Database, kafka_bootstrap: str, group: str
) -> Iterator[Replicas]:
    replicas = Replicas(fresh_database, kafka_bootstrap, group)
    yield replicas
    replicas.close()


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


async def test_a_replica_killed_in_the_middle_loses_and_doubles_nothing(
    replicas: Replicas, database: Database, kafka_bootstrap: str, group: str
) -> None:
    await replicas.start(2)
    workspaces = [new_id() for _ in range(20)]
    reply_to = f"reply.{group}.v1"
    commands = [
        a_command(a_commit_quota(workspace), reply_to=reply_to)
        for _ in range(50)
        for workspace in workspaces
    ]
    poison = [a_command(a_commit_quota(w, app_id=POISON), reply_to=reply_to) for w in workspaces]
    garbage = (f"cmd.{group}.v1", b"key", b"\xff", [("ce_type", b"\xff\xfe")])

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        first, second = commands[:300], commands[300:]
        await send(kafka_bootstrap, [wire(group, c) for c in [*first, *first, *poison[:3]]])
        await until_answered(reader, {c.id for c in first[:200]})
        await send(kafka_bootstrap, [wire(group, c) for c in [*second, *second]] + [garbage])
        replicas.kill()
        await until_answered(reader, {c.id for c in second})

    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))
    letters = [read_headers(r.headers) for r in await all_of(kafka_bootstrap, f"dlq.{group}")]
    failed = {letter["ce_id"] for letter in letters if letter["dlq_reason"] == "failed"}
    assert failed == {str(c.id) for c in poison[:3]}
    assert "undecodable" in {letter["dlq_reason"] for letter in letters}


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


async def test_a_killed_replicas_shards_move_within_five_seconds(
    replicas: Replicas, database: Database, kafka_bootstrap: str, group: str
) -> None:
    await replicas.start(2)
    owners = "SELECT count(*) FROM (SELECT owner FROM relay_lease GROUP BY owner) AS o"
    async with asyncio.timeout(PATIENCE_S):
        while await database.fetchval(owners) != 2:
            await SystemClock().sleep(0.05)
    outbox, clock = Outbox(), SystemClock()
    for _ in range(200):  # enough keys to meet every shard
        outbox.append(an_envelope(a_commit_quota(new_id()), topic=f"reply.{group}.v1"))

    replicas.kill()
    await DirectCommit(database).commit(Statement(), outbox)
    killed_at = clock.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        while await database.fetchval("SELECT count(*) FROM outbox"):
            await clock.sleep(0.05)

    assert clock.monotonic() - killed_at < 5.5  # the lease, a heartbeat, and the sending
    assert len(await all_of(kafka_bootstrap, f"reply.{group}.v1")) >= 200


@pytest.mark.parametrize("victim", ["kafka", "postgres"])
async def test_a_server_killed_in_the_middle_is_waited_for(
    servers: Servers,
    replicas: Replicas,
    database: Database,
    kafka_bootstrap: str,
    group: str,
    victim: str,
) -> None:
    await replicas.start(2)
    workspaces = [new_id() for _ in range(10)]
    reply_to = f"reply.{group}.v1"
    commands = [
        a_command(a_commit_quota(workspace), reply_to=reply_to)
        for _ in range(60)
        for workspace in workspaces
    ]

    await send(kafka_bootstrap, [wire(group, c) for c in commands[:300]])
    await asyncio.to_thread(servers.kill9, victim)
    await asyncio.to_thread(servers.restart, victim)
    await send(kafka_bootstrap, [wire(group, c) for c in commands[300:]])

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        await until_answered(reader, {c.id for c in commands})
    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))
    assert await all_of(kafka_bootstrap, f"dlq.{group}") == [], "no attempts are burned"


async def test_sigterm_drains_and_commits_its_offsets(
    replicas: Replicas, database: Database, kafka_bootstrap: str, group: str
) -> None:
    await replicas.start(1)
    reply_to = f"reply.{group}.v1"
    commands = [a_command(a_commit_quota(new_id()), reply_to=reply_to) for _ in range(50)]
    async with a_reader(kafka_bootstrap, reply_to) as reader:
        await send(kafka_bootstrap, [wire(group, c) for c in commands])
        await until_answered(reader, {c.id for c in commands})

    (process,) = replicas.running
    process.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(process.wait, 20) == 0
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)  # aiokafka is untyped
    await admin.start()
    offsets = await admin.list_consumer_group_offsets(group)
    await admin.close()
    assert sum(place.offset for place in offsets.values()) == 50
    assert await database.fetchval("SELECT count(*) FROM outbox") == 0
    assert await database.fetchval("SELECT count(*) FROM relay_member") == 0
