"""The engine's tables in PostgreSQL, read and written for many sagas at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.messaging.outbox import hash_of
from chassis.messaging.partitions import span
from chassis.saga.batch import Batch, Change
from chassis.saga.codec import COLUMNS, body_of, state_of
from chassis.saga.state import SagaState
from chassis.stores.postgres import Database
from chassis.stores.statement import Statement

GROUP = "orchestrator"
"""The orchestrator's consumer group in the inbox."""


class SagaStore:
    """Loads states and adds changes to a statement. Commits nothing itself, but for `claim`."""

    def __init__(self, database: Database, *, shards: int) -> None:
        self._database = database
        self._shards = shards

    async def load(
        self, saga_ids: Sequence[UUID], message_ids: Sequence[UUID]
    ) -> tuple[dict[UUID, SagaState], set[UUID]]:
        """The sagas of a chunk, and which of its messages were handled before: one query."""
        rows = await self._database.fetch(
            _LOAD,
            saga_ids,
            message_ids,
            GROUP,
            *span(saga_ids),
            *span(message_ids),
        )
        states: dict[UUID, SagaState] = {}
        seen: set[UUID] = set()
        for row in rows:
            if row[1] is None:
                seen.add(row[0])
            else:
                state = state_of(row)
                states[state.id] = state
        return states, seen

    async def claim(
        self, definitions: Sequence[tuple[str, int]], *, per_shard: int, lease: timedelta
    ) -> tuple[list[SagaState], datetime]:
        """Sagas whose wake-up is due, oldest first and as many of each shard, by the database's
        clock (also returned). A claim only moves the wake-up by `lease`: who dies loses nothing."""
        rows = await self._database.fetch(
            _CLAIM,
            self._shards,
            per_shard,
            lease,
            [f"{name} {version}" for name, version in definitions],
        )
        states = [state_of(row) for row in rows if row[0] is not None]
        return states, rows[0][14]

    def add_inbox(self, statement: Statement, message_ids: Sequence[UUID]) -> None:
        """Remember messages as handled; one that another replica handled first is a Conflict."""
        if message_ids:
            statement.add(
                "INSERT INTO inbox (consumer_group, message_id)"
                " SELECT {}::text, * FROM unnest({}::uuid[])",
                GROUP,
                message_ids,
            )

    def add_changes(self, statement: Statement, batch: Batch, *, exact: bool = False) -> None:
        """The rows, by compare-and-set on `version`, and the history.

        `exact` sets the wake-up as decided. Otherwise an earlier one stays: it is then a lower
        bound, the index entry and the row's place on its page stay too, and a tick that comes
        early only sets it right.
        """
        changes = batch.changes.values()
        new = [change.state for change in changes if change.read_version == 0]
        known = [change for change in changes if change.read_version]
        if new:
            self._insert(statement, new)
        if known:
            self._update(statement, known, exact)
        if batch.lines:
            _add_lines(statement, batch)

    def _insert(self, statement: Statement, states: list[SagaState]) -> None:
        statement.add(
            _INSERT,
            [state.id for state in states],
            [state.saga for state in states],
            [state.definition_version for state in states],
            [state.workspace_id for state in states],
            [state.status.value for state in states],
            [state.phase.value for state in states],
            [state.cursor for state in states],
            [state.version for state in states],
            [hash_of(str(state.id)) % self._shards for state in states],
            [state.wake_at for state in states],
            [state.deadline_at for state in states],
            [state.business_key for state in states],
            [state.traceparent for state in states],
            [state.started_at for state in states],
            [body_of(state) for state in states],
        )

    def _update(self, statement: Statement, changes: list[Change], exact: bool) -> None:
        ids = [change.state.id for change in changes]
        statement.add(
            _UPDATE_EXACT if exact else _UPDATE,
            max(change.state.updated_at for change in changes),
            ids,
            [change.read_version for change in changes],
            [change.state.version for change in changes],
            [change.state.status.value for change in changes],
            [change.state.phase.value for change in changes],
            [change.state.cursor for change in changes],
            [change.state.wake_at for change in changes],
            [body_of(change.state) for change in changes],
            *span(ids),
            expect=len(changes),
        )

    def add_rearms(self, statement: Statement, states: Sequence[SagaState]) -> None:
        """Nothing happened to these, but their wake-up is to be as decided. Not guarded: whoever
        moves one of them meanwhile sets its wake-up too, and a tick too early does no harm."""
        if states:
            statement.add(
                "UPDATE saga_instance AS s SET next_wake_at = d.wake_at"
                " FROM unnest({}::uuid[], {}::bigint[], {}::timestamptz[]) AS"
                " d(id, version, wake_at) WHERE s.id = d.id AND s.version = d.version",
                [state.id for state in states],
                [state.version for state in states],
                [state.wake_at for state in states],
            )

    async def history(self, saga_id: UUID) -> list[Any]:
        """The saga's events, oldest first: (version, at, happened, step, reason)."""
        return await self._database.fetch(
            "SELECT version, at, happened, step, reason FROM saga_event WHERE saga_id = $1"
            " ORDER BY version",
            saga_id,
        )


