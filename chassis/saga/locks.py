"""Semantic locks: one row per key with the queue of sagas; its first holds the lock.

First come, first served; a saga joins all its queues in one statement, in sorted order, so two
sagas stand in the same order in every queue that they share and cannot wait for each other.
"""

from collections.abc import Sequence
from uuid import UUID

from chassis.stores.postgres import Database
from chassis.stores.statement import Statement

QUEUE_MAX = 100
"""Sagas that may wait for one lock; more are told to come later."""


async def holders(database: Database, keys: Sequence[str]) -> dict[str, tuple[UUID, int]]:
    """Who holds each of these locks, and the length of its queue; a free one is missing."""
    if not keys:
        return {}
    rows = await database.fetch(
        "SELECT key, queue[1], cardinality(queue) FROM entity_lock WHERE key = ANY($1::text[])",
        list(keys),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def add_joins(statement: Statement, wanted: Sequence[tuple[str, UUID]], free: set[str]) -> None:
    """Append sagas to the queues of their keys, in this order. Keys in `free` were seen free and
    are taken on that condition: a row that is there by now is a unique violation, a Conflict."""
    for keys_free in (True, False):
        pairs = [(key, saga) for key, saga in wanted if (key in free) == keys_free]
        if not pairs:
            continue
        statement.add(
            _JOIN if keys_free else _JOIN + _OR_WAIT,
            [key for key, _ in pairs],
            [saga for _, saga in pairs],
        )


def add_leaves(
    statement: Statement, held: Sequence[tuple[str, UUID]], touched: Sequence[UUID]
) -> None:
    """Take sagas that have ended out of the queues, and wake whoever is first then. The wake-up
    is a courtesy (a waiting saga looks again by itself), and spares the rows that the statement
    changes anyway (`touched`)."""
    if not held:
        return
    keys, sagas = [key for key, _ in held], [saga for _, saga in held]
    statement.add(
        "MERGE INTO entity_lock AS l USING (SELECT key, array_agg(saga_id) AS gone"
        " FROM unnest({}::text[], {}::uuid[]) AS u(key, saga_id) GROUP BY key) AS d"
        " ON l.key = d.key WHEN MATCHED AND l.queue <@ d.gone THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET queue = ARRAY(SELECT q FROM unnest(l.queue)"
        " WITH ORDINALITY AS w(q, n) WHERE q <> ALL(d.gone) ORDER BY n)",
        keys,
        sagas,
    )
    statement.add(
        "UPDATE saga_instance AS s SET next_wake_at = now() FROM entity_lock AS l"
        " WHERE l.key = ANY({}::text[]) AND l.queue[1] = ANY({}::uuid[]) AND s.id = l.queue[2]"
        " AND s.phase = 'LOCKING' AND s.id <> ALL({}::uuid[])",
        keys,
        sagas,
        touched,
    )


_JOIN = (
    "INSERT INTO entity_lock AS l (key, queue)"
    " SELECT d.key, array_agg(d.saga_id ORDER BY d.place)"
    " FROM unnest({}::text[], {}::uuid[]) WITH ORDINALITY AS d(key, saga_id, place)"
    " GROUP BY d.key ORDER BY d.key"
)
_OR_WAIT = " ON CONFLICT (key) DO UPDATE SET queue = l.queue || excluded.queue"
