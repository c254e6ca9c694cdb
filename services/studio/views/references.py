"""Who uses whom in an app's head: graphs of pages, made of what is stored beside each entity."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.studio.app import (
    BoundValue,
    CodePlace,
    Dependencies,
    Dependency,
    Direction,
    EntityKind,
    EntityUnknown,
    EvaluationOrder,
    Finding,
    FindingRule,
    Findings,
    GetDependencies,
    GetEvaluationOrder,
    GetFindings,
    Severity,
    UseKind,
    UsePlace,
    WhatBreaks,
)
from services.studio.appsmith import PAGE_PREFIX, Entity, Kind
from services.studio.appsmith.compare import path_text
from services.studio.references import (
    Doubt,
    PageGraph,
    Reading,
    Use,
    Value,
    order_of,
    readings_in,
    restored,
)
from services.studio.store.contents import Contents
from services.studio.views.queries import one_app

PLACES_MAX = 50

GRAPHS_MAX, USES_MAX = 32, 20_000
"""So many graphs are kept in memory, of at most so many uses each."""

_PLACE = """SELECT e.page, a.state->>'head_digest' AS head
FROM entity AS e JOIN app AS a ON a.id = e.app_id
WHERE e.workspace_id = $1 AND e.app_id = $2 AND e.entity_id = $3"""
_ROWS = """SELECT e.entity_id, e.kind, e.name, e.page, e.parent_id, e.path, e.digest, e.fields,
    e.reading::text AS reading, a.state->>'head_digest' AS head
FROM entity AS e JOIN app AS a ON a.id = e.app_id
WHERE e.workspace_id = $1 AND e.app_id = $2
    AND (e.kind = 'library' OR cardinality($3::text[]) = 0 OR e.page = ANY($3))"""

_GRAPHS: OrderedDict[tuple[UUID, str, str], PageGraph] = OrderedDict()
"""By workspace, head's digest and page: what a digest names never changes."""


async def get_dependencies(
    query: GetDependencies, database: Database, contents: Contents
) -> Dependencies:
    """By distance; references never leave a page, so only one is read."""
    graph = await _graph_around(query, database, contents)
    users = query.direction is Direction.USED_BY
    found = graph.reach(query.entity_id, users=users, depth=query.depth)
    near = {query.entity_id, graph.entities[query.entity_id].parent_id}
    return Dependencies(
        dependencies=[
            _dependency(graph, entity_id, distance, near if distance == 1 else set(), users=users)
            for entity_id, distance in sorted(found.items(), key=lambda pair: pair[::-1])
        ]
    )


async def what_breaks(query: WhatBreaks, database: Database, contents: Contents) -> Dependencies:
    """Everything on its page that would miss it."""
    graph = await _graph_around(query, database, contents)
    inside = graph.inside(query.entity_id)
    users = sorted({one.source_id for i in inside for one in graph.incoming.get(i, ())} - inside)
    return Dependencies(
        dependencies=[_dependency(graph, user, 1, inside, users=True) for user in users]
    )


async def get_evaluation_order(
    query: GetEvaluationOrder, database: Database, contents: Contents
) -> EvaluationOrder:
    """Of one page; a page that there is not has no values."""
    await one_app(database, query.workspace_id, query.app_id)
    graphs = await _graphs(query.workspace_id, query.app_id, [query.page], database, contents)
    graph = graphs.get(query.page)
    values = order_of(graph).values if graph is not None else ()
    return EvaluationOrder(values=[_bound(graph, one) for one in values if graph is not None])


async def get_findings(query: GetFindings, database: Database, contents: Contents) -> Findings:
    """Of all pages, or of some."""
    await one_app(database, query.workspace_id, query.app_id)
    graphs = await _graphs(query.workspace_id, query.app_id, query.pages, database, contents)
    found = await asyncio.to_thread(
        lambda: [one for graph in graphs.values() for one in findings_of(graph)]
    )
    found.sort(key=lambda one: (one.severity is Severity.WARNING, one.page, one.entity_id))
    return Findings(findings=found[: query.limit], more=len(found) > query.limit)


async def _graph_around(
    query: GetDependencies | WhatBreaks, database: Database, contents: Contents
) -> PageGraph:
    """The graph of an entity's page; what belongs to no page is alone in its own."""
    place = await database.fetchrow(_PLACE, query.workspace_id, query.app_id, query.entity_id)
    if place is None:
        raise Rejected(EntityUnknown(app_id=query.app_id, entity_id=query.entity_id))
    page = place["page"]
    graph = _GRAPHS.get((query.workspace_id, place["head"], page))
    if graph is None:
        graphs = await _graphs(query.workspace_id, query.app_id, [page], database, contents)
        graph = graphs.get(page)
    if graph is None or query.entity_id not in graph.entities:  # it went meanwhile
        raise Rejected(EntityUnknown(app_id=query.app_id, entity_id=query.entity_id))
    return graph


