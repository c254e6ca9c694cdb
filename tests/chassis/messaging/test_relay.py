"""Relay on real PostgreSQL and Kafka: everything committed arrives, in order, and is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.errors import Conflict
from chassis.messaging.envelope import Envelope, decode
from chassis.messaging.limits import RelayLimits
from chassis.messaging.outbox import PAYLOAD_BYTES_MAX, Outbox
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.stores.migrate import CHASSIS, migrate
from chassis.stores.postgres import Database, Statement
from chassis.testing.clock import START

LIMITS = RelayLimits(lease_s=1.0, tick_s=0.2, poll_age_s=0.4, unroutable_s=0.5, retry_s=0.1)
START_S = 15.0


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    await migrate(fresh_database, [CHASSIS])
    database = await Database.open(fresh_database, pool_max=6)
    yield database
    await database.close()


@pytest.fixture
async def topic(kafka_bootstrap: str) -> str:
    name = f"relay.{new_id().hex}.v1"
    await create_topic(kafka_bootstrap, name)
    return name


@pytest.fixture
async def a_relay(database: Database, kafka_bootstrap: str) -> AsyncIterator[Callable[[], Relay]]:
    made: list[Relay] = []

    def make() -> Relay:
        relay = Relay(
            database,
            SystemClock(),
            lambda watcher: Producer(kafka_bootstrap, watcher, client_id="test"),
            LIMITS,
        )
        made.append(relay)
        return relay

    yield make
    for relay in made:
        await relay.stop()


async def create_topic(bootstrap: str, name: str) -> None:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)  # aiokafka is untyped
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()


async def ready(*relays: Relay) -> None:
    async with asyncio.timeout(START_S):
        while any(relay.not_ready() for relay in relays):
            await SystemClock().sleep(0.01)


async def emptied(database: Database) -> None:
    async with asyncio.timeout(START_S):
        while await database.fetchval("SELECT count(*) FROM outbox"):
            await SystemClock().sleep(0.02)


def an_event(topic: str, key: str, number: int) -> Envelope:
    return Envelope(
        id=new_id(),
        type="test.Happened.v1",
        source="/basalt/test",
        subject=key,
        time=START,
        key=key,
        topic=topic,
        data=str(number).encode(),
    )


async def commit(relay: Relay, *events: Envelope) -> None:
    outbox = Outbox()
    for event in events:
        outbox.append(event)
    await relay.commit(Statement(), outbox)


async def arrived(bootstrap: str, topic: str, count: int) -> list[Envelope]:
    """The first `count` different messages of the topic, as a consumer meets them."""
    consumer: Any = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen: dict[UUID, Envelope] = {}
    try:
        async with asyncio.timeout(START_S):
            while len(seen) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        envelope = decode(record)
                        seen.setdefault(envelope.id, envelope)
    finally:
        await consumer.stop()
    return list(seen.values())


def per_key(events: list[Envelope]) -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for event in events:
        keys.setdefault(event.key, []).append(int(event.data))
    return keys


class TestRelay:
    async def test_what_is_committed_arrives_and_is_deleted(
        self,
        a_relay: Callable[[], Relay],
        database: Database,
        topic: str,
        kafka_bootstrap: str,
    ) -> None:
        relay = a_relay()
        await relay.start()
        await ready(relay)
        sent = an_event(topic, "key", 1)

        await commit(relay, sent)

        assert await arrived(kafka_bootstrap, topic, 1) == [sent]
        await emptied(database)

    async def test_what_a_dead_replica_left_is_sent_first(
        self,
        a_relay: Callable[[], Relay],
        database: Database,
        topic: str,
        kafka_bootstrap: str,
    ) -> None:
        await commit(a_relay(), *(an_event(topic, "key", n) for n in range(20)))  # never started
        relay = a_relay()
        await relay.start()

        await commit(relay, an_event(topic, "key", 20))

        assert per_key(await arrived(kafka_bootstrap, topic, 21)) == {"key": list(range(21))}
        await emptied(database)

    async def test_two_replicas_keep_each_keys_order(
        self,
        a_relay: Callable[[], Relay],
        database: Database,
        topic: str,
        kafka_bootstrap: str,
    ) -> None:
        relays = [a_relay(), a_relay()]
        for relay in relays:
            await relay.start()
        await ready(*relays)

        async def write(key: str) -> None:  # serial per key, as aggregates are
            for number in range(40):
                await commit(relays[number % 2], an_event(topic, key, number))

        await asyncio.gather(*(write(f"key-{n}") for n in range(8)))

        order = per_key(await arrived(kafka_bootstrap, topic, 320))
        assert order == {f"key-{n}": list(range(40)) for n in range(8)}
        await emptied(database)

    async def test_rows_of_a_missing_topic_wait_without_holding_up_others(
        self,
        a_relay: Callable[[], Relay],
        database: Database,
        topic: str,
        kafka_bootstrap: str,
    ) -> None:
        relay, missing = a_relay(), f"missing.{new_id().hex}.v1"
        await relay.start()
        await ready(relay)

        await commit(relay, an_event(missing, "key", 0))
        await commit(relay, an_event(topic, "key", 1), an_event(missing, "key", 1))

        assert len(await arrived(kafka_bootstrap, topic, 1)) == 1
        await create_topic(kafka_bootstrap, missing)
        assert per_key(await arrived(kafka_bootstrap, missing, 2)) == {"key": [0, 1]}

    async def test_a_conflict_sends_nothing(
        self, a_relay: Callable[[], Relay], database: Database, topic: str
    ) -> None:
        relay = a_relay()
        await relay.start()
        await ready(relay)
        statement, outbox = Statement(), Outbox()
        statement.add("DELETE FROM inbox WHERE message_id = {}", new_id(), expect=1)
        outbox.append(an_event(topic, "key", 1))

        with pytest.raises(Conflict):
            await relay.commit(statement, outbox)

        assert await database.fetchval("SELECT count(*) FROM outbox") == 0

    async def test_a_stopped_replica_hands_its_shards_over_at_once(
        self, a_relay: Callable[[], Relay], database: Database
    ) -> None:
        first, second = a_relay(), a_relay()
        await first.start()
        await ready(first)
        await first.stop()
        await second.start()
        await ready(second)

        held = await database.fetchval("SELECT count(DISTINCT owner) FROM relay_lease")
        assert held == 1
        assert await database.fetchval("SELECT count(*) FROM relay_member") == 1


def test_what_kafka_would_refuse_is_refused_before_the_commit() -> None:
    event = an_event("topic", "key", 1)
    too_large = Envelope(
        **{
            name: getattr(event, name)
            for name in ("id", "type", "source", "subject", "time", "key", "topic")
        },
        data=b"x" * (PAYLOAD_BYTES_MAX + 1),
    )

    with pytest.raises(ValueError, match=r"test\.Happened\.v1: 900001 bytes"):
        Outbox().append(too_large)
