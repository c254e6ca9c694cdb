"""What operators ask of a service's dead letters, at its HTTP door.

Every verb is a compare-and-set on the rows that it read, in one statement with its line in
dead_letter_act: said twice it does nothing the second time, and a message that is handled at the
same moment is either handled or moved, never both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from chassis.context import Context
from chassis.cursors import number_of
from chassis.errors import FieldError, ForwardRefused, InvalidMessage, Rejected
from chassis.messaging.envelope import Headers
from chassis.parking.letter import plain, unpacked
from chassis.parking.shown import COLUMNS, details_of, letter_of
from chassis.stores.postgres import Database
from contracts.deadletter import (
    DeadLetterDetails,
    DeadLetterPage,
    DeadLetterRefused,
    DeadLettersMoved,
    DeadLetterState,
    DeadLetterTotals,
    DeadLetterUnknown,
    DiscardDeadLetters,
    GetDeadLetter,
    ListDeadLetters,
    RedriveDeadLetters,
)

log = structlog.get_logger()

OPEN_STATES = ("undecodable", "failed", "waiting", "redriven")
_FOUND = f"SELECT {COLUMNS}, queue, headers, first_at < now() - $10 * interval '1 second' AS old"
_MATCHING = """
FROM dead_letter WHERE ($1::uuid[] IS NULL OR id = ANY($1)) AND state = ANY($2::text[])
    AND ($3 = '' OR topic = $3) AND ($4::bytea IS NULL OR key = $4) AND ($5 = '' OR type = $5)
    AND ($6::timestamptz IS NULL OR first_at >= $6) AND ($7::timestamptz IS NULL OR first_at < $7)
"""
FIND = f"{_FOUND} {_MATCHING} AND seq > $8 ORDER BY seq LIMIT $9"
FIND_OPEN = f"{_FOUND} {_MATCHING} AND listed > $8 ORDER BY listed LIMIT $9"
"""Without reading past what has ended."""

HEADS = """
SELECT h.*, (SELECT count(*) FROM dead_letter AS b
    WHERE b.line = q.consumer_group || ' ' || q.queue) - 1 AS behind
FROM unnest($1::text[], $2::text[]) AS q(consumer_group, queue) CROSS JOIN LATERAL (
    SELECT id, state, consumer_group, queue, first_at < now() - $3 * interval '1 second' AS old
    FROM dead_letter WHERE line = q.consumer_group || ' ' || q.queue ORDER BY seq LIMIT 1) AS h
"""
"""The first of each of these queues, and how many wait behind it."""

REDRIVE = """
WITH moved AS (
    UPDATE dead_letter AS d SET state = 'redriven', pause_s = 0, by = $3, why = $4,
        last_at = now(), next_at = now() + (u.number - 1) / $2::float8 * interval '1 second'
    FROM unnest($1::uuid[]) WITH ORDINALITY AS u(id, number)
    WHERE d.id = ANY($1) AND d.id = u.id AND d.state IN ('undecodable', 'failed', 'waiting')
    RETURNING d.id
), acts AS (INSERT INTO dead_letter_act (letter_id, act, by, why)
    SELECT id, 'redrive', $3, $4 FROM moved)
SELECT id FROM moved
"""

DISCARD = """
WITH moved AS (
    UPDATE dead_letter AS d SET state = 'discarded', by = $4, why = $5, last_at = now(),
        next_at = NULL
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u(id, was, reply_type)
    WHERE d.id = ANY($1) AND d.id = u.id AND d.state = u.was
    RETURNING d.id, d.consumer_group, d.message_id, u.was, u.reply_type
), acts AS (INSERT INTO dead_letter_act (letter_id, act, by, why)
    SELECT id, 'discard', $4, $5 FROM moved
), tombs AS (INSERT INTO inbox (consumer_group, message_id, reply_type, reply)
    SELECT consumer_group, message_id, nullif(reply_type, ''),
        CASE WHEN reply_type <> '' THEN '{}'::bytea END
    FROM moved WHERE message_id IS NOT NULL AND was <> 'undecodable' ON CONFLICT DO NOTHING)
