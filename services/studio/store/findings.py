"""Problems of a page, as the contract has them."""

from collections.abc import Iterator
from typing import Any

from contracts.studio.app import (
    BoundValue,
    CodePlace,
    EntityKind,
    Finding,
    FindingRule,
    Severity,
)
from services.studio.appsmith import Entity
from services.studio.appsmith.compare import path_text
from services.studio.appsmith.entities import FIELD_LENGTH_MAX
from services.studio.references import Dangling, PageGraph, Value
from services.studio.references.problems import Cycle, Judged

CYCLE_MAX = 20


def problems_told(graph: PageGraph, found: Judged) -> Iterator[Finding]:
    """What keeps a page from being published, and after that what an import brought."""
    for problems, imported in ((found.added, False), (found.brought, True)):
        for one in problems.dangling:
            yield _missing(graph, one, imported)
        for cycle in problems.cycles:
            yield _cycle(graph, cycle, imported)


def _missing(graph: PageGraph, one: Dangling, imported: bool) -> Finding:
    return Finding(
        rule=FindingRule.MISSING,
        severity=Severity.ERROR,
        missing=one.use.name,
        meant=one.meant,
        place=CodePlace(path=path_text(one.use.path), start=one.use.start, end=one.use.end),
        imported=imported,
        **entity_told(graph.entities[one.source_id]),
    )


def _cycle(graph: PageGraph, cycle: Cycle, imported: bool) -> Finding:
    return Finding(
        rule=FindingRule.CYCLE,
        severity=Severity.ERROR,
        cycle=[bound_told(graph, value) for value in cycle],
        imported=imported,
        **entity_told(graph.entities[cycle[0].entity_id]),
    )


def bound_told(graph: PageGraph, value: Value) -> BoundValue:
    """A bound property."""
    return BoundValue(
        entity_id=value.entity_id,
        name=graph.entities[value.entity_id].name,
        path=path_text(value.path),
    )


def entity_told(entity: Entity) -> dict[str, Any]:  # fields of several types
    """Who it is: the fields that a finding and a dependency share."""
    return {
        "entity_id": entity.entity_id,
        "kind": EntityKind(entity.kind.value),
        "name": entity.name,
        "page": entity.page,
    }


def short(one: Finding) -> Finding:
    """The same with long texts cut, and of a long cycle its beginning: what strangers wrote may be
    of any length, and a message may not."""
    place = one.place and one.place.model_copy(update={"path": _cut(one.place.path)})
    cycle = [value.model_copy(update={"path": _cut(value.path)}) for value in one.cycle[:CYCLE_MAX]]
    return one.model_copy(update={"missing": _cut(one.missing), "place": place, "cycle": cycle})


def _cut(text: str) -> str:
    return text if len(text) <= FIELD_LENGTH_MAX else f"{text[:FIELD_LENGTH_MAX]}…"
