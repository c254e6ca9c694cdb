"""Subscription: a consumer group's way into Kafka. FastStream wires, the PartitionRunner runs.

FastStream's subscriber has no handler: its own loop acknowledges in ways that lose or repeat
records. It gives connection, lifecycle and the rebalance hooks; offsets are ours.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from chassis.clock import Clock
from chassis.messaging.lanes import Place
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.quiet import quiet_kafka_logs
from chassis.messaging.runner import ChunkHandler, PartitionRunner

log = structlog.get_logger()

_REBALANCE_S = 30
_SESSION_S = 6
_CHECK_S = 2.0
_RETRY_S = 0.5
# One replica gets the same partitions of all topics. Round robin: what older replicas offer.
_ASSIGNORS = (RangePartitionAssignor, RoundRobinPartitionAssignor)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(
        self, runner: PartitionRunner, moved: Callable[[Iterable[Place]], None] | None
    ) -> None:
        self._runner = runner
        self._moved = moved

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._runner.revoked(list(revoked))

    async def on_partitions_assigned(self, assigned: Any) -> None:
        await self._runner.assigned(list(assigned))
        if self._moved is not None:
            self._moved(assigned)


class Subscription:
    """One group on some topics, handled chunk by chunk. `start` it, `stop` it.

    A group that is new begins with the oldest record.
    `instance`: this replica's name in the group (a static member), the same after a restart.
    `moved` hears the partitions after each assignment.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        handler: ChunkHandler,
        clock: Clock,
        limits: RunnerLimits | None = None,
        instance: str = "",
        moved: Callable[[Iterable[Place]], None] | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._instance = instance
        self._moved = moved
        self._topics = sorted(topics)
        self._handler = handler
        self._clock = clock
        self._limits = limits or RunnerLimits()
        self._task: asyncio.Task[None] | None = None
        self._down = "kafka: not connected yet"
        self._runner = PartitionRunner(handler, clock, self._limits)

    async def start(self) -> None:
        """Begin in the background; a broker that is down is waited for."""
        quiet_kafka_logs()
        self._task = asyncio.create_task(self._forever())

    async def stop(self) -> None:
        """Finish the chunks under way, commit, leave the group. Bounded by `drain_s`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def not_ready(self) -> str:
        """Why nothing is consumed now; "" when all is well. For /readyz."""
        if self._down:
            return self._down
        return "" if self._runner.ever_assigned else "kafka: partitions are not assigned yet"

    async def _forever(self) -> None:
        while True:
            self._runner = PartitionRunner(self._handler, self._clock, self._limits)
            try:
                await self._consume(self._runner)
            except (KafkaError, OSError, TimeoutError) as error:
                self._down = f"kafka: {type(error).__name__}"
                log.warning("consumer_interrupted", group=self._group, error=self._down)
            except Exception:
                self._down = "kafka: the consumer failed"
                log.exception("consumer_failed", group=self._group)
            await self._clock.sleep(_RETRY_S)

    async def _consume(self, runner: PartitionRunner) -> None:
        """One life of one consumer: ends by an error, by cancellation, or when it is stalled."""
        broker = self._broker()
        subscriber: Any = broker.subscriber(  # its precise type depends on the arguments
            *self._topics,
            group_id=self._group,
            group_instance_id=self._instance or None,
            ack_policy=AckPolicy.MANUAL,  # its default commits what was read, not what was done
            listener=_Listener(runner, self._moved),
            partition_assignment_strategy=_ASSIGNORS,
            auto_offset_reset="earliest",
            session_timeout_ms=_SESSION_S * 1000,
            heartbeat_interval_ms=_SESSION_S * 1000 // 3,
            rebalance_timeout_ms=_REBALANCE_S * 1000,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=500,
            fetch_min_bytes=1,
            check_crcs=False,
        )
        running: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(_REBALANCE_S):
                await broker.start()
            self._down = ""
            running = asyncio.create_task(runner.run(subscriber.consumer))
            while not (why := runner.stalled()):
                await asyncio.wait({running}, timeout=_CHECK_S)
                if running.done():
                    running.result()
                runner.observe(await self._waiting(subscriber.consumer, runner))
            log.error("consumer_stalled", group=self._group, error=why)
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            await runner.drain()
            await self._close(broker)

    async def _waiting(self, consumer: Any, runner: PartitionRunner) -> int:
        """Records beyond the consumer's positions; what cannot be found out counts as none."""
        try:
            async with asyncio.timeout(_CHECK_S):
                ends = await consumer.end_offsets(runner.places)
                positions = [await consumer.position(place) for place in ends]
        except (KafkaError, OSError, TimeoutError, ValueError):
            return 0
        return sum(max(0, end - at) for end, at in zip(ends.values(), positions, strict=True))

    def _broker(self) -> KafkaBroker:
        return KafkaBroker(
            self._bootstrap,
            client_id=f"basalt-{self._group}",
            consumer_only=True,
            allow_auto_create_topics=False,
            request_timeout_ms=5000,
            retry_backoff_ms=300,
            graceful_timeout=1.0,
            logger=None,
        )

    async def _close(self, broker: KafkaBroker) -> None:
        try:
            async with asyncio.timeout(self._limits.commit_timeout_s):
                await broker.stop()
        except (TimeoutError, KafkaError, OSError) as error:
            log.warning("consumer_cut_off", group=self._group, error=type(error).__name__)
