"""Faults while sagas are under way: each ends complete or undone, and nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from redis.asyncio import Redis

from tests.flows.platform import Platform
from tests.flows.soundness import assert_sound, fetch, partitions_of
from tests.flows.traveller import Traveller

PUBLISHES = 6
ENDED = {"COMPLETED", "COMPENSATED"}


@asynccontextmanager
async def under_way(traveller: Traveller) -> AsyncIterator[None]:
    """Publishes of several apps are under way inside; afterwards all of them end."""
    apps = [traveller.story.app_id, await traveller.new_app(), await traveller.new_app()]
    begun = [asyncio.create_task(traveller.publish(app)) for app in apps * (PUBLISHES // 3)]
    await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    yield
    for operation in await asyncio.gather(*begun):
        ended = await traveller.ended(operation)
        assert ended["state"] in ENDED, ended


@pytest.mark.parametrize("service", ["orchestrator", "billing", "studio", "delivery", "activity"])
async def test_a_replica_killed_in_mid_saga_costs_nothing(
    platform: Platform, traveller: Traveller, service: str
) -> None:
    """Each replica holds relay shards and partitions of its own: both move to the other one."""
    async with under_way(traveller):
        platform.kill9(service, 0)

    platform.start_replica(service, 0)
    await assert_sound(platform)


async def test_every_message_again_changes_nothing(
    platform: Platform, traveller: Traveller
) -> None:
    async with under_way(traveller):
        pass
    await assert_sound(platform)
    before = await _state(platform)

    doubled = await _send_everything_again(platform)

    assert doubled > 50
    await assert_sound(platform)
    assert await _state(platform) == before


async def test_poison_goes_to_the_dead_letters_and_the_others_go_on(
    platform: Platform, traveller: Traveller
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=platform.servers.kafka_bootstrap)
    await producer.start()
    body = b"\xff\xfe poison"
    try:
        for topic in ("cmd.billing.v1", "cmd.studio.v1", "cmd.delivery.v1"):
            for partition in range(6):
                await producer.send_and_wait(
                    topic, body, key=b"poison", partition=partition, headers=[("ce_id", b"\xff")]
                )
    finally:
        await producer.stop()

    async with under_way(traveller):
        pass

    await assert_sound(platform)
    for group in ("billing", "studio", "delivery"):
        letters = await _records(platform, f"dlq.{group}")
        assert sum(value == body for value, _ in letters) == 6
        assert all(reason for value, reason in letters if value == body)


@pytest.mark.parametrize("server", ["kafka", "postgres"])
async def test_a_server_killed_and_restarted_costs_nothing(
    platform: Platform, traveller: Traveller, server: str
) -> None:
    async with under_way(traveller):
        platform.servers.kill9(server)
        platform.servers.restart(server)

    platform.await_ready()
    await assert_sound(platform)


async def test_redis_may_forget_everything(platform: Platform, traveller: Traveller) -> None:
    async with under_way(traveller):
        redis = Redis.from_url(platform.servers.redis_url)
        await redis.flushall()
        await redis.aclose()

    await assert_sound(platform)


async def _state(platform: Platform) -> list[tuple[str, str]]:
    """Every aggregate of the participants, as text."""
    tables = {"billing": ["account"], "delivery": ["app", "release"], "studio": ["app"]}
    return [
        (service, f"{row['id']} {row['revision']} {row['version']} {row['state']}")
        for service, names in tables.items()
        for name in names
        for row in await fetch(
            platform, service, f"SELECT id, revision, version, state FROM {name} ORDER BY id"
        )
    ]


async def _send_everything_again(platform: Platform) -> int:
    """Every record of every topic but the dead letters, with the same key and headers."""
    bootstrap = platform.servers.kafka_bootstrap
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await consumer.start()
    await producer.start()
    sent = 0
    try:
        parts = await partitions_of(platform, lambda topic: topic.endswith(".v1"))
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        await consumer.seek_to_beginning(*parts)
        for part, end in ends.items():
            while await consumer.position(part) < end:
                record = await asyncio.wait_for(consumer.getone(part), 10)
                if record.offset >= end:
                    break
                await producer.send(
                    part.topic,
                    record.value,
                    key=record.key,
                    partition=part.partition,
                    headers=list(record.headers),
                )
                sent += 1
        await producer.flush()
    finally:
        await consumer.stop()
        await producer.stop()
    return sent


async def _records(platform: Platform, topic: str) -> list[tuple[bytes, str]]:
    """Bodies and reasons of a dead-letter topic."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=platform.servers.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        batches = await consumer.getmany(timeout_ms=5_000)
        return [
            (record.value, " ".join(f"{k}={v!r}" for k, v in record.headers if "reason" in k))
            for records in batches.values()
            for record in records
        ]
    finally:
        await consumer.stop()
