"""Who uses whom in an app's head: graphs of pages, made of what is stored beside each entity."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.studio.app import (
    AppUnknown,
    Dependencies,
    Dependency,
    Direction,
    EntityKind,
    EntityUnknown,
    Finding,
    FindingRule,
    Findings,
    GetDependencies,
    GetFindings,
    Severity,
    UseKind,
    UsePlace,
)
from services.studio.appsmith import PAGE_PREFIX, Entity, Kind
from services.studio.appsmith.compare import path_text
from services.studio.references import PageGraph, Use, restored, uses_in
from services.studio.store.contents import Contents

PLACES_MAX = 50

_HEAD = "SELECT state->>'head_digest' AS digest FROM app WHERE workspace_id = $1 AND id = $2"
_ROWS = """SELECT entity_id, kind, name, page, parent_id, path, digest, fields, uses::text AS uses
FROM entity WHERE workspace_id = $1 AND app_id = $2
    AND (kind = 'library' OR cardinality($3::text[]) = 0 OR page = ANY($3))"""


async def get_dependencies(
    query: GetDependencies, database: Database, contents: Contents
) -> Dependencies:
    """By distance; references never leave a page, so only one is read."""
    page = await database.fetchval(
        "SELECT page FROM entity WHERE workspace_id = $1 AND app_id = $2 AND entity_id = $3",
        query.workspace_id,
        query.app_id,
        query.entity_id,
    )
    if page is None:
        raise Rejected(EntityUnknown(app_id=query.app_id, entity_id=query.entity_id))
    pages = [page] if page else []
    graphs = await _graphs(query.workspace_id, query.app_id, pages, database, contents)
    graph = graphs.get(page)
    if graph is None or not page:  # what belongs to no page is called by no name
        return Dependencies(dependencies=[])
    users = query.direction is Direction.USED_BY
    found = graph.reach(query.entity_id, users=users, depth=query.depth)
    return Dependencies(
        dependencies=[
            _dependency(graph, query.entity_id, entity_id, distance, users=users)
            for entity_id, distance in sorted(found.items(), key=lambda pair: pair[::-1])
        ]
    )


async def get_findings(query: GetFindings, database: Database, contents: Contents) -> Findings:
    """Of all pages, or of some."""
    graphs = await _graphs(query.workspace_id, query.app_id, query.pages, database, contents)
    found = [finding for graph in graphs.values() for finding in _findings(graph)]
    found.sort(key=lambda one: (one.severity is Severity.WARNING, one.page, one.entity_id))
    return Findings(findings=found[: query.limit], more=len(found) > query.limit)


async def _graphs(
    workspace_id: UUID, app_id: UUID, pages: list[str], database: Database, contents: Contents
) -> dict[str, PageGraph]:
    digest = await database.fetchval(_HEAD, workspace_id, app_id)
    if digest is None:
        raise Rejected(AppUnknown(app_id=app_id))
    rows = await database.fetch(_ROWS, workspace_id, app_id, pages)
    libraries = {row["name"] for row in rows if row["kind"] == Kind.LIBRARY}
    by_page: dict[str, list[Any]] = {}  # asyncpg's rows
    for row in rows:
        if row["page"]:
            by_page.setdefault(row["page"], []).append(row)
    return {
        page: PageGraph(
            map(_entity, found), await _uses(workspace_id, digest, page, found, contents), libraries
        )
        for page, found in by_page.items()
    }


async def _uses(
    workspace_id: UUID,
    digest: str,
    page: str,
    rows: list[Any],  # asyncpg's rows
    contents: Contents,
) -> dict[str, list[Use]]:
    """Stored ones; read from the source where it was written before there were any."""
    uses = {row["entity_id"]: restored(row["uses"]) for row in rows if row["uses"] is not None}
    unknown = {row["entity_id"] for row in rows} - uses.keys()
    if unknown:
        manifest = await contents.manifest(workspace_id, digest)
        sections = await contents.sections(workspace_id, manifest, [PAGE_PREFIX + page])
        for section in sections.values():
            known = unknown & section.by_id.keys()
            uses |= await asyncio.to_thread(uses_in, section, known)
    return uses


def _dependency(
    graph: PageGraph, start: str, entity_id: str, distance: int, *, users: bool
) -> Dependency:
    entity = graph.entities[entity_id]
    near = {start, graph.entities[start].parent_id} if distance == 1 else set()
    ties = graph.outgoing if users else graph.incoming
    places = [
        place_of(one.use)
        for one in ties.get(entity_id, ())
        if (one.target_id if users else one.source_id) in near
    ]
    return Dependency(
        entity_id=entity_id,
        kind=EntityKind(entity.kind.value),
        name=entity.name,
        page=entity.page,
        distance=distance,
        places=places[:PLACES_MAX],
        more=len(places) > PLACES_MAX,
    )


def place_of(use: Use) -> UsePlace:
    return UsePlace(
        path=path_text(use.path),
        start=use.start,
        end=use.end,
        kind=UseKind(use.how.value),
        members=path_text(use.members),
    )


def _findings(graph: PageGraph) -> Iterable[Finding]:
    for one in graph.dangling():
        yield Finding(
            rule=FindingRule.MISSING,
            severity=Severity.ERROR,
            missing=one.use.name,
            meant=one.meant,
            place=place_of(one.use),
            **_told(graph.entities[one.source_id]),
        )
    for entity_id in graph.unused():
        entity = graph.entities[entity_id]
        yield Finding(rule=FindingRule.UNUSED, severity=Severity.WARNING, **_told(entity))


def _told(entity: Entity) -> dict[str, Any]:  # fields of several types
    return {
        "entity_id": entity.entity_id,
        "kind": EntityKind(entity.kind.value),
        "name": entity.name,
        "page": entity.page,
    }


def _entity(row: Any) -> Entity:  # asyncpg's row
    return Entity(
        row["entity_id"],
        Kind(row["kind"]),
        row["name"],
        "",
        row["page"],
        row["path"],
        row["digest"],
        parent_id=row["parent_id"],
        fields=row["fields"],
    )


VIEWS = (get_dependencies, get_findings)
