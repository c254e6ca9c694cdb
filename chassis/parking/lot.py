"""ParkingLot: the parked keys and dead letters of one consumer group, in the service's database.

A key is parked as long as an open row of it exists (`failed`, `waiting` or `redriven`). Whoever
handles a message of Kafka looks that up in the read that its transaction begins with, and lines
up behind. Whoever handles a parked message settles its row, by compare-and-set, in the statement
of its effects. So no moment exists in which a key is free and an older message of it is not done.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.messaging.deadletters import DeadLetter, DeadLetters
from chassis.messaging.envelope import Envelope, Record, read_headers, type_of
from chassis.parking import metrics
from chassis.parking.letter import packed, plain, queue_of
from chassis.stores.postgres import Database
from chassis.stores.statement import Reading, Row, Statement

log = structlog.get_logger()

STILL_OPEN = "state NOT IN ('undecodable', 'discarded', 'handled')"
"""For rows that are found by their id: it fits no index, so that none is taken for it. Rows of a
key are found by `line`, which is set while they hold it up."""

READ = """
SELECT k.queue, (SELECT count(*) FROM dead_letter
        WHERE line > {}::text || ' ' AND line < {}::text || '!'),
    NULL::bigint, NULL::text, NULL::text
FROM unnest({}::text[]) AS k(queue) CROSS JOIN LATERAL (SELECT FROM dead_letter
    WHERE line = {}::text || ' ' || k.queue LIMIT 1) AS first
"""
"""Which queues are parked; the count is computed only when one is."""

NONE_PARKED = """
SELECT count(*) FROM unnest({}::text[]) AS k(queue) CROSS JOIN LATERAL (SELECT FROM dead_letter
    WHERE line = {}::text || ' ' || k.queue LIMIT 1) AS first
"""

PARK = """
INSERT INTO dead_letter (consumer_group, id, topic, partition, "offset", sent_ms, queue, key,
    headers, payload, message_id, type, traceparent, state, reason, error, handler, attempts,
    pause_s, next_at)
SELECT {}::text, u.*, CASE WHEN u.pause_s > 0 THEN now() + u.pause_s * interval '1 second' END
FROM unnest({}::uuid[], {}::text[], {}::int[], {}::bigint[], {}::bigint[], {}::text[],
    {}::bytea[], {}::text[], {}::bytea[], {}::uuid[], {}::text[], {}::text[],
    {}::text[], {}::text[], {}::text[], {}::text[], {}::int[], {}::float8[])
    AS u(id, topic, partition, "offset", sent_ms, queue, key, headers, payload, message_id, type,
    traceparent, state, reason, error, handler, attempts, pause_s)
WHERE (SELECT d.seq FROM dead_letter AS d WHERE d.waiting_id = u.message_id
    AND d.consumer_group = {} LIMIT 1) IS NULL
