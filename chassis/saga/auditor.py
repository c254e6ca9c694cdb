"""Auditor: re-derives what must always hold from the engine's tables, and exports what does not.

It reads a bounded piece at a time, however many sagas there are, and never repairs:
`basalt_invariant_violations{name}` is the number found in the last look (or the last time through
the table), and a log line names the first sagas of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from chassis.clock import Clock
from chassis.errors import Conflict, Unavailable
from chassis.observability.metrics import VIOLATIONS
from chassis.stores.postgres import Database

log = structlog.get_logger()

LOOK_S = 5.0
ROWS_MAX = 100
"""Of each invariant, that are counted."""

PIECE = 1000
"""Rows of a table that one look reads, where an invariant is about all of its rows."""


@dataclass(frozen=True)
class Invariant:
    """`sql` gives the ids (as text) of what breaks it; $1 is the most of them.

    With `start` it goes through a table piece by piece, in the order of a key: it gives one row
    with those ids, the piece's last key and its size; $2 is the key to go on after, `start` at
    first, $3 the size wanted.
    """

    name: str
    sql: str
    start: str | UUID | None = None


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
        " WHERE next_wake_at < now() + interval '1 minute' LIMIT $1) AS s WHERE s.version <>"
        " (SELECT count(*) FROM saga_event AS e WHERE e.saga_id = s.id)",
    ),
    Invariant(
        "lock_without_holder",
        "WITH piece AS (SELECT key, queue[1] AS holder FROM entity_lock WHERE key > $2"
        " ORDER BY key LIMIT $3)"
        " SELECT ARRAY(SELECT p.key FROM piece AS p WHERE NOT EXISTS (SELECT FROM saga_instance"
        " AS s WHERE s.id = p.holder AND s.next_wake_at IS NOT NULL) LIMIT $1),"
        " (SELECT key FROM piece ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM piece)",
        start="",
    ),
    # Its keys are some of its fields with their names: those locks are looked at, and no others.
    Invariant(
        "saga_out_of_every_queue",
        "WITH piece AS (SELECT id, state FROM saga_instance WHERE phase = 'LOCKING'"
        " AND next_wake_at IS NOT NULL AND id > $2 ORDER BY id LIMIT $3)"
        " SELECT ARRAY(SELECT p.id::text FROM piece AS p WHERE NOT EXISTS (SELECT"
        " FROM json_each_text(p.state -> 'data') AS f JOIN entity_lock AS l"
        " ON l.key = f.key || ':' || f.value WHERE p.id = ANY(l.queue)) LIMIT $1),"
        " (SELECT id FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM piece)",
        start=UUID(int=0),
    ),
)


@dataclass
class _Sweep:
    """How far it is through a table, what it found on the way, and what the last one found."""

    after: str | UUID
    found: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


class Auditor:
    """One replica's auditor: `run` for ever."""

    def __init__(self, database: Database, clock: Clock, *, piece: int = PIECE) -> None:
        self._database = database
        self._clock = clock
        self._piece = piece
        self._sweeps = {i.name: _Sweep(i.start) for i in INVARIANTS if i.start is not None}

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
            if invariant.start is None:
                rows = await self._database.fetch(invariant.sql, ROWS_MAX)
                broken = [row[0] for row in rows]
            else:
                broken = await self._sweep(invariant, invariant.start)
            VIOLATIONS.labels(invariant.name).set(len(broken))
            if broken:
                found[invariant.name] = broken
                log.error(
                    "invariant_broken", name=invariant.name, count=len(broken), first=broken[:5]
                )
        return found

    async def _sweep(self, invariant: Invariant, start: str | UUID) -> list[str]:
        """Look at one piece more. What was found stands until the table was gone through again."""
        sweep = self._sweeps[invariant.name]
        broken, last, rows = await self._database.fetchrow(
            invariant.sql, ROWS_MAX, sweep.after, self._piece
        )
        sweep.found += broken
        sweep.after = last
        if rows < self._piece:
            self._sweeps[invariant.name] = sweep = _Sweep(start, before=sweep.found)
        return list(dict.fromkeys(sweep.before + sweep.found))[:ROWS_MAX]
