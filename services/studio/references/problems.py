"""What keeps a page from being published, and what came with an import.

An import may bring names that nothing has and values that wait for one another; what is no worse
than that is tolerated (docs/adr/0020). No name of an entity is compared where another one will do:
renames would make news of what is old.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.studio.appsmith import Kind
from services.studio.references.graph import Dangling, PageGraph
from services.studio.references.order import Knot, Value, order_of

Cycle = tuple[Value, ...]
Shape = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Problems:
    """Uses of names that nobody on the page has; ways around of values, each using the next."""

    dangling: tuple[Dangling, ...] = ()
    cycles: tuple[Cycle, ...] = ()

    def __len__(self) -> int:
        return len(self.dangling) + len(self.cycles)


@dataclass(frozen=True, slots=True)
class Judged:
    """`added`: since the import. `brought`: by it."""

    added: Problems
    brought: Problems


def judged(
    graph: PageGraph, imported: Sequence[PageGraph], knots: Sequence[Knot] | None = None
) -> Judged:
    """A page's problems, by whether the page had them in a content that was imported. `knots`: the
    page's own, where they are known already."""
    known = frozenset[str]().union(*(one.missing for one in imported))
    dangling = graph.dangling() if graph.missing else []
    knots = order_of(graph).knots if knots is None else knots
    added, brought = _cycles(graph, knots, imported) if knots else ([], [])
    return Judged(
        Problems(tuple(one for one in dangling if one.use.name not in known), tuple(added)),
        Problems(tuple(one for one in dangling if one.use.name in known), tuple(brought)),
    )


def _cycles(
    graph: PageGraph, knots: Sequence[Knot], imported: Sequence[PageGraph]
) -> tuple[list[Cycle], list[Cycle]]:
    """Added ones, and those that were brought: of values that were in cycles then. What is renamed
    since is told by its shape; there may be as many of a shape as there were."""
    added: list[Cycle] = []
    brought: list[Cycle] = []
    known = {
        value: _shape(one, value)
        for one in imported
        for knot in order_of(one).knots
        for value in knot.values
    }
    left = dict(known)
    others: list[Knot] = []
    for knot in knots:
        if known.keys() >= set(knot.values):
            brought.append(knot.way())
            for value in knot.values:
                left.pop(value, None)
        else:
            others.append(knot)
    shapes = Counter(left.values())
    for knot in others:
        own = Counter(_shape(graph, value) for value in knot.values)
        if own <= shapes:
            brought.append(knot.way())
            shapes -= own
        else:
            new = next(value for value in knot.values if value not in known)
            added.append(knot.way(new))
    return added, brought


def _shape(graph: PageGraph, value: Value) -> Shape:
    """What kind of thing it is a value of, and which property, without any name that people give:
    below the first key of a path there may be a column's."""
    entity = graph.entities[value.entity_id]
    if entity.kind is not Kind.WIDGET:
        return entity.kind.value, "", ""
    return entity.kind.value, str(entity.fields.get("type", "")), "".join(value.path[:1])
