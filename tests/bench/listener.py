"""A service of its own that only hears events: inbox, and no effect besides.

python -m tests.bench.listener POSTGRES_URL KAFKA GROUP TOPIC COUNT...
Prints "ready", then for each count one JSON line once so many more are durably handled: when the
last one was, CPU and delays since the time in their headers, and the mean size of a chunk.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime

import structlog
import uvloop

from chassis.clock import SystemClock
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.envelope import Record
from chassis.messaging.handlers import Handlers
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.messaging.subscription import Subscription
from chassis.messaging.unit import Kit
from chassis.resources import Resources
from chassis.stores.postgres import Database
from contracts.billing.account import QuotaReserved

LIMITS = RunnerLimits(buffer_records_max=4_000)
WAIT_S = 120.0


async def hear(event: QuotaReserved) -> None:
    """Nothing to do."""


class Counted:
    """The real chunk, counted."""

    def __init__(self, chunk: CommandChunk) -> None:
        self._chunk = chunk
        self._moved = asyncio.Event()
        self.sent: list[str] = []
        self.handled: list[float] = []
        self.chunks = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        await self._chunk(records)
        now = time.time()
        self.sent += [dict(record.headers)["ce_time"].decode() for record in records]
        self.handled += [now] * len(records)
        self.chunks += 1
        self._moved.set()

    async def reach(self, count: int) -> dict[str, float]:
        """The figures of the next `count` records."""
        cpu = time.process_time()
        async with asyncio.timeout(WAIT_S):
            while len(self.handled) < count:
                self._moved.clear()
                await self._moved.wait()
        used = time.process_time() - cpu
        pairs = zip(self.sent, self.handled, strict=True)
        delays = sorted(at - datetime.fromisoformat(sent).timestamp() for sent, at in pairs)
        figures = {
            "ended": max(self.handled),
            "cpu_us": 1e6 * used / count,
            "p50_ms": 1000 * delays[len(delays) // 2],
            "p99_ms": 1000 * delays[int(len(delays) * 0.99)],
            "chunk": count / self.chunks,
        }
        self.sent, self.handled, self.chunks = [], [], 0
        return figures


async def main(url: str, kafka: str, group: str, topic: str, *counts: str) -> None:
    """Hear so many, and so many more."""
    clock, database = SystemClock(), await Database.open(url)
    relay = Relay(database, clock, lambda w: Producer(kafka, w, client_id=group))
    await relay.start()
    resources = Resources(settings=None, clock=clock, opened={"postgres": database})
    handlers = Handlers((hear,), provides={}, given={})
    kit = Kit("listener", group, handlers, resources, relay)
    counted = Counted(CommandChunk(kit, DeadLetters(group, relay)))
    subscription = Subscription(
        bootstrap=kafka, group=group, topics=[topic], handler=counted, clock=clock, limits=LIMITS
    )
    await subscription.start()
    while relay.not_ready() or subscription.not_ready():
        await clock.sleep(0.01)
    gc.collect()  # as a service does once it has started
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print("ready", flush=True)
    for count in counts:
        print(json.dumps(await counted.reach(int(count))), flush=True)
    await subscription.stop()
    await relay.stop()
    await database.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # stdout is ours
    uvloop.run(main(*sys.argv[1:]))