ON CONFLICT DO NOTHING
"""
"""A record that is there already stays as it is; a message that waits already waits once."""

SETTLE = f"""
UPDATE dead_letter SET state = 'handled', last_at = now(), attempts = attempts + 1, next_at = NULL
WHERE id = ANY({{}}::uuid[]) AND {STILL_OPEN}
"""  # noqa: S608

COUNT = "SELECT count(*) FROM dead_letter WHERE line > $1::text || ' ' AND line < $1::text || '!'"
COUNT_REFUSED = """
SELECT count(*) FROM dead_letter
WHERE listed > 0 AND consumer_group = $1 AND state = 'undecodable'
"""


class ParkingFull(Unavailable):
    """No room for another parked message: its partition waits until there is."""


@dataclass(frozen=True, slots=True)
class LotLimits:
    """`open_max`: of one group's parked messages, and as many undecodable ones; it may be passed by
    what is in flight at that moment."""

    open_max: int = 10_000
    first_pause_s: float = 1.0  # before the head of a key is tried again by itself
    retry_after_s: float = 5.0  # of a partition that found the lot full


@dataclass(frozen=True, slots=True)
class Stray:
    """A record on its way into the lot, and why. `pause_s`: when to try it again, for a head."""

    record: Record
    state: str
    reason: str
    queue: str
    error: str = ""
    handler: str = ""
    message_id: UUID | None = None
    attempts: int = 0
    pause_s: float = 0.0


def waiting(record: Record, queue: str, message_id: UUID) -> Stray:
    """A message that comes behind others of its key."""
    return Stray(record, "waiting", "waiting", queue, message_id=message_id)


def _trace_of(record: Record) -> str:
    return read_headers(record.headers).get("ce_traceparent", "")


class ParkingLot:
    """The rows of one group. `group` is the inbox's; letters are copied to Kafka by
    `dead_letters`, once each, for consumers outside."""

    def __init__(
        self,
        group: str,
        database: Database,
        dead_letters: DeadLetters,
        limits: LotLimits | None = None,
    ) -> None:
        self.group = group
        self.limits = limits or LotLimits()
        self.bell = asyncio.Event()
        """Rung when there is something to do for the loop of this process."""
        self._database = database
        self._dead_letters = dead_letters

    async def refuse(self, records: Sequence[tuple[Record, str]]) -> None:
        """Keep undecodable records. Returns when they are durable. Raises Unavailable."""
        taken = await self._database.fetchval(COUNT_REFUSED, self.group)
        self.demand_room(taken, len(records))
        strays = []
        for record, error in records:
            await self._dead_letters.put(record, DeadLetter("undecodable", error, 1))
            queue = queue_of(record)
            strays.append(
                Stray(record, "undecodable", "undecodable", queue, error=error, attempts=1)
            )
        await self.keep(strays)

    async def park(self, record: Record, queue: str, message_id: UUID, letter: DeadLetter) -> None:
        """This message keeps failing: from now on its key waits. Raises Unavailable.

        The copy goes to Kafka before the row is there, past the outbox: that stores text, and a
        letter is raw bytes. A crash between the two makes another copy, never none.
        """
        await self.room_for(1)
        await self._dead_letters.put(record, letter)
        stray = Stray(
            record,
            "failed",
            letter.reason,
            queue,
            error=letter.error,
            handler=letter.handler,
            message_id=message_id,
            attempts=letter.attempts,
            pause_s=self.limits.first_pause_s,
        )
        await self.keep([stray])
        log.error("key_parked", group=self.group, queue=queue, error=letter.error)
        self.bell.set()

    async def room_for(self, count: int) -> None:
        """Raises ParkingFull."""
        self.demand_room(await self._database.fetchval(COUNT, self.group), count)

    def demand_room(self, taken: int, count: int) -> None:
        """Raises ParkingFull, and sounds the alarm."""
        if taken + count > self.limits.open_max:
            metrics.FULL.labels(self.group).set(1)  # until ParkedKeys counts and finds room
            log.error("parking_lot_full", group=self.group, taken=taken)
            reason = f"{self.group}: {taken} messages are parked, and there is no room for more"
            raise ParkingFull(reason, retry_after=self.limits.retry_after_s)

    async def line_up(self, strays: Sequence[Stray]) -> None:
        """Keep messages whose keys are parked. Raises Unavailable."""
        await self.room_for(len(strays))
        await self.keep(strays)

    async def keep(self, strays: Sequence[Stray]) -> None:
        """Write rows in a transaction of their own."""
        statement = Statement()
        self.add(statement, strays)
        await statement.run(self._database)

    async def parked(self, queues: Iterable[str]) -> set[str]:
        """Which of these queues are parked now."""
        reading, lines = Reading(), Lines(self)
        lines.reads(reading, queues)
        await reading.run(self._database)
        return lines.parked

    async def settle_now(self, ids: Sequence[UUID]) -> None:
        """These need no handling any more."""
        statement = Statement()
        self.settle(statement, ids)
        await statement.run(self._database)

    def settle(self, statement: Statement, ids: Sequence[UUID]) -> None:
        """These are handled by this statement. Conflict when one of them is not open any more."""
        if ids:
            statement.add(SETTLE, list(ids), expect=len(ids))

    def demand_free(self, statement: Statement, queues: Iterable[str]) -> None:
        """Conflict when one of these queues is parked: for whoever begins without a read."""
        statement.demand(0, NONE_PARKED, list(dict.fromkeys(queues)), self.group)

    def add(self, statement: Statement, strays: Sequence[Stray]) -> None:
        """Insert rows, in this order."""
        if not strays:
            return
        records = [stray.record for stray in strays]
        statement.add(
            PARK,
            self.group,
            [new_id() for _ in strays],
            [record.topic for record in records],
            [record.partition for record in records],
            [record.offset for record in records],
            [record.timestamp for record in records],
            [stray.queue for stray in strays],
            [record.key for record in records],
            [packed(record.headers) for record in records],
            [record.value for record in records],
            [stray.message_id for stray in strays],
            [plain(type_of(record)) for record in records],
            [plain(_trace_of(record)) for record in records],
            [stray.state for stray in strays],
            [stray.reason for stray in strays],
            [plain(stray.error) for stray in strays],
            [stray.handler for stray in strays],
            [stray.attempts for stray in strays],
            [stray.pause_s for stray in strays],
            self.group,
        )


class Lines:
    """The parked queues as one transaction sees them, and who lines up in it."""

    def __init__(self, lot: ParkingLot) -> None:
        self._lot = lot
        self._taken = 0
        self._waiting: dict[UUID, Stray] = {}
        self._settled: list[UUID] = []
        self.parked: set[str] = set()

    def reads(self, reading: Reading, queues: Iterable[str]) -> None:
        """Look these queues up."""
        wanted = list(dict.fromkeys(queues))
        if wanted:
            group = self._lot.group
            reading.add(READ, group, group, wanted, group, into=self._load)

    def wait(self, record: Record, queue: str, envelope: Envelope) -> None:
        """Line up at the end. Raises ParkingFull."""
        if envelope.id in self._waiting:
            return
        self._lot.demand_room(self._taken, len(self._waiting) + 1)
        self._waiting[envelope.id] = waiting(record, queue, envelope.id)

    def settle(self, letter_id: UUID) -> None:
        """This one is handled now."""
        self._settled.append(letter_id)

    def flush(self, statement: Statement) -> None:
        """Add it all to the statement."""
        self._lot.add(statement, list(self._waiting.values()))
        self._lot.settle(statement, self._settled)

    def _load(self, rows: list[Row]) -> None:
        for queue, taken, *_ in rows:
            self.parked.add(queue)
            self._taken = taken or 0
