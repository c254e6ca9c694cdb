"""Tail: facts as they pass, without a consumer group.

For processes that want to know at once that something happened, and can do without knowing: every
process reads every partition from its end, keeps no offset, and after an outage goes on at the
end again. Nothing durable may hang on it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from chassis.clock import Clock
from chassis.messaging.envelope import Record
from chassis.messaging.quiet import quiet_kafka_logs

log = structlog.get_logger()

_START_S = 10.0
_RETRY_S = 1.0
_POLL_MS = 500
_RECORDS_MAX = 1_000

Hear = Callable[[Sequence[Record]], None]
"""Takes what passed. Must be quick: it runs between two polls."""


class Tail:
    """Reads `topics` until it is cancelled; a broker that is down is waited for."""

    def __init__(self, *, bootstrap: str, topics: Sequence[str], hear: Hear, clock: Clock) -> None:
        self._bootstrap, self._topics = bootstrap, sorted(topics)
        self._hear, self._clock = hear, clock

    async def run(self) -> None:
        """For ever."""
        quiet_kafka_logs()
        while True:
            try:
                await self._read()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("tail_interrupted", error=type(error).__name__)
            await self._clock.sleep(_RETRY_S)

    async def _read(self) -> None:
        consumer: Any = AIOKafkaConsumer(  # aiokafka is untyped
            *self._topics,
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=_POLL_MS,
            check_crcs=False,
            request_timeout_ms=5_000,
            retry_backoff_ms=300,
        )
        try:
            async with asyncio.timeout(_START_S):
                await consumer.start()  # without a group, every partition is its own
            while True:
                found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_MAX)
                for records in found.values():
                    self._hear(records)
        finally:
            await _stopped(consumer)


async def _stopped(consumer: Any) -> None:
    try:
        async with asyncio.timeout(_START_S):
            await consumer.stop()
    except (KafkaError, OSError, TimeoutError):
        log.warning("tail_stop_cut_off")
