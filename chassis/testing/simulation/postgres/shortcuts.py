"""Shortcuts: the hottest queries of the chassis by hand. Each is tied to the exact text that it
answers; when the chassis says it differently, the text is compiled like any other, and slower.
The contract tests run these, too, against the real server.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from chassis.testing.simulation.postgres.sql.scope import Run
from chassis.testing.simulation.postgres.tables import Row

Values = tuple[Any, ...]  # a row of results
Shortcut = tuple[list[tuple[str, str]], Callable[[Run], Sequence[Values]]]

_FOREIGN = """SELECT ARRAY(SELECT s.shard FROM unnest($1::int[], $2::bigint[]) AS s(shard, epoch)
 WHERE EXISTS (SELECT FROM outbox AS o WHERE o.shard = s.shard AND o.epoch < s.epoch)
 OR EXISTS (SELECT FROM outbox AS o WHERE o.shard = s.shard AND o.epoch > s.epoch))"""

_CLAIM = """WITH due AS ( SELECT found.id FROM generate_series(0, $1::int - 1) AS number
 CROSS JOIN LATERAL ( SELECT id FROM saga_instance WHERE shard = number AND next_wake_at <= now()
 AND type || ' ' || definition_version = ANY($4::text[])
 ORDER BY next_wake_at LIMIT $2 FOR UPDATE SKIP LOCKED ) AS found ),
 claimed AS ( UPDATE saga_instance SET next_wake_at = now() + $3::interval
 WHERE id IN (SELECT id FROM due) RETURNING id, type, definition_version, workspace_id, status,
 phase, cursor, version, deadline_at, traceparent, started_at, updated_at, state::text AS state,
 business_key ) SELECT claimed.*, moment FROM (SELECT clock_timestamp() AS moment) AS clock
 LEFT JOIN claimed ON true"""


_SCAN = """SELECT id, shard, aggregateid, type, topic, headers, payload FROM outbox
 WHERE shard = ANY($1::int[]) AND id <> ALL($2::uuid[]) ORDER BY seq LIMIT $3"""


def shortcut(text: str) -> Shortcut | None:
    """The shortcut for a text, if there is one."""
    return _BY_TEXT.get(" ".join(text.split()))


def _foreign(run: Run) -> Sequence[Values]:
    entries = run.tables["outbox"].by("shard")
    found = []
    for shard, epoch in zip(*run.args, strict=True):
        for row in entries.get(shard, {}).values():
            if row["epoch"] != epoch:
                found.append(shard)
                break
    return [(found,)]


_SCANNED = ("id", "shard", "aggregateid", "type", "topic", "headers", "payload")


def _scan(run: Run) -> Sequence[Values]:
    shards, known, most = run.args
    entries = run.tables["outbox"].by("shard")
    passed = {row_id.int for row_id in known}
    found = [
        row
        for shard in dict.fromkeys(shards)
        for key, row in entries.get(shard, {}).items()
        if key not in passed
    ]
    found.sort(key=_seq)
    return [tuple([row[name] for name in _SCANNED]) for row in found[:most]]


def _seq(row: Row) -> Any:  # a number
    return row["seq"]


_CLAIMED = (
    *("id", "type", "definition_version", "workspace_id", "status", "phase", "cursor", "version"),
    *("deadline_at", "traceparent", "started_at", "updated_at", "state", "business_key"),
)


def _claim(run: Run) -> Sequence[Values]:
    shards, most, lease, pins = run.args
    table, now = run.tables["saga_instance"], run.now
    due: dict[int, list[Row]] = {}
    for row in table.where("open", _is_open).get(True, {}).values():
        if row["next_wake_at"] > now or not 0 <= row["shard"] < shards:
            continue
        if f"{row['type']} {row['definition_version']}" in pins:
            due.setdefault(row["shard"], []).append(row)
    if not due:
        return [(*[None] * len(_CLAIMED), now)]
    claimed: list[Values] = []
    wake: dict[str, Any] = {"next_wake_at": now + (lease or timedelta())}
    for shard in sorted(due):
        for row in sorted(due[shard], key=_wake)[:most]:
            run.transaction.update(table, row, row | wake)
            claimed.append((*[row[name] for name in _CLAIMED], now))
    return claimed


def _is_open(row: Row) -> bool | None:
    return None if row["next_wake_at"] is None else True


def _wake(row: Row) -> Any:  # a moment
    return row["next_wake_at"]


_COLUMNS = [(name, "text") for name in (*_CLAIMED, "moment")]
_BY_TEXT: dict[str, Shortcut] = {
    " ".join(_FOREIGN.split()): ([("array", "int[]")], _foreign),
    " ".join(_SCAN.split()): ([(name, "") for name in _SCANNED], _scan),
    " ".join(_CLAIM.split()): (_COLUMNS, _claim),
}
