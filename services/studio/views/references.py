"""Who uses whom in an app's head: what its pages' graphs tell."""

import asyncio
from collections.abc import Iterable

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.studio.app import (
    CodePlace,
    Dependencies,
    Dependency,
    Direction,
    EntityUnknown,
    EvaluationOrder,
    Finding,
    FindingRule,
    Findings,
    GetDependencies,
    GetEvaluationOrder,
    Severity,
    UseKind,
    UsePlace,
    ValidateApp,
    WhatBreaks,
)
from services.studio.appsmith import Kind
from services.studio.appsmith.compare import path_text
from services.studio.model.past import Past
from services.studio.references import (
    Doubt,
    PageGraph,
    Use,
    order_of,
)
from services.studio.references.problems import Judged
from services.studio.store.checks import judged_pages
from services.studio.store.findings import bound_told, entity_told, problems_told
from services.studio.store.graphs import Graphs
from services.studio.views.queries import one_app

PLACES_MAX = 50
PAGES_MAX = 10

_PLACE = """SELECT e.page, a.state->>'head_digest' AS head
FROM entity AS e JOIN app AS a ON a.id = e.app_id
WHERE e.workspace_id = $1 AND e.app_id = $2 AND e.entity_id = $3"""
_QUERIES_OF = """SELECT entity_id, kind, name, page FROM entity
WHERE workspace_id = $1 AND app_id = $2 AND kind = 'query' AND fields->>'datasource' = $3
ORDER BY entity_id"""
_NAMED = """SELECT name, array_agg(DISTINCT page ORDER BY page) AS pages FROM entity
WHERE workspace_id = $1 AND app_id = $2 AND name = ANY($3)
    AND kind IN ('widget', 'query', 'script') GROUP BY name"""


async def get_dependencies(
    query: GetDependencies, database: Database, graphs: Graphs
) -> Dependencies:
    """By distance; references never leave a page, so only one is read."""
    graph = await _graph_around(query, database, graphs)
    users = query.direction is Direction.USED_BY
    found = graph.reach(query.entity_id, users=users, depth=query.depth)
    near = {query.entity_id, graph.entities[query.entity_id].parent_id}
    return Dependencies(
        dependencies=[
            _dependency(graph, entity_id, distance, near if distance == 1 else set(), users=users)
            for entity_id, distance in sorted(found.items(), key=lambda pair: pair[::-1])
        ]
    )


async def what_breaks(query: WhatBreaks, database: Database, graphs: Graphs) -> Dependencies:
    """Everything on its page that would miss it; of a datasource, its queries on all pages."""
    graph = await _graph_around(query, database, graphs)
    inside = graph.inside(query.entity_id)
    users = sorted({one.source_id for i in inside for one in graph.incoming.get(i, ())} - inside)
    found = [_dependency(graph, user, 1, inside, users=True) for user in users]
    if graph.entities[query.entity_id].kind is Kind.DATASOURCE:
        name = graph.entities[query.entity_id].name
        rows = await database.fetch(_QUERIES_OF, query.workspace_id, query.app_id, name)
        found += [Dependency(distance=1, **row) for row in rows]
    return Dependencies(dependencies=found)


async def get_evaluation_order(
    query: GetEvaluationOrder, database: Database, graphs: Graphs
) -> EvaluationOrder:
    """Of one page; a page that there is not has no values."""
    app = await one_app(database, query.workspace_id, query.app_id)
    graph = await graphs.page(query.workspace_id, app["state"]["head_digest"], query.page)
    values = order_of(graph).values if graph is not None else ()
    return EvaluationOrder(values=[bound_told(graph, one) for one in values if graph is not None])


async def validate_app(query: ValidateApp, database: Database, graphs: Graphs) -> Findings:
    """Of all pages, or of some."""
    state = (await one_app(database, query.workspace_id, query.app_id))["state"]
    digest, past = state["head_digest"], state.get("past")
    pages = await graphs.pages(query.workspace_id, digest, query.pages or None)
    made_of = Past([digest]) if past is None else Past(**past)
    judged = await judged_pages(graphs, query.workspace_id, pages, made_of)
    found = await asyncio.to_thread(
        lambda: [
            one for page, graph in pages.items() for one in findings_of(graph, judged.get(page))
        ]
    )
    found.sort(key=_first)
    listed = found[: query.limit]
    missing = {one.missing for one in listed if one.missing}
    rows = await database.fetch(_NAMED, query.workspace_id, query.app_id, list(missing))
    others = {row["name"]: row["pages"] for row in rows}
    told = [
        one.model_copy(update={"other_pages": others.get(one.missing, [])[:PAGES_MAX]})
        for one in listed
    ]
    return Findings(findings=told, more=len(found) > query.limit)


async def _graph_around(
    query: GetDependencies | WhatBreaks, database: Database, graphs: Graphs
) -> PageGraph:
    """The graph of an entity's page; what belongs to no page is on that of the app level."""
    place = await database.fetchrow(_PLACE, query.workspace_id, query.app_id, query.entity_id)
    if place is not None:
        graph = await graphs.page(query.workspace_id, place["head"], place["page"])
        if graph is not None and query.entity_id in graph.entities:
            return graph
    raise Rejected(EntityUnknown(app_id=query.app_id, entity_id=query.entity_id))


def _dependency(
    graph: PageGraph, entity_id: str, distance: int, near: set[str], *, users: bool
) -> Dependency:
    """`near`: the other ends of those references whose places are told."""
    entity = graph.entities[entity_id]
    ties = graph.outgoing if users else graph.incoming
    uses = [
        one.use
        for one in ties.get(entity_id, ())
        if (one.target_id if users else one.source_id) in near
    ]
    return Dependency(
        distance=distance,
        places=[place_of(use) for use in uses[:PLACES_MAX]],
        more=len(uses) > PLACES_MAX,
        **entity_told(entity),
    )


def place_of(use: Use) -> UsePlace:
    return UsePlace(
        path=path_text(use.path),
        start=use.start,
        end=use.end,
        kind=UseKind(use.how.value),
        members=path_text(use.members),
    )


def findings_of(graph: PageGraph, judged: Judged | None) -> Iterable[Finding]:
    """All that is wrong with a page, in no order. `judged`: its problems, if it has any."""
    error, warning = Severity.ERROR, Severity.WARNING
    if judged is not None:
        yield from problems_told(graph, judged)
    for entity_id, reading in graph.readings.items():
        for unclear in reading.unclear:
            broken = unclear.doubt is Doubt.BROKEN
            yield Finding(
                rule=FindingRule.BROKEN if broken else FindingRule.UNCLEAR,
                severity=error if broken else warning,
                place=CodePlace(path=path_text(unclear.path), start=unclear.start, end=unclear.end),
                **entity_told(graph.entities[entity_id]),
            )
    for entity_id in graph.unused():
        yield Finding(
            rule=FindingRule.UNUSED, severity=warning, **entity_told(graph.entities[entity_id])
        )


def _first(one: Finding) -> tuple[bool, bool, str, str]:
    return one.severity is Severity.WARNING, one.imported, one.page, one.entity_id


VIEWS = (get_dependencies, what_breaks, validate_app, get_evaluation_order)
