"""The order of values, and cycles."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.studio.appsmith import Entity, Kind
from services.studio.references import (
    Goal,
    How,
    Order,
    PageGraph,
    Reading,
    Use,
    names_in,
    order_of,
)


def a_widget(name: str) -> Entity:
    return Entity(f"widget:{name}", Kind.WIDGET, name, "page:P", "P", "", "")


QUERY = Entity("query:q", Kind.QUERY, "q", "page:P", "P", "", "")
SCRIPT = Entity("script:S", Kind.SCRIPT, "S", "page:P", "P", "", "")
FUNCTION = Entity(
    "script_function:f", Kind.SCRIPT_FUNCTION, "f", "page:P", "P", "", "", parent_id="script:S"
)


def uses(path: str, code: str, how: How = How.DATA) -> list[Use]:
    keys = tuple(path.split("."))
    return [Use(n.name, how, keys, n.start, n.end, n.path) for n in names_in(code, Goal.DATA).found]


def a_script(code: str) -> Reading:
    names = names_in(code, Goal.SCRIPT)
    found = []
    for n in names.found:
        inside = next(m.name for m in names.members if m.start <= n.start < m.end)
        found.append(Use(n.name, How.DATA, (), n.start, n.end, n.path, inside))
    return Reading(tuple(found))


def an_order(*bound: tuple[str, str], script: str = "", query: str = "") -> Order:
    """Bound values as (`Widget.path`, code)."""
    names = sorted({value.partition(".")[0] for value, _ in bound} | {"A", "B", "C"})
    readings: dict[str, Reading] = {}
    for name in names:
        own = [(v.partition(".")[2], c) for v, c in bound if v.partition(".")[0] == name]
        found = tuple(use for path, code in own for use in uses(path, code))
        readings[f"widget:{name}"] = Reading(found)
    if script:
        readings[SCRIPT.entity_id] = a_script(script)
    if query:
        readings[QUERY.entity_id] = Reading(tuple(uses("body", query)))
    return order_of(PageGraph([*map(a_widget, names), QUERY, SCRIPT, FUNCTION], readings))


def told(order: Order) -> list[str]:
    return [".".join((one.entity_id.partition(":")[2], *one.path)) for one in order.values]


def cycles(order: Order) -> list[list[str]]:
    return [
        [".".join((one.entity_id.partition(":")[2], *one.path)) for one in cycle]
        for cycle in order.cycles
    ]


def test_each_value_comes_after_those_that_it_uses() -> None:
    order = an_order(("A.text", "B.text"), ("B.text", "C.text"), ("C.text", "q.data"))

    assert told(order) == ["C.text", "B.text", "A.text"]
    assert cycles(order) == []


def test_values_that_wait_for_one_another_are_a_cycle() -> None:
    order = an_order(("A.text", "B.text"), ("B.text", "C.text"), ("C.text", "A.text"))

    assert cycles(order) == [["A.text", "B.text", "C.text"]]


def test_a_value_that_waits_for_itself_is_a_cycle() -> None:
    assert cycles(an_order(("A.text", "A.text + 1"))) == [["A.text"]]


def test_other_properties_of_one_another_are_no_cycle() -> None:
    assert cycles(an_order(("A.text", "B.text"), ("B.color", "A.text"))) == []


@pytest.mark.parametrize("member", ["row", "row.id", "row.id.x"])
def test_what_is_above_or_below_counts(member: str) -> None:
    assert cycles(an_order(("A.row.id", f"B.{member}"), ("B.row.id", "A.row"))) != []


def test_a_whole_entity_is_all_its_values() -> None:
    assert cycles(an_order(("A.text", "JSON.stringify(B)"), ("B.color", "A.text"))) != []


def test_a_querys_answer_waits_for_nothing() -> None:
    assert cycles(an_order(("A.text", "q.data"), query="A.text")) == []


def test_a_function_that_is_called_for_a_value_counts_and_its_last_answer_does_not() -> None:
    script = "export default { f() { return A.text }, rows: B.text }"

    assert cycles(an_order(("A.text", "S.f()"), script=script)) == [["S.f", "A.text"]]
    assert cycles(an_order(("A.text", "S.f.data"), script=script)) == []
    assert cycles(an_order(("A.text", "S.rows"), script=script)) == []


def test_a_long_chain_takes_no_recursion() -> None:
    bound = [(f"W{n}.text", f"W{n + 1}.text") for n in range(3000)]

    assert len(told(an_order(*bound))) == 3000


PAIRS = st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDE")), max_size=12)


@given(PAIRS)
def test_order_and_cycles_agree_with_plain_search(pairs: list[tuple[str, str]]) -> None:
    bound: dict[str, str] = {}
    for user, used in pairs:
        bound[f"{user}.text"] = bound.get(f"{user}.text", "0") + f" + {used}.text"

    order = an_order(*bound.items())

    ties = {(f"{a}.text", f"{b}.text") for a, b in pairs if f"{b}.text" in bound}
    places = {value: place for place, value in enumerate(told(order))}
    on_ring = {value for value in bound if value in reach(value, ties)}
    assert set(places) == set(bound)
    for user, used in ties:
        together = user in reach(used, ties)
        assert together or places[used] < places[user]
    assert {value for cycle in cycles(order) for value in cycle} <= on_ring
    assert bool(cycles(order)) == bool(on_ring)
    for cycle in cycles(order):
        assert set(pairwise([*cycle, cycle[0]])) <= ties


def reach(start: str, ties: set[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    border = {start}
    while border:
        border = {b for a, b in ties if a in border} - found
        found |= border
    return found


def test_many_who_use_many_take_time_by_their_number() -> None:
    bound = [(f"A.p{n}", "JSON.stringify(B) + C.text") for n in range(4000)]
    bound += [(f"B.q{n}", "C.text") for n in range(4000)]

    order = an_order(*bound)  # by pairs: 16 million

    assert len(order.values) == 8000
    assert told(order)[0].startswith("B.")
    assert order.cycles == ()
