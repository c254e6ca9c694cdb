"""What one may ask studio: straight from its tables, always within one workspace."""

import asyncio
import base64
from typing import Any
from uuid import UUID

import orjson

from chassis.errors import FieldError, InvalidMessage, Rejected
from chassis.stores.postgres import Database
from contracts.studio.app import (
    App,
    Apps,
    AppUnknown,
    DiffRevisions,
    Entities,
    Entity,
    GetApps,
    GetEntities,
    ListApps,
    ListEntities,
    ListRevisions,
    Revision,
    RevisionDifference,
    Revisions,
    RevisionUnknown,
)
from services.studio.store.contents import Contents
from services.studio.views.differences import differences_of

_APP = "SELECT id, version, state FROM app WHERE workspace_id = $1"
_ENTITY = (
    "SELECT app_id, entity_id, kind, name, page, parent_id, path, digest, entity_version, fields"
)


async def list_apps(query: ListApps, database: Database) -> Apps:
    """Newest first; the cursor is the last app's id, which sorts by birth."""
    lifecycle = "archived" if query.archived else "active"
    (before,) = _cursor(query.cursor, 1) or ("ffffffff-ffff-ffff-ffff-ffffffffffff",)
    rows = await database.fetch(
        f"{_APP} AND lifecycle = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        query.workspace_id,
        lifecycle,
        UUID(before),
        query.limit + 1,
    )
    apps = [_app(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return Apps(apps=apps, cursor_next=_pack(str(apps[-1].app_id)) if more else "")


async def get_apps(query: GetApps, database: Database) -> Apps:
    """By id, in one query."""
    rows = await database.fetch(f"{_APP} AND id = ANY($2)", query.workspace_id, query.app_ids)
    return Apps(apps=[_app(row) for row in rows])


async def list_entities(query: ListEntities, database: Database) -> Entities:
    """A page of one app's entities, or the first ones of each (app, page) of a batch."""
    if len(query.app_ids) > 1 or len(query.pages) > 1:
        return await _list_batch(query, database)
    after = _cursor(query.cursor, 3) or ("", "", "")
    rows = await database.fetch(
        f"{_ENTITY} FROM entity WHERE workspace_id = $1 AND app_id = ANY($2)"
        " AND (cardinality($3::text[]) = 0 OR kind = ANY($3))"
        " AND (cardinality($4::text[]) = 0 OR page = ANY($4))"
        " AND ($5 = '' OR name = $5) AND (page, path, entity_id) > ($6, $7, $8)"
        " ORDER BY page, path, entity_id LIMIT $9",
        query.workspace_id,
        query.app_ids,
        query.kinds,
        query.pages,
        query.name,
        *after,
        query.limit + 1,
    )
    found = [_entity(row) for row in rows[: query.limit]]
    last = found[-1] if len(rows) > query.limit else None
    cursor = _pack(last.page, last.path, last.entity_id) if last else ""
    return Entities(entities=found, cursor_next=cursor)


async def _list_batch(query: ListEntities, database: Database) -> Entities:
    if query.cursor:
        error = FieldError("cursor", "single", "a cursor goes with one app and one page")
        raise InvalidMessage([error])
    rows = await database.fetch(
        f"SELECT * FROM ({_ENTITY}, row_number() OVER (PARTITION BY app_id, page"  # noqa: S608
        " ORDER BY path, entity_id) AS rank FROM entity"
        " WHERE workspace_id = $1 AND app_id = ANY($2)"
        " AND (cardinality($3::text[]) = 0 OR kind = ANY($3))"
        " AND (cardinality($4::text[]) = 0 OR page = ANY($4))"
        " AND ($5 = '' OR name = $5)) AS ranked"
        " WHERE rank <= $6 ORDER BY app_id, page, path, entity_id",
        query.workspace_id,
        query.app_ids,
        query.kinds,
        query.pages,
        query.name,
        query.limit,
    )
    return Entities(entities=[_entity(row) for row in rows])


async def get_entities(query: GetEntities, database: Database, contents: Contents) -> Entities:
    """By id, each with its source as it stands in the head."""
    app = await one_app(database, query.workspace_id, query.app_id)
    rows = await database.fetch(
        f"{_ENTITY} FROM entity WHERE workspace_id = $1 AND app_id = $2 AND entity_id = ANY($3)"
        " ORDER BY page, path, entity_id",
        query.workspace_id,
        query.app_id,
        query.entity_ids,
    )
    found = [_entity(row) for row in rows]
    digest = app["state"]["head_digest"]
    sources = await contents.sources(
        query.workspace_id, digest, [(e.entity_id, e.page, e.path) for e in found]
    )
    return Entities(
        entities=[
            entity.model_copy(update={"source": source, "text": text})
            for entity, (source, text) in zip(found, sources, strict=True)
        ]
    )


async def list_revisions(query: ListRevisions, database: Database) -> Revisions:
    """An app's history, newest first."""
    (before,) = _cursor(query.cursor, 1) or (str(2**31 - 1),)
    rows = await database.fetch(
        "SELECT id, number, state FROM app_revision WHERE workspace_id = $1 AND app_id = $2"
        " AND number < $3 ORDER BY number DESC LIMIT $4",
        query.workspace_id,
        query.app_id,
        int(before),
        query.limit + 1,
    )
    revisions = [_revision(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return Revisions(
        revisions=revisions, cursor_next=_pack(str(revisions[-1].number)) if more else ""
    )


async def diff_revisions(
    query: DiffRevisions, database: Database, contents: Contents
) -> RevisionDifference:
    """By entity: what came, what changed, what went; by property and line when asked."""
    wanted = [query.revision_before, query.revision_after]
    rows = await database.fetch(
        "SELECT id, state->>'digest' AS digest FROM app_revision"
        " WHERE workspace_id = $1 AND app_id = $2 AND id = ANY($3)",
        query.workspace_id,
        query.app_id,
        wanted,
    )
    digests = {row["id"]: row["digest"] for row in rows}
    for revision_id in wanted:
        if revision_id not in digests:
            raise Rejected(RevisionUnknown(app_id=query.app_id, revision_id=revision_id))
    was, now = await contents.differing(
        query.workspace_id, digests[query.revision_before], digests[query.revision_after]
    )
    differences = await asyncio.to_thread(
        differences_of, was, now, frozenset(query.entity_ids), detailed=query.detailed
    )
    return RevisionDifference(
        app_id=query.app_id,
        revision_before=query.revision_before,
        revision_after=query.revision_after,
        differences=differences,
    )


async def one_app(database: Database, workspace_id: UUID, app_id: UUID) -> Any:  # asyncpg's row
    """Its row; Rejected when the workspace has none such."""
    row = await database.fetchrow(f"{_APP} AND id = $2", workspace_id, app_id)
    if row is None:
        raise Rejected(AppUnknown(app_id=app_id))
    return row


def _app(row: Any) -> App:  # asyncpg's row
    return App(version=row["version"], **row["state"])


def _entity(row: Any) -> Entity:  # asyncpg's row
    return Entity(**{key: value for key, value in row.items() if key != "rank"})


def _revision(row: Any) -> Revision:  # asyncpg's row
    return Revision(**row["state"])


def _pack(*parts: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode()


def _cursor(text: str, size: int) -> tuple[str, ...] | None:
    """The parts of a cursor. InvalidMessage when it is none of ours."""
    if not text:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != size:
        raise InvalidMessage([FieldError("cursor", "cursor", "not a cursor of this list")])
    return tuple(str(part) for part in parts)


VIEWS = (list_apps, get_apps, list_entities, get_entities, list_revisions, diff_revisions)
