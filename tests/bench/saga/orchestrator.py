"""An orchestrator process with a load of its own: keeps N sagas in flight until so many ended.

Reads LOAD (JSON: total, in_flight, batch, warm) and writes one JSON line of figures to stdout.
`warm` sagas run before those that count. `replicas` share one database: each has a load of its own,
begins when all are there, starts one for each that ends with it, whoever started that one, and
looks into the store only for the last of its own, which may end anywhere.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable

from chassis.clock import Clock, SystemClock, new_id
from chassis.messaging.deadletters import DeadLetters
from chassis.parking.lot import ParkingLot
from chassis.saga.auditor import Auditor
from chassis.saga.batch import REPLIES
from chassis.saga.chunk import SagaChunk
from chassis.saga.desk import SagaDesk, Start
from chassis.saga.engine import SagaEngine
from chassis.saga.store import GROUP
from chassis.saga.timers import Timers
from chassis.service import Service
from chassis.stores.postgres import Database
from chassis.wiring import Consumer, Wiring
from services.orchestrator.settings import Settings
from tests.bench.saga.trade import DEFINITIONS, announce, trade_thing
from tests.bench.sampler import Sampler

WORKSPACE = new_id()
STALL_S = 60
WATCH_S = 0.02
SETTLE_S = 3.0
_OPEN = "SELECT count(*) FROM saga_instance WHERE next_wake_at IS NOT NULL AND workspace_id = $1"
_REPLICAS = "SELECT count(*) FROM relay_member WHERE until > now()"
_SPAN = (1 << 64) - 1


class Load:
    """Starts sagas in batches as others end."""

    def __init__(
        self, engine: SagaEngine, database: Database, total: int, in_flight: int, batch: int
    ) -> None:
        self._engine, self._database = engine, database
        self.total, self._in_flight, self._batch = total, in_flight, batch
        self.started = self.ended = 0
        self.prices = 0
        self._moved = asyncio.Event()

    def freed(self, ended: int) -> None:
        self.ended += ended
        self._moved.set()

    def reset(self) -> None:
        self.started = self.ended = 0

    async def run(self, total: int, clock: Clock) -> dict[str, float]:
        """Until so many have ended."""
        began, cpu = time.time(), time.process_time()
        while self.started < total:
            room = min(self._in_flight - (self.started - self.ended), total - self.started)
            if room > 0 and (room >= self._batch or self.started + room == total):
                await self._engine.start([self._start() for _ in range(min(room, self._batch))])
                self.started += min(room, self._batch)
                continue
            self._moved.clear()
            async with asyncio.timeout(STALL_S):
                await self._moved.wait()
        async with asyncio.timeout(STALL_S):
            while await self._database.fetchval(_OPEN, WORKSPACE):
                await clock.sleep(WATCH_S)
        return {"began": began, "ended": time.time(), "cpu_s": time.process_time() - cpu}

    def _start(self) -> Start:
        self.prices += 1
        fields = {
            "workspace_id": str(WORKSPACE),
            "thing_id": str(new_id()),
            "price": self.prices,
        }
        trace = new_id().int  # as every request has one; without an exporter it is not sampled
        traceparent = f"00-{trace:032x}-{trace & _SPAN:016x}-00"
        return Start(trade_thing, fields, workspace_id=WORKSPACE, traceparent=traceparent)


def wire(plan: dict[str, int]) -> Callable[[Wiring], None]:
    """The orchestrator's wiring with the load beside it."""

    def extend(wiring: Wiring) -> None:
        database, clock = wiring.resources.database, SystemClock()
        desk = SagaDesk(
            DEFINITIONS,
            announce,
            database=database,
            shards=wiring.settings.topic_partitions,
            mint=wiring.resources.mint,
        )
        engine = SagaEngine(desk, wiring.relay, clock)
        timers = Timers(engine, database, clock)
        load = Load(engine, database, plan["total"], plan["in_flight"], plan["batch"])

        def freed(ended: int) -> None:
            load.freed(ended)
            timers.rouse()

        lot = ParkingLot(GROUP, database, DeadLetters(GROUP, wiring.relay))
        chunk = SagaChunk(engine, lot, clock, freed)
        wiring.home_topic = REPLIES
        wiring.consume(Consumer("orchestrator-replies", (REPLIES,), chunk))
        wiring.run("saga-timers", timers.run)
        wiring.run("saga-auditor", Auditor(database, clock).run)
        wiring.run("load", _measured(load, wiring, clock, plan))

    return extend


def _measured(
    load: Load, wiring: Wiring, clock: SystemClock, plan: dict[str, int]
) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        while any([await _fails(check) for check in list(wiring.checks.values())]):
            await clock.sleep(0.1)
        while await wiring.resources.database.fetchval(_REPLICAS) < plan["replicas"]:
            await clock.sleep(0.1)
        if plan["replicas"] > 1:
            await clock.sleep(SETTLE_S)  # partitions and shards are dealt out
        await load.run(plan["warm"], clock)
        load.reset()
        sampler = Sampler()
        if "PROFILE" in os.environ:
            sampler.start()
        figures = await load.run(load.total, clock)
        sampler.stop()
        sampler.write(os.environ.get("PROFILE", ""))
        print(json.dumps(figures), flush=True)

    return run


async def _fails(check: Callable[[], Awaitable[None]]) -> bool:
    try:
        await check()
    except Exception:
        return True
    return False


service = Service(
    name="orchestrator",
    settings=Settings,
    stores=("postgres",),
    extend=(wire(json.loads(os.environ["LOAD"])),),
)

if __name__ == "__main__":
    service.run()
