"""The index of the heads' entities: a row each, for lists, look-ups and version checks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from chassis.resources import Resources
from chassis.stores.postgres import Statement
from services.studio.appsmith import Change, Difference, Entity

Key = tuple[UUID, str]

_UPSERT = """
INSERT INTO entity (app_id, entity_id, workspace_id, kind, name, page, parent_id, path, digest,
    entity_version, fields)
SELECT app_id, entity_id, workspace_id, kind, name, page, parent_id, path, digest, bumps,
    fields::jsonb
FROM unnest({}::uuid[], {}::text[], {}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[],
    {}::text[], {}::text[], {}::integer[], {}::text[])
    AS u(app_id, entity_id, workspace_id, kind, name, page, parent_id, path, digest, bumps, fields)
ON CONFLICT (app_id, entity_id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
    page = excluded.page, parent_id = excluded.parent_id, path = excluded.path,
    digest = excluded.digest, fields = excluded.fields,
    entity_version = entity.entity_version + excluded.entity_version
"""
_DELETE = """
DELETE FROM entity USING unnest({}::uuid[], {}::text[]) AS u(app_id, entity_id)
WHERE entity.app_id = u.app_id AND entity.entity_id = u.entity_id
"""


@dataclass(frozen=True)
class _Row:
    """An entity to be written: `bumps` is by how much its version grows."""

    workspace_id: UUID
    entity: Entity
    bumps: int


class EntityIndex:
    """The rows that a chunk changes; None stands for one that goes."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._rows: dict[Key, _Row | None] = {}
        self._dropped: frozenset[UUID] = frozenset()

    async def find(self, app_id: UUID, entity_id: str) -> tuple[str, str, int] | None:
        """Page, path and version of an entity of the head; None when it has none such."""
        pending = self._rows.get((app_id, entity_id))
        if (app_id, entity_id) in self._rows and pending is None:
            return None
        row = await self._database.fetchrow(
            "SELECT page, path, entity_version FROM entity WHERE app_id = $1 AND entity_id = $2",
            app_id,
            entity_id,
        )
        version: int = row["entity_version"] if row else 0
        if pending is not None:
            return pending.entity.page, pending.entity.path, version + pending.bumps
        return (row["page"], row["path"], version) if row else None

    def apply(self, workspace_id: UUID, app_id: UUID, changes: Iterable[Difference]) -> None:
        """Write what differs."""
        for one in changes:
            if one.change is Change.REMOVED:
                self._rows[(app_id, one.entity.entity_id)] = None
            else:
                self._bump(workspace_id, app_id, one.entity)

    def drop(self, app_id: UUID) -> None:
        """Remove all rows of an app."""
        self._dropped |= {app_id}
        self._rows = {key: row for key, row in self._rows.items() if key[0] != app_id}

    def snapshot(self) -> tuple[dict[Key, _Row | None], frozenset[UUID]]:
        return dict(self._rows), self._dropped

    def restore(self, snapshot: tuple[dict[Key, _Row | None], frozenset[UUID]]) -> None:
        self._rows, self._dropped = dict(snapshot[0]), snapshot[1]

    def flush(self, statement: Statement) -> None:
        """Everything in at most three fragments."""
        if self._dropped:
            statement.add("DELETE FROM entity WHERE app_id = ANY({}::uuid[])", [*self._dropped])
        gone = [key for key, row in self._rows.items() if row is None]
        if gone:
            statement.add(_DELETE, [app_id for app_id, _ in gone], [name for _, name in gone])
        kept = [(key[0], row) for key, row in self._rows.items() if row is not None]
        if kept:
            statement.add(
                _UPSERT,
                [app_id for app_id, _ in kept],
                [row.entity.entity_id for _, row in kept],
                [row.workspace_id for _, row in kept],
                [row.entity.kind.value for _, row in kept],
                [row.entity.name for _, row in kept],
                [row.entity.page for _, row in kept],
                [row.entity.parent_id for _, row in kept],
                [row.entity.path for _, row in kept],
                [row.entity.digest for _, row in kept],
                [row.bumps for _, row in kept],
                [orjson.dumps(dict(row.entity.fields)).decode() for _, row in kept],
            )

    def _bump(self, workspace_id: UUID, app_id: UUID, entity: Entity) -> None:
        before = self._rows.get((app_id, entity.entity_id))
        row = _Row(workspace_id, entity, 1)
        if before is not None:
            row = replace(row, bumps=before.bumps + 1)
        self._rows[(app_id, entity.entity_id)] = row