def _add_lines(statement: Statement, batch: Batch) -> None:
    lines = batch.lines
    statement.add(
        "INSERT INTO saga_event (at, saga_id, version, happened, step, reason)"
        " SELECT {}::timestamptz, * FROM unnest({}::uuid[], {}::bigint[], {}::text[],"
        " {}::text[], {}::text[])",
        max(line.at for line in lines),  # one moment for the batch
        [line.saga_id for line in lines],
        [line.version for line in lines],
        ["+".join(note.happened.value for note in line.notes) for line in lines],
        [line.notes[0].step for line in lines],
        ["; ".join(note.reason for note in line.notes if note.reason) for line in lines],
    )


# The span of the ids tells PostgreSQL which partitions it need not open.
_LOAD = f"""
SELECT {COLUMNS} FROM saga_instance WHERE id = ANY($1::uuid[]) AND id >= $4 AND id <= $5
UNION ALL SELECT message_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL FROM inbox WHERE consumer_group = $3 AND message_id = ANY($2::uuid[])
    AND message_id >= $6 AND message_id <= $7
"""  # noqa: S608  # its only insertion is a constant

_INSERT = """
INSERT INTO saga_instance (id, type, definition_version, workspace_id, status, phase, cursor,
    version, shard, next_wake_at, deadline_at, business_key, traceparent, started_at, updated_at,
    state)
SELECT d.id, d.type, d.definition, d.workspace_id, d.status, d.phase, d.cursor, d.version, d.shard,
    d.wake_at, d.deadline_at, d.business_key, d.traceparent, d.at, d.at, d.state::json
FROM unnest({}::uuid[], {}::text[], {}::int[], {}::uuid[], {}::text[], {}::text[], {}::int[],
    {}::bigint[], {}::int[], {}::timestamptz[], {}::timestamptz[], {}::text[], {}::text[],
    {}::timestamptz[], {}::text[]) AS d(id, type, definition, workspace_id, status, phase, cursor,
    version, shard, wake_at, deadline_at, business_key, traceparent, at, state)
"""

_SET = """
UPDATE saga_instance AS s SET
    updated_at = CASE WHEN s.next_wake_at IS NULL THEN s.updated_at ELSE {}::timestamptz END,
    version = d.new_version, status = d.status, phase = d.phase, cursor = d.cursor,
    state = d.state::json, next_wake_at = %s
FROM unnest({}::uuid[], {}::bigint[], {}::bigint[], {}::text[], {}::text[], {}::int[],
    {}::timestamptz[], {}::text[]) AS d(id, version, new_version, status, phase, cursor, wake_at,
    state)
WHERE s.id = d.id AND s.version = d.version AND s.id >= {} AND s.id <= {} RETURNING 1
"""
_UPDATE_EXACT = _SET % "d.wake_at"
_UPDATE = _SET % ("CASE WHEN d.wake_at IS NULL THEN NULL ELSE least(s.next_wake_at, d.wake_at) END")

_CLAIM = f"""
WITH due AS (
    SELECT found.id FROM generate_series(0, $1::int - 1) AS number CROSS JOIN LATERAL (
        SELECT id FROM saga_instance
        WHERE shard = number AND next_wake_at <= now()
            AND type || ' ' || definition_version = ANY($4::text[])
        ORDER BY next_wake_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ) AS found
), claimed AS (
    UPDATE saga_instance SET next_wake_at = now() + $3::interval
    WHERE id IN (SELECT id FROM due) RETURNING {COLUMNS}
)
SELECT claimed.*, moment FROM (SELECT clock_timestamp() AS moment) AS clock
    LEFT JOIN claimed ON true
"""  # noqa: S608  # its only insertion is a constant
