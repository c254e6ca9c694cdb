"""A consumer group's member in a simulated process: what Subscription is to a real one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from chassis.clock import Clock
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.runner import ChunkHandler, PartitionRunner
from chassis.testing.simulation.groups import Group, Member, Place
from chassis.testing.simulation.kafka import SimConsumer, SimKafka
from chassis.testing.simulation.loop import PROCESS


class SimSubscription:
    """One group on some topics, by the real PartitionRunner. `run` it; `leave` to rejoin."""

    def __init__(
        self,
        kafka: SimKafka,
        group: str,
        topics: Sequence[str],
        handler: ChunkHandler,
        clock: Clock,
        limits: RunnerLimits,
        moved: Callable[[Iterable[Place]], None] | None = None,
    ) -> None:
        self._kafka = kafka
        self._group: Group = kafka.group(group)
        self._topics = tuple(sorted(topics))
        self._handler, self._clock, self._limits = handler, clock, limits
        self._moved = moved
        self._member: Member | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._forever())

    async def stop(self) -> None:
        """Orderly: drain, commit, leave."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def leave(self) -> None:
        """As if the coordinator had put this member out: it joins again."""
        if self._member is not None and not self._member.out:
            self._group.leave(self._member)
            self._member.moved.set()

    async def _forever(self) -> None:
        while True:
            await self._life()
            await self._clock.sleep(0.5)

    async def _life(self) -> None:
        runner = PartitionRunner(self._handler, self._clock, self._limits)
        member = Member(PROCESS.get(), self._topics)
        consumer = SimConsumer(self._kafka, self._group, member)
        self._member = member
        running = asyncio.create_task(runner.run(consumer))
        self._group.join(member)
        try:
            while not member.out:
                await member.moved.wait()  # tidy: as long as the process lives
                member.moved.clear()
                await self._follow(member, consumer, runner)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await runner.drain()
            consumer.drop()
            self._group.leave(member)

    async def _follow(self, member: Member, consumer: SimConsumer, runner: PartitionRunner) -> None:
        if member.out:
            return
        if not member.given_back:
            consumer.drop()
            await runner.revoked()
            member.given_back = True
            self._group.progress()
        if member.generation == self._group.generation and not member.taken:
            member.taken = True
            places: Sequence[Place] = member.places
            consumer.take(places)
            await runner.assigned(places)
            if self._moved is not None:
                self._moved(places)
