"""The graph of a page: reach, what is missing, what nobody uses."""

import pytest

from services.studio.appsmith import Entity, Kind
from services.studio.references import (
    Doubt,
    Goal,
    How,
    PageGraph,
    Reading,
    Unclear,
    Use,
    names_in,
    restored,
    stored,
)


def an_entity(kind: Kind, name: str, parent_id: str = "", *, on_load: bool = False) -> Entity:
    fields = {"on_load": True} if on_load else {}
    return Entity(
        f"{kind}:{name}", kind, name, "page:P", "P", "", "", parent_id=parent_id, fields=fields
    )


WIDGET, QUERY, SCRIPT = Kind.WIDGET, Kind.QUERY, Kind.SCRIPT
TABLE, INPUT, BUTTON = (an_entity(WIDGET, name) for name in ("Table1", "Input1", "Button1"))
FETCH, SAVE = (an_entity(QUERY, name) for name in ("fetchAll", "save"))
UTILS = an_entity(SCRIPT, "Utils")
SUM, IDLE = (an_entity(Kind.SCRIPT_FUNCTION, n, UTILS.entity_id) for n in ("sum", "idle"))
ALL = (TABLE, INPUT, BUTTON, FETCH, SAVE, UTILS, SUM, IDLE)


def uses(code: str, how: How = How.DATA) -> list[Use]:
    found = names_in(code, Goal.DATA).found
    return [Use(n.name, how, ("text",), n.start, n.end, n.path) for n in found]


def a_graph(**codes: str) -> PageGraph:
    by_name = {entity.name: entity.entity_id for entity in ALL}
    readings = {by_name[name]: Reading(tuple(uses(code))) for name, code in codes.items()}
    return PageGraph(ALL, readings, {"jspdf"})


CHAIN = {
    "Table1": "fetchAll.data",
    "fetchAll": "Input1.text",
    "Button1": "save.run(Table1.selectedRow)",
    "save": "Utils.sum(Table1.data)",
    "Utils": "Input1.text",
}


def reached(graph: PageGraph, entity: Entity, depth: int, *, users: bool) -> dict[str, int]:
    found = graph.reach(entity.entity_id, users=users, depth=depth)
    return {graph.entities[entity_id].name: distance for entity_id, distance in found.items()}


def test_what_an_entity_uses_is_found_step_by_step() -> None:
    graph = a_graph(**CHAIN)

    assert reached(graph, BUTTON, 1, users=False) == {"save": 1, "Table1": 1}
    assert reached(graph, BUTTON, 9, users=False) == {
        "save": 1,
        "Table1": 1,
        "sum": 2,
        "fetchAll": 2,
        "Input1": 3,
    }


def test_who_uses_it_is_found_the_other_way() -> None:
    graph = a_graph(**CHAIN)

    assert reached(graph, TABLE, 1, users=True) == {"Button1": 1, "save": 1}
    assert reached(graph, SUM, 1, users=True) == {"save": 1}
    assert reached(graph, INPUT, 2, users=True) == {"fetchAll": 1, "Utils": 1, "Table1": 2}


def test_a_ring_is_walked_once() -> None:
    graph = a_graph(Table1="Input1.text", Input1="Table1.selectedRow")

    assert reached(graph, TABLE, 100, users=False) == {"Input1": 1}


def test_a_missing_name_is_told_with_the_likeliest_one() -> None:
    graph = a_graph(Table1="fetchall.data + jspdf.x + moment() + tabel1 + nowhere")

    found = [(one.use.name, one.meant) for one in graph.dangling()]

    assert found == [("fetchall", "fetchAll"), ("tabel1", "Table1"), ("nowhere", "")]


def test_what_nobody_uses_is_told() -> None:
    graph = a_graph(**CHAIN)

    assert [graph.entities[one].name for one in graph.unused()] == ["idle"]


def test_a_script_that_is_handed_on_whole_may_have_any_of_its_functions_used() -> None:
    graph = a_graph(Table1="save.run(fetchAll, Utils)")

    assert graph.unused() == []


def test_what_runs_on_load_is_used() -> None:
    loaded = an_entity(QUERY, "loaded", on_load=True)
    graph = PageGraph([loaded, FETCH], {})

    assert graph.unused() == [FETCH.entity_id]


def test_to_use_oneself_is_not_to_be_used() -> None:
    graph = a_graph(fetchAll="fetchAll.data.length", Table1="save + Utils")

    assert graph.unused() == [FETCH.entity_id]


@pytest.mark.parametrize("path", [("a", 0, "b"), ("x\0y",), ("\ud800",), ('"', "ü"), ()])
def test_a_reading_comes_back_as_it_was_stored(path: tuple[str | int, ...]) -> None:
    strange = Use("Ünï", How.TRIGGER, path, 1, 4, ("m", "\0"), "fn", True)
    found = Reading((strange, *uses("a + a")), (Unclear(Doubt.EVAL, path, 0, 3),))

    text = stored(found)

    assert text.isascii()
    assert restored(text) == found
