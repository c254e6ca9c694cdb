"""The tail on a real Kafka: what passes is heard at once, what was before is not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import Record
from chassis.messaging.tail import Tail
from tests.chassis.messaging.test_relay import create_topic

HEARD_S = 15


class Ear:
    """Remembers values."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def __call__(self, records: Sequence[Record]) -> None:
        self.heard += [record.value or b"" for record in records]


@asynccontextmanager
async def tailing(bootstrap: str, ear: Ear, *topics: str) -> AsyncIterator[None]:
    tail = Tail(bootstrap=bootstrap, topics=topics, hear=ear, clock=SystemClock())
    task = asyncio.create_task(tail.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def a_producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def heard_something(producer: AIOKafkaProducer, topic: str, ear: Ear) -> None:
    """Until the tail has its place at the end: before that, what passes is not its business."""
    async with asyncio.timeout(HEARD_S):
        while not ear.heard:
            await producer.send_and_wait(topic, b"are you there")
            await SystemClock().sleep(0.1)


async def test_every_process_hears_what_passes_in_all_partitions(kafka_bootstrap: str) -> None:
    topic, one, other = f"tail-{new_id()}", Ear(), Ear()
    await create_topic(kafka_bootstrap, topic)

    async with a_producer(kafka_bootstrap) as producer:
        await producer.send_and_wait(topic, b"before")
        async with (
            tailing(kafka_bootstrap, one, topic),
            tailing(kafka_bootstrap, other, topic),
        ):
            await heard_something(producer, topic, one)
            await heard_something(producer, topic, other)
            for partition in range(3):
                await producer.send_and_wait(topic, b"now %d" % partition, partition=partition)
            wanted = {b"now 0", b"now 1", b"now 2"}
            async with asyncio.timeout(HEARD_S):
                while not (wanted <= set(one.heard) and wanted <= set(other.heard)):
                    await SystemClock().sleep(0.05)

    assert b"before" not in one.heard + other.heard


async def test_a_topic_that_is_not_there_yet_is_waited_for(kafka_bootstrap: str) -> None:
    topic, ear = f"tail-{new_id()}", Ear()

    async with tailing(kafka_bootstrap, ear, topic), a_producer(kafka_bootstrap) as producer:
        await SystemClock().sleep(1.0)
        await create_topic(kafka_bootstrap, topic)
        await heard_something(producer, topic, ear)

    assert set(ear.heard) == {b"are you there"}
