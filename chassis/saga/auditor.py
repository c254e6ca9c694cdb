"""Auditor: re-derives what must always hold from the engine's tables, and exports what does not.

It reads a bounded piece at a time and never repairs: `basalt_invariant_violations{name}` is the
number found in the last look, and a log line names the first sagas of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge

from chassis.clock import Clock
from chassis.errors import Conflict, Unavailable
from chassis.stores.postgres import Database

log = structlog.get_logger()

VIOLATIONS = Gauge(
    "basalt_invariant_violations", "Rows that break an invariant, at the last look", ["name"]
)
LOOK_S = 5.0
ROWS_MAX = 100
"""Of each invariant, that are counted."""


@dataclass(frozen=True)
class Invariant:
    """`sql` gives the ids (as text) of what breaks it; $1 is the most of them."""

    name: str
    sql: str


INVARIANTS = (
    Invariant(
        "saga_overdue",
        "SELECT id::text FROM saga_instance"
        " WHERE next_wake_at < now() - interval '30 seconds' LIMIT $1",
    ),
    Invariant(
        "saga_needs_attention",
        "SELECT id::text FROM saga_instance WHERE status = 'NEEDS_ATTENTION' LIMIT $1",
    ),
    Invariant(
        "saga_history_gap",
        "SELECT s.id::text FROM (SELECT id, version FROM saga_instance"
        " WHERE next_wake_at IS NOT NULL ORDER BY next_wake_at LIMIT $1) AS s WHERE s.version <>"
        " (SELECT count(*) FROM saga_event AS e WHERE e.saga_id = s.id)",
    ),
    Invariant(
        "lock_without_holder",
        "SELECT l.key FROM entity_lock AS l LEFT JOIN saga_instance AS s ON s.id = l.queue[1]"
        " WHERE s.next_wake_at IS NULL LIMIT $1",
    ),
    Invariant(
        "saga_out_of_every_queue",
        "SELECT id::text FROM saga_instance AS s WHERE phase = 'LOCKING'"
        " AND next_wake_at IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM entity_lock AS l WHERE s.id = ANY(l.queue)) LIMIT $1",
    ),
)


class Auditor:
    """One replica's auditor: `run` for ever."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Look every few seconds until cancelled. A database that is away is waited for."""
        while True:
            await self._clock.sleep(LOOK_S)
            try:
                await self.look()
            except (Unavailable, Conflict) as error:
                log.warning("auditor_waits", reason=str(error))

    async def look(self) -> dict[str, Sequence[str]]:
        """What breaks each invariant now, by its name; those that hold are left out."""
        found: dict[str, Sequence[str]] = {}
        for invariant in INVARIANTS:
            rows = await self._database.fetch(invariant.sql, ROWS_MAX)
            VIOLATIONS.labels(invariant.name).set(len(rows))
            if rows:
                found[invariant.name] = broken = [row[0] for row in rows]
                log.error(
                    "invariant_broken", name=invariant.name, count=len(rows), first=broken[:5]
                )
        return found