SELECT id FROM moved
"""
"""What is discarded is known to the inbox: should the message come again, it has no effect."""

TOTALS = """
SELECT consumer_group, state, count(*) AS rows FROM dead_letter GROUP BY consumer_group, state
"""
KEYS = """
SELECT consumer_group, count(DISTINCT line) AS keys FROM dead_letter WHERE line IS NOT NULL
GROUP BY consumer_group
"""
INBOX = "SELECT consumer_group, count(*) AS rows FROM inbox GROUP BY consumer_group"
ONE = f"SELECT {COLUMNS}, queue, headers, payload FROM dead_letter WHERE id = $1"  # noqa: S608
BEHIND = "SELECT count(*) FROM dead_letter WHERE line = $1::text || ' ' || $2::text AND seq > $3"
ACTS = "SELECT at, act, by, why FROM dead_letter_act WHERE letter_id = $1 ORDER BY at"

Verb = RedriveDeadLetters | DiscardDeadLetters


@dataclass(frozen=True, slots=True)
class LetterDesk:
    """One service's letters. `keep_s`: for how long its inbox remembers."""

    database: Database
    service: str
    keep_s: float

    async def page(self, query: ListDeadLetters) -> DeadLetterPage:
        """Answers ListDeadLetters. Raises InvalidMessage."""
        found = await self._find(query, None, number_of(query.cursor) or 0, query.limit + 1)
        letters = found[: query.limit]
        more = str(letters[-1]["seq"]) if len(found) > query.limit else ""
        return DeadLetterPage(
            letters=[letter_of(row, self.service) for row in letters],
            totals=await self.totals(inbox=query.inbox),
            cursor_next=more,
        )

    async def totals(self, *, inbox: bool = False) -> list[DeadLetterTotals]:
        """By consumer group, in order."""
        groups: dict[str, dict[str, Any]] = {}  # fields of DeadLetterTotals
        for row in await self.database.fetch(TOTALS):
            groups.setdefault(row["consumer_group"], {})[row["state"]] = row["rows"]
        for row in await self.database.fetch(KEYS):
            groups.setdefault(row["consumer_group"], {})["parked_keys"] = row["keys"]
        for row in await self.database.fetch(INBOX) if inbox else ():
            groups.setdefault(row["consumer_group"], {})["inbox"] = row["rows"]
        return [
            DeadLetterTotals(consumer_group=group, **counts)
            for group, counts in sorted(groups.items())
        ]

    async def details(self, query: GetDeadLetter) -> DeadLetterDetails:
        """Answers GetDeadLetter. Refuses with DeadLetterUnknown."""
        row = await self.database.fetchrow(ONE, query.letter_id)
        if row is None:
            raise Rejected(DeadLetterUnknown(letter_id=query.letter_id))
        behind = 0
        if row["state"] in ("failed", "waiting", "redriven"):
            group, queue = row["consumer_group"], row["queue"]
            behind = await self.database.fetchval(BEHIND, group, queue, row["seq"])
        acts = await self.database.fetch(ACTS, query.letter_id)
        return details_of(row, self.service, behind, acts)

    async def redrive(self, command: RedriveDeadLetters, context: Context) -> DeadLettersMoved:
        """Answers RedriveDeadLetters. Raises InvalidMessage."""
        found, more = await self._wanted(command)
        refused = _ended(found, command)
        heads = await self._heads(found)
        chosen: dict[UUID, int] = {}
        for row in found:
            parked = row["state"] != "undecodable"
            first = heads.get((row["consumer_group"], row["queue"])) if parked else row
            why = _why_not(row, first)
            if why or first is None:
                refused.append(DeadLetterRefused(letter_id=row["id"], why=why))
            else:
                chosen[first["id"]] = first["behind"] if parked else 0
        if not command.preview and chosen:
            by, why = _who(command, context), plain(command.reason)
            ids = list(chosen)
            rows = await self.database.fetch(REDRIVE, ids, command.per_second, by, why)
            chosen = _kept(chosen, rows, refused)
            log.info("dead_letters_redriven", count=len(rows), by=by)
        return DeadLettersMoved(
            letter_ids=list(chosen),
            following=sum(chosen.values()),
            refused=refused,
            preview=command.preview,
            more=more,
        )

    async def discard(self, command: DiscardDeadLetters, context: Context) -> DeadLettersMoved:
        """Answers DiscardDeadLetters. Raises InvalidMessage."""
        found, more = await self._wanted(command)
        refused = _ended(found, command)
        chosen = {row["id"]: 0 for row in found}
        if not command.preview and chosen:
            by, why = _who(command, context), plain(command.reason)
            answers = [_reply_of(row["topic"], unpacked(row["headers"])) for row in found]
            states = [row["state"] for row in found]
            rows = await self.database.fetch(DISCARD, list(chosen), states, answers, by, why)
            chosen = _kept(chosen, rows, refused)
            log.info("dead_letters_discarded", count=len(rows), by=by)
        return DeadLettersMoved(
            letter_ids=list(chosen),
            following=0,
            refused=refused,
            preview=command.preview,
            more=more,
        )

    async def _wanted(self, command: Verb) -> tuple[list[Any], bool]:
        """The rows that have not ended, oldest first; whether more match."""
        if not command.letter_ids and not _narrow(command):
            fault = FieldError("letter_ids", "missing", "say which: ids, or something to match")
            raise InvalidMessage([fault])
        ids = command.letter_ids or None
        limit = len(ids) if ids else command.limit
        found = await self._find(command, ids, 0, limit + 1)
        return found[:limit], len(found) > limit

    async def _find(
        self, wanted: ListDeadLetters | Verb, ids: list[UUID] | None, after: int, limit: int
    ) -> list[Any]:
        states = [state.value for state in wanted.states] or list(OPEN_STATES)
        if not isinstance(wanted, ListDeadLetters):
            states = [state for state in states if state in OPEN_STATES]
        return await self.database.fetch(
            FIND_OPEN if set(states) <= set(OPEN_STATES) else FIND,
            ids,
            states,
            plain(wanted.topic),
            wanted.record_key.encode() if wanted.record_key else None,
            plain(wanted.type),
            wanted.since,
            wanted.until,
            after,
            limit,
            self.keep_s,
        )

    async def _heads(self, found: Sequence[Any]) -> dict[tuple[str, str], Any]:
        queues = {(r["consumer_group"], r["queue"]) for r in found if r["state"] != "undecodable"}
        groups, names = [group for group, _ in queues], [queue for _, queue in queues]
        rows = await self.database.fetch(HEADS, groups, names, self.keep_s) if queues else []
        return {(row["consumer_group"], row["queue"]): row for row in rows}