async def _graphs(
    workspace_id: UUID, app_id: UUID, pages: list[str], database: Database, contents: Contents
) -> dict[str, PageGraph]:
    rows = await database.fetch(_ROWS, workspace_id, app_id, pages)
    libraries = {row["name"] for row in rows if row["kind"] == Kind.LIBRARY}
    by_page: dict[str, list[Any]] = {}  # asyncpg's rows
    for row in rows:
        by_page.setdefault(row["page"], []).append(row)
    graphs = {}
    for page, found in by_page.items():
        head = found[0]["head"]
        readings = await _readings(workspace_id, head, page, found, contents)
        graphs[page] = graph = PageGraph(map(_entity, found), readings, libraries)
        if sum(len(one.uses) for one in readings.values()) <= USES_MAX:
            _GRAPHS[workspace_id, head, page] = graph
    while len(_GRAPHS) > GRAPHS_MAX:
        _GRAPHS.popitem(last=False)
    return graphs


async def _readings(
    workspace_id: UUID,
    digest: str,
    page: str,
    rows: list[Any],  # asyncpg's rows
    contents: Contents,
) -> dict[str, Reading]:
    """Stored ones; read from the source where it was written before there were any."""
    readings = {
        row["entity_id"]: restored(row["reading"]) for row in rows if row["reading"] is not None
    }
    unknown = {row["entity_id"] for row in rows} - readings.keys()
    if unknown:
        manifest = await contents.manifest(workspace_id, digest)
        sections = await contents.sections(workspace_id, manifest, [PAGE_PREFIX + page])
        for section in sections.values():
            known = unknown & section.by_id.keys()
            readings |= await asyncio.to_thread(readings_in, section, known)
    return readings


def _dependency(
    graph: PageGraph, entity_id: str, distance: int, near: set[str], *, users: bool
) -> Dependency:
    """`near`: the other ends of those references whose places are told."""
    entity = graph.entities[entity_id]
    ties = graph.outgoing if users else graph.incoming
    places = [
        place_of(one.use)
        for one in ties.get(entity_id, ())
        if (one.target_id if users else one.source_id) in near
    ]
    return Dependency(
        distance=distance,
        places=places[:PLACES_MAX],
        more=len(places) > PLACES_MAX,
        **_told(entity),
    )


def place_of(use: Use) -> UsePlace:
    return UsePlace(
        path=path_text(use.path),
        start=use.start,
        end=use.end,
        kind=UseKind(use.how.value),
        members=path_text(use.members),
    )


def findings_of(graph: PageGraph) -> Iterable[Finding]:
    """All that is wrong with a page, in no order."""
    error, warning = Severity.ERROR, Severity.WARNING
    for one in graph.dangling():
        yield Finding(
            rule=FindingRule.MISSING,
            severity=error,
            missing=one.use.name,
            meant=one.meant,
            place=CodePlace(path=path_text(one.use.path), start=one.use.start, end=one.use.end),
            **_told(graph.entities[one.source_id]),
        )
    for cycle in order_of(graph).cycles:
        yield Finding(
            rule=FindingRule.CYCLE,
            severity=error,
            cycle=[_bound(graph, value) for value in cycle],
            **_told(graph.entities[cycle[0].entity_id]),
        )
    for entity_id, reading in graph.readings.items():
        for unclear in reading.unclear:
            broken = unclear.doubt is Doubt.BROKEN
            yield Finding(
                rule=FindingRule.BROKEN if broken else FindingRule.UNCLEAR,
                severity=error if broken else warning,
                place=CodePlace(path=path_text(unclear.path), start=unclear.start, end=unclear.end),
                **_told(graph.entities[entity_id]),
            )
    for entity_id in graph.unused():
        yield Finding(rule=FindingRule.UNUSED, severity=warning, **_told(graph.entities[entity_id]))


def _bound(graph: PageGraph, value: Value) -> BoundValue:
    return BoundValue(
        entity_id=value.entity_id,
        name=graph.entities[value.entity_id].name,
        path=path_text(value.path),
    )


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


VIEWS = (get_dependencies, what_breaks, get_findings, get_evaluation_order)
