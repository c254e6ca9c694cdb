"""Timers: whatever is due gets its tick. The rows are the timers; this only looks at them."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from chassis.clock import Clock
from chassis.errors import Conflict, Unavailable
from chassis.messaging import partitions
from chassis.saga import metrics
from chassis.saga.engine import SagaEngine
from chassis.stores.postgres import Database

log = structlog.get_logger()

POLL_S = 0.25
"""How often a replica looks for what is due, when nothing rouses it."""

PER_SHARD_MAX = 100
"""Sagas of one shard in one claim: a shard full of troubled sagas does not starve the others."""

GAUGES_S = 5.0
COUNT_SHARE = 0.003
"""Counting reads an entry for every open saga: it takes no more than this share of the time."""

COUNT_TIMEOUT_S = 30.0
TABLES_POLL_S = 1.0
PARTITIONS_AHEAD = 4
"""Weeks of history for which a partition is there in advance."""

PARTITIONS_S = 6 * 3600.0
PARTITIONS_AGAIN_S = 60.0
PRUNE_TIMEOUT_S = 60.0
KEEP = timedelta(days=90)
"""For how long a saga is to be seen after its end, and its history with it."""


class Timers:
    """One replica's timers: `run` for ever, `rouse` when a lock may have become free."""

    def __init__(
        self,
        engine: SagaEngine,
        database: Database,
        clock: Clock,
        *,
        poll_s: float = POLL_S,
        keep: timedelta = KEEP,
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._poll_s = poll_s
        self._keep = keep
        self._roused = asyncio.Event()
        self._gauges_at = self._counts_at = 0.0
        self._partitions_at = 0.0

    def rouse(self, _ended: int = 0) -> None:
        """Look at once: sagas ended, so others may have their locks."""
        self._roused.set()

    async def run(self) -> None:
        """Tick until cancelled. What fails is tried again: this loop holds no state."""
        await self._tables_are_there()
        while True:
            try:
                woken = await self._engine.wake(per_shard=PER_SHARD_MAX)
                await self._housekeeping()
            except (Unavailable, Conflict) as error:
                log.warning("saga_timers_wait", reason=str(error))
                woken = 0
            except Exception:
                log.exception("saga_timers_failed")
                woken = 0
            if woken < PER_SHARD_MAX:
                await self._pause()

    async def _tables_are_there(self) -> None:
        """A new database gets its tables while the service starts."""
        while True:
            try:
                if await self._database.fetchval("SELECT to_regclass('saga_instance')"):
                    return
            except (Unavailable, Conflict) as error:
                log.warning("saga_timers_wait", reason=str(error))
            await self._clock.sleep(TABLES_POLL_S)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._roused.wait()
        except TimeoutError:
            return
        self._roused.clear()

    async def _housekeeping(self) -> None:
        now = self._clock.monotonic()
        if now >= self._gauges_at:
            self._gauges_at = now + GAUGES_S
            await self.look_for_overdue()
        if now >= self._counts_at:
            await self.count()
            took = self._clock.monotonic() - now
            self._counts_at = now + max(GAUGES_S, took / COUNT_SHARE)
        if now >= self._partitions_at:
            self._partitions_at = now + PARTITIONS_AGAIN_S
            await self.keep_partitions()
            self._partitions_at = now + PARTITIONS_S

    async def keep_partitions(self) -> None:
        """Make those that come, drop those that nobody needs. Raises Conflict: later."""
        await self._database.execute(
            "SELECT saga_event_partitions($1)", PARTITIONS_AHEAD, timeout=30
        )
        await partitions.ahead(self._database, "saga_instance", "month")
        dropped = await self._database.fetchval(
            "SELECT prune_sagas($1)", self._keep, timeout=PRUNE_TIMEOUT_S
        )
        if dropped:
            log.info("sagas_pruned", partitions=dropped)

    async def look_for_overdue(self) -> None:
        """How late the timers are. Reads only what is due, however many wait."""
        overdue_s = await self._database.fetchval(
            "SELECT extract(epoch FROM now() - min(next_wake_at))::float8"
            " FROM saga_instance WHERE next_wake_at < now()"
        )
        metrics.OLDEST_OVERDUE.set(overdue_s or 0.0)

    async def count(self) -> None:
        """Set the gauges that need all open sagas. Reads their entries in two indexes, no row."""
        rows: list[Any] = await self._database.fetch(
            "SELECT type, status, count(*) AS sagas"
            " FROM saga_instance WHERE next_wake_at IS NOT NULL GROUP BY type, status",
            timeout=COUNT_TIMEOUT_S,
        )
        waiting = await self._database.fetchval(
            "SELECT count(*) FROM saga_instance"
            " WHERE phase = 'LOCKING' AND next_wake_at IS NOT NULL",
            timeout=COUNT_TIMEOUT_S,
        )
        metrics.gauges({(row["type"], row["status"]): row["sagas"] for row in rows}, waiting)
