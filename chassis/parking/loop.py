"""ParkedKeys: tries the first message of each parked key again, and lets the others follow.

Any number of replicas may do so at once. A claim moves the head's next try by a lease, so that they
mostly keep out of each other's way; what makes it safe is that a row is settled by compare-and-set
in the transaction of its effects, and that nobody takes a row while an older one of its key is
open. Who dies in between has done nothing, or has done it all.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from traceback import format_tb
from typing import Protocol

import structlog

from chassis.clock import Clock, chance, jittered
from chassis.errors import Conflict, Unavailable
from chassis.messaging.deadletters import place_of
from chassis.messaging.envelope import Undecodable
from chassis.parking import metrics
from chassis.parking.letter import COLUMNS, Letter, letter_of, plain
from chassis.parking.lot import STILL_OPEN, ParkingLot
from chassis.stores.postgres import Database

log = structlog.get_logger()

CLAIM = f"""
WITH RECURSIVE head AS (
    (SELECT line, seq, topic FROM dead_letter
        WHERE line > $1::text || ' ' AND line < $1::text || '!'
        ORDER BY line, seq LIMIT 1)
    UNION ALL
    SELECT next.line, next.seq, next.topic FROM head CROSS JOIN LATERAL (
        SELECT line, seq, topic FROM dead_letter WHERE line > head.line AND line < $1::text || '!'
        ORDER BY line, seq LIMIT 1) AS next
)
UPDATE dead_letter SET next_at = now() + $3 * interval '1 second'
WHERE seq = ANY(ARRAY(
    SELECT seq FROM dead_letter
    WHERE seq = ANY(ARRAY(SELECT seq FROM head WHERE topic = ANY($2::text[])))
        AND (next_at IS NULL OR next_at <= now()) AND {STILL_OPEN}
    ORDER BY next_at NULLS FIRST LIMIT $4 FOR UPDATE SKIP LOCKED))
RETURNING {COLUMNS}
"""  # noqa: S608
"""The heads that are due, longest overdue first; their next try is moved by the lease. The index
is read from key to key, however many wait behind each."""

NEXT = f"""
SELECT {COLUMNS} FROM dead_letter WHERE line = $1::text || ' ' || $2::text ORDER BY seq LIMIT $3
"""  # noqa: S608

FAIL = f"""
UPDATE dead_letter SET state = $3, error = $4, reason = $5, attempts = attempts + 1, pause_s = $6,
    next_at = CASE WHEN $3 = 'failed' THEN now() + $7 * interval '1 second' END, last_at = now()
WHERE id = $1 AND next_at IS NOT DISTINCT FROM $2 AND {STILL_OPEN}
"""  # noqa: S608
"""Only by whoever claimed it: an operator's redrive in the meantime is not undone."""

WAIT = f"""
UPDATE dead_letter SET next_at = now() + $3 * interval '1 second'
WHERE id = $1 AND next_at IS NOT DISTINCT FROM $2 AND {STILL_OPEN}
"""  # noqa: S608

COUNTS = """
SELECT state, count(*) AS rows, extract(epoch FROM now() - min(first_at))::float8 AS age
FROM dead_letter WHERE listed > 0 AND consumer_group = $1 GROUP BY state
"""

PRUNE = """
DELETE FROM dead_letter WHERE seq = ANY(ARRAY(SELECT seq FROM dead_letter
    WHERE state IN ('handled', 'discarded') AND last_at < now() - $1 * interval '1 second'
    LIMIT $2))
"""