def _why_not(row: Any, first: Any | None) -> str:  # rows of FIND and HEADS
    """Why the first of the row's key cannot be redriven; "" when it can."""
    if first is None:
        return "it has ended meanwhile"
    if first["state"] == "redriven":
        return "it is being redriven already"
    if first["old"]:
        whose = "it" if first["id"] == row["id"] else f"the first of its key, {first['id']},"
        return f"{whose} is older than the inbox remembers: it may have had its effect before"
    return ""


def _ended(found: Sequence[Any], command: Verb) -> list[DeadLetterRefused]:
    """Those that were asked for by id and are not there to be moved."""
    there = {row["id"] for row in found}
    why = "it is unknown, has ended, or does not match"
    return [DeadLetterRefused(letter_id=x, why=why) for x in command.letter_ids if x not in there]


def _kept(
    chosen: dict[UUID, int], moved: Sequence[Any], refused: list[DeadLetterRefused]
) -> dict[UUID, int]:
    """Those that the statement moved; the others were changed by somebody else."""
    ids = {row["id"] for row in moved}
    refused += [
        DeadLetterRefused(letter_id=letter_id, why="it has changed meanwhile")
        for letter_id in chosen
        if letter_id not in ids
    ]
    return {letter_id: behind for letter_id, behind in chosen.items() if letter_id in ids}


def _reply_of(topic: str, headers: Headers) -> str:
    """What a discarded command is answered with, should it come again. The undoing of a step is
    not answered: a refusal of it would say nothing about the step."""
    undoes = any(name == "ce_forwardid" for name, _ in headers)
    return ForwardRefused.address.type if topic.startswith("cmd.") and not undoes else ""


def _narrow(command: Verb) -> bool:
    matches: tuple[str | datetime | list[DeadLetterState] | None, ...] = (
        command.states,
        command.topic,
        command.record_key,
        command.type,
        command.since,
        command.until,
    )
    return any(matches)


def _who(command: Verb, context: Context) -> str:
    """The user that the gateway knows; else the name that the operator gave."""
    return str(context.actor_id) if context.actor_id else plain(command.operator) or "operator"
