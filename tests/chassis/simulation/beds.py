"""Two Kafkas for one contract: the simulated one, and a real one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import Clock, SystemClock, new_id
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.producer import Producer, Watcher
from chassis.messaging.runner import ChunkHandler
from chassis.messaging.subscription import Subscription
from chassis.testing.simulation.clock import SimClock
from chassis.testing.simulation.faults import Fate, Faults, SimDelivery
from chassis.testing.simulation.kafka import SimKafka, SimProducer
from chassis.testing.simulation.loop import Process, SimLoop
from chassis.testing.simulation.members import SimSubscription

PARTITIONS = 3
PATIENCE_S = 60.0
LIMITS = RunnerLimits(poll_s=0.2, commit_s=0.3, drain_s=5.0, retry_s=0.05, retry_max_s=0.2)


class Member(Protocol):
    """A consumer group's member that has been started."""

    async def stop(self) -> None: ...


class Bed(Protocol):
    """A Kafka with one fresh topic, for one scenario."""

    topic: str
    clock: Clock

    async def producer(self, watcher: Watcher) -> Any: ...  # a Producer, real or simulated

    async def member(self, group: str, handler: ChunkHandler) -> Member: ...


Story = Callable[[Bed], Awaitable[None]]


class SimBed:
    """In memory, in virtual time, everything in one process."""

    topic = "contract.thing.v1"

    def __init__(self, faults: Faults | None = None) -> None:
        self.loop = SimLoop(  # type: ignore[abstract]  # what nobody here uses is missing
            Random("contract"),
            steps_max=1_000_000,
            seconds_max=600.0,
        )
        self.kafka = SimKafka(self.loop, partitions=PARTITIONS)
        self.clock: Clock = SimClock(self.loop)
        self.fate = Fate(faults or Faults(), Random("fate"))

    async def producer(self, watcher: Watcher) -> SimProducer:
        producer = SimProducer(self.kafka, watcher, SimDelivery(self.fate))
        await producer.start(10.0)
        return producer

    async def member(self, group: str, handler: ChunkHandler) -> SimSubscription:
        subscription = SimSubscription(self.kafka, group, [self.topic], handler, self.clock, LIMITS)
        subscription.start()
        return subscription

    def run(self, story: Story) -> None:
        async def main() -> None:
            task = self.loop.spawn(Process("contract"), _bounded(story(self)))
            await asyncio.wait({task})
            task.result()

        self.loop.run(main())
        assert not self.loop.errors


class RealBed:
    """A real broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.topic = f"contract.{new_id().hex}.v1"
        self.clock: Clock = SystemClock()

    async def producer(self, watcher: Watcher) -> Producer:
        producer = Producer(self._bootstrap, watcher, client_id="contract")
        await producer.start(10.0)
        return producer

    async def member(self, group: str, handler: ChunkHandler) -> Subscription:
        subscription = Subscription(
            bootstrap=self._bootstrap,
            group=f"{group}.{self.topic}",
            topics=[self.topic],
            handler=handler,
            clock=self.clock,
            limits=LIMITS,
        )
        await subscription.start()
        return subscription

    def run(self, story: Story) -> None:
        async def main() -> None:
            admin: Any = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)  # untyped
            await admin.start()
            try:
                await admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])
            finally:
                await admin.close()
            await _bounded(story(self))

        asyncio.run(main())


async def _bounded(story: Awaitable[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await story


async def until(clock: Clock, true: Callable[[], Any]) -> None:
    """Wait for it; the story's own deadline bounds this."""
    while not true():
        await clock.sleep(0.05)


class Heard:
    """A Watcher that remembers."""

    def __init__(self) -> None:
        self.confirmed_ids: list[Any] = []
        self.errors: list[BaseException] = []

    def confirmed(self, ids: Sequence[Any]) -> None:
        self.confirmed_ids += ids

    def unroutable(self, rows: Sequence[Any]) -> None:
        raise AssertionError("the topic is there")

    def broken(self, error: BaseException) -> None:
        self.errors.append(error)
