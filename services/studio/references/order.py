"""The order in which a page's values can be worked out, and where there is none.

A value is a bound property of a widget, or a member of a script, that uses any name. It waits for
the values that it uses: `Table1.selectedRow.id` for what is bound at, above or below
`selectedRow.id` of Table1. A query's answer waits for nothing, for it comes when the query is run;
nor does what a trigger does. What widgets derive from their own properties is not known here.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from services.studio.appsmith import Kind
from services.studio.appsmith.compare import Path
from services.studio.references.graph import PageGraph, Reference
from services.studio.references.readings import How, Use

_LATER = frozenset(("data", "isLoading", "responseMeta", "clear", "run"))
"""What a script's function has besides being called: known without running its body."""


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """A bound property of an entity. `below`: stands for all values at the path and below it, so
    that many who use many are tied by few; never in an answer."""

    entity_id: str
    path: tuple[str, ...]
    below: bool = False


Waits = Mapping[Value, list[Value]]


@dataclass(frozen=True, slots=True)
class Knot:
    """Values that wait for one another: each for all of them, over others or not. In their own
    order."""

    values: tuple[Value, ...]
    inside: frozenset[Value] = field(repr=False)
    waits: Waits = field(repr=False)

    def way(self, start: Value | None = None) -> tuple[Value, ...]:
        """A shortest way around, from a value or from the first: each uses the next, and the last
        the first."""
        return _ring(self.values[0] if start is None else start, self.inside, self.waits)


@dataclass(frozen=True, slots=True)
class Order:
    """`values`: each after those that it uses; those of a knot stand together, in any order."""

    values: tuple[Value, ...]
    knots: tuple[Knot, ...]

    @property
    def cycles(self) -> tuple[tuple[Value, ...], ...]:
        """A way around of each knot."""
        return tuple(knot.way() for knot in self.knots)


def order_of(graph: PageGraph) -> Order:
    """A page's values, put in order (Tarjan's strongly connected components, which come out
    in it)."""
    waits = _waits(graph)
    values: list[Value] = []
    knots: list[Knot] = []
    for component in _components(waits):
        own = [one for one in component if not one.below]
        values += own
        if len(component) > 1 or component[0] in waits[component[0]]:
            knots.append(Knot(tuple(sorted(own)), frozenset(component), waits))
    return Order(tuple(values), tuple(knots))


def _waits(graph: PageGraph) -> dict[Value, list[Value]]:
    """For each value the values that it waits for."""
    uses: dict[Value, list[Reference]] = {
        _value(entity_id, use.path, use.inside): []
        for entity_id, reading in graph.readings.items()
        for use in reading.uses
        if _is_value(graph, entity_id, use)
    }
    for one in graph.references:
        if _is_value(graph, one.source_id, one.use):
            uses[_value(one.source_id, one.use.path, one.use.inside)].append(one)
    waits: dict[Value, list[Value]] = {value: [] for value in sorted(uses)}
    for value in list(waits):
        above = value
        for end in range(len(value.path), -1, -1):
            below = Value(value.entity_id, value.path[:end], below=True)
            known = below in waits
            waits.setdefault(below, []).append(above)
            if known:
                break
            above = below
    for value, found in uses.items():
        waits[value] = sorted({wanted for one in found for wanted in _wanted(graph, one, waits)})
    return waits


def _is_value(graph: PageGraph, entity_id: str, use: Use) -> bool:
    return use.how is How.DATA and graph.entities[entity_id].kind is not Kind.QUERY


def _value(entity_id: str, path: Path, inside: str) -> Value:
    return Value(entity_id, (inside,) if not path and inside else tuple(map(str, path)))


def _wanted(graph: PageGraph, one: Reference, known: Container[Value]) -> Iterator[Value]:
    target = graph.entities[one.target_id]
    members = one.use.members
    holder = target.parent_id if target.kind is Kind.SCRIPT_FUNCTION else target.entity_id
    script = target.kind in (Kind.SCRIPT, Kind.SCRIPT_FUNCTION)
    if script and len(members) > 1 and members[1] in _LATER:
        return
    for end in range(len(members)):
        if (above := Value(holder, members[:end])) in known:
            yield above
    if (below := Value(holder, members, below=True)) in known:
        yield below


def _components(waits: dict[Value, list[Value]]) -> Iterator[list[Value]]:
    """Without recursion: a page may have thousands of values in a row."""
    number: dict[Value, int] = {}
    low: dict[Value, int] = {}
    stack: list[Value] = []
    on_stack: set[Value] = set()
    for root in waits:
        if root in number:
            continue
        way = [(root, iter(waits[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while way:
            value, rest = way[-1]
            following = next(rest, None)
            if following is None:
                way.pop()
                if way:
                    low[way[-1][0]] = min(low[way[-1][0]], low[value])
                if low[value] == number[value]:
                    component = _popped(stack, value)
                    on_stack.difference_update(component)
                    yield component
            elif following not in number:
                number[following] = low[following] = len(number)
                stack.append(following)
                on_stack.add(following)
                way.append((following, iter(waits[following])))
            elif following in on_stack:
                low[value] = min(low[value], number[following])


def _popped(stack: list[Value], until: Value) -> list[Value]:
    found = [stack.pop()]
    while found[-1] != until:
        found.append(stack.pop())
    return found


def _ring(start: Value, inside: Container[Value], waits: Waits) -> tuple[Value, ...]:
    """A shortest way around, from a value of a component."""
    came_from: dict[Value, Value] = {}
    border = [start]
    while border:
        ring: list[Value] = []
        for here in border:
            for there in waits[here]:
                if there == start:
                    way = [here]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return tuple(one for one in reversed(way) if not one.below)
                if there in inside and there not in came_from:
                    came_from[there] = here
                    ring.append(there)
        border = ring
    raise AssertionError("a component of several has a way around")