class Replay(Protocol):
    """How a consumer handles what it parked."""

    async def __call__(self, letters: Sequence[Letter]) -> None:
        """Handle these of one key in order, and settle them in the transactions of their effects.
        Raises whatever prevents it; what is not settled then has had no effect."""
        ...


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Times in seconds, sizes in messages."""

    poll_s: float = 1.0
    count_s: float = 5.0
    lease_s: float = 60.0  # most tries end sooner; another replica's finds the row settled
    pause_s: float = 1.0  # after a failure; doubled each time, with jitter
    pause_max_s: float = 300.0
    keys_max: int = 4  # tried at once
    batch: int = 50  # that follow a head in one transaction
    conflicts_max: int = 5
    conflict_s: float = 0.02
    keep_s: float = 30 * 86_400.0  # what is handled or discarded
    prune_s: float = 3600.0
    prune_rows: int = 1000
    prune_batches: int = 100


class ParkedKeys:
    """One consumer's loop: the topics that it handles, and how."""

    def __init__(
        self,
        lot: ParkingLot,
        topics: Sequence[str],
        replay: Replay,
        database: Database,
        clock: Clock,
        limits: LoopLimits | None = None,
    ) -> None:
        self._lot, self._topics, self._replay = lot, list(topics), replay
        self._database, self._clock = database, clock
        self._limits = limits or LoopLimits()
        self._counted_at = self._pruned_at = float("-inf")

    async def run(self) -> None:
        """For ever; cut off at any moment it leaves nothing half done."""
        while True:
            try:
                claimed = await self.round()
            except (Unavailable, Conflict) as error:
                log.warning("parked_keys_wait", group=self._lot.group, error=str(error))
                claimed = 0
            if claimed < self._limits.keys_max:
                await self._wait()

    async def round(self) -> int:
        """Try what is due, once; how many keys that were."""
        self._lot.bell.clear()
        await self._house_keeping()
        limits = self._limits
        rows = await self._database.fetch(
            CLAIM, self._lot.group, self._topics, limits.lease_s, limits.keys_max
        )
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._advance_safely(letter_of(row)))
        return len(rows)

    async def _advance_safely(self, head: Letter) -> None:
        """One key's trouble is not the others'."""
        try:
            await self._advance(head)
        except (Unavailable, Conflict) as error:
            log.warning("parked_key_waits", queue=head.queue, error=str(error))
        except Exception:
            log.exception("parked_key_failed", queue=head.queue)

    async def _advance(self, head: Letter) -> None:
        """The head alone; when it succeeds, all that wait behind it, as far as it goes."""
        letters, size = [head], 1
        while letters:
            if await self._handled(letters):
                size = min(2 * size, self._limits.batch)
            elif len(letters) > 1:
                size = len(letters) // 2  # one of them fails: close in on it
            else:
                return
            letters = await self._following(head.queue, size)

    async def _following(self, queue: str, size: int) -> list[Letter]:
        rows = await self._database.fetch(NEXT, self._lot.group, queue, size)
        return [letter_of(row) for row in rows]

    async def _handled(self, letters: list[Letter]) -> bool:
        """Whether it succeeded. One that fails alone is written down; an outage burns no try."""
        first, alone = letters[0], len(letters) == 1
        try:
            await self._try(letters)
        except Unavailable as error:
            wait_s = error.retry_after or self._limits.pause_s + jittered(self._limits.pause_s)
            await self._database.execute(WAIT, first.id, first.next_at, wait_s)
            raise
        except Exception as error:
            if alone:  # in vain where somebody else has it, or an operator decided otherwise
                await self._failed(first, error)
            return False
        self._count("handled", len(letters))
        return True

    async def _try(self, letters: list[Letter]) -> None:
        for number in range(self._limits.conflicts_max):
            try:
                await self._replay(letters)
                return
            except Conflict:
                await self._clock.sleep(jittered(self._limits.conflict_s * 2**number))
        await self._replay(letters)

    async def _failed(self, letter: Letter, error: Exception) -> None:
        undecodable = isinstance(error, Undecodable)
        pause_s = min(max(self._limits.pause_s, 2 * letter.pause_s), self._limits.pause_max_s)
        self._count("undecodable" if undecodable else "failed", 1)
        log.error(
            "parked_message_failed",
            queue=letter.queue,
            letter_id=letter.id,
            attempts=letter.attempts + 1,
            error=place_of(error),
            stack="".join(format_tb(error.__traceback__)),  # not its text: may be secret
        )
        await self._database.execute(
            FAIL,
            letter.id,
            letter.next_at,
            "undecodable" if undecodable else "failed",
            plain(str(error)) if undecodable else place_of(error),
            "undecodable" if undecodable else "failed",
            pause_s,
            pause_s * (0.5 + 0.5 * chance()),
        )

    async def _house_keeping(self) -> None:
        now = self._clock.monotonic()
        if now - self._counted_at >= self._limits.count_s:
            self._counted_at = now
            await self._gauge()
        if now - self._pruned_at >= self._limits.prune_s:
            self._pruned_at = now
            await self._prune()

    async def _prune(self) -> None:
        """Forget what ended long ago, in short transactions."""
        for _ in range(self._limits.prune_batches):
            keep_s, most = self._limits.keep_s, self._limits.prune_rows
            tag = await self._database.execute(PRUNE, keep_s, most)
            if int(tag.rpartition(" ")[2]) < most:
                return

    async def _gauge(self) -> None:
        rows = await self._database.fetch(COUNTS, self._lot.group)
        found = {row["state"]: row["rows"] for row in rows}
        for state in ("failed", "waiting", "redriven", "undecodable"):
            metrics.LETTERS.labels(self._lot.group, state).set(found.get(state, 0))
        ages = [row["age"] for row in rows]
        metrics.OLDEST.labels(self._lot.group).set(max(ages, default=0.0))
        refused = found.pop("undecodable", 0)
        if max(refused, sum(found.values())) < self._lot.limits.open_max:
            metrics.FULL.labels(self._lot.group).set(0)

    def _count(self, outcome: str, count: int) -> None:
        metrics.RETRIES.labels(self._lot.group, outcome).inc(count)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._limits.poll_s):
                await self._lot.bell.wait()
        except TimeoutError:
            return
