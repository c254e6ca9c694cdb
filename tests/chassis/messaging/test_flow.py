"""From a command's topic to facts and replies, with two replicas, one of them killed."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import read_headers
from chassis.messaging.outbox import Outbox
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import DirectCommit, a_command, an_envelope
from tests.chassis.messaging.quota import POISON, a_commit_quota, a_database
from tests.chassis.messaging.stage import (
    FACTS,
    PARTITIONS,
    PATIENCE_S,
    Replicas,
    a_reader,
    all_of,
    check_effects,
    check_facts,
    send,
    until_answered,
    wire,
)
from tests.servers import Servers


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
    poison = [a_command(a_commit_quota(new_id(), app_id=POISON)) for _ in range(3)]
    garbage = (f"cmd.{group}.v1", b"key", b"\xff", [("ce_type", b"\xff\xfe")])

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        first, second = commands[:300], commands[300:]
        await send(kafka_bootstrap, [wire(group, c) for c in [*first, *first, *poison]])
        await until_answered(reader, {c.id for c in first[:200]})
        await send(kafka_bootstrap, [wire(group, c) for c in [*second, *second]] + [garbage])
        replicas.kill()
        await until_answered(reader, {c.id for c in second})

    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))
    letters = [read_headers(r.headers) for r in await all_of(kafka_bootstrap, f"dlq.{group}")]
    failed = {letter["ce_id"] for letter in letters if letter["dlq_reason"] == "failed"}
    assert failed == {str(c.id) for c in poison}
    assert "undecodable" in {letter["dlq_reason"] for letter in letters}


async def test_a_frozen_replica_that_wakes_up_harms_nothing(
    replicas: Replicas, database: Database, kafka_bootstrap: str, group: str
) -> None:
    """It still believes in its shards and its partitions; both have moved."""
    await replicas.start(2)
    workspaces = [new_id() for _ in range(10)]
    reply_to = f"reply.{group}.v1"
    commands = [
        a_command(a_commit_quota(workspace), reply_to=reply_to)
        for _ in range(90)
        for workspace in workspaces
    ]

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        await send(kafka_bootstrap, [wire(group, c) for c in commands[:300]])
        await until_answered(reader, {c.id for c in commands[:20]})
        replicas.running[0].send_signal(signal.SIGSTOP)
        await send(kafka_bootstrap, [wire(group, c) for c in commands[300:600]])
        await until_answered(reader, {c.id for c in commands[300:600]})
        replicas.running[0].send_signal(signal.SIGCONT)
        await send(kafka_bootstrap, [wire(group, c) for c in commands[600:]])
        await until_answered(reader, {c.id for c in commands[600:]})

    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))


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

    took_s = clock.monotonic() - killed_at
    assert took_s <= 5.0, "the lease, a heartbeat, and the sending"
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
