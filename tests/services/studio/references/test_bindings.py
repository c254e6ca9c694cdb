"""What code stands in a value is told in room that grows with the value, however odd it is."""

import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from services.studio.appsmith import Entity, Kind, Source
from services.studio.appsmith.compare import json_changes
from services.studio.references import Doubt
from services.studio.references.bindings import bindings_of
from services.studio.references.renames.own_names import path_keys

A_WIDGET = Entity("widget:A", Kind.WIDGET, "A", "page:P", "P", "pages/P/widgets/A.json", "")


def said(value: dict[str, Any]) -> list[tuple[tuple[str | int, ...], list[str]]]:
    bindings = bindings_of(A_WIDGET, Source(value, None))
    return [(b.path, [n.name for e in b.expressions for n in e.names.found]) for b in bindings]


def deep(value: Any) -> Any:  # JSON
    for _ in range(800):
        value = [value]
    return value


def test_paths_are_told_in_the_order_of_the_source() -> None:
    value = {"a": {"b": ["{{ A }}", 1, ["{{ B }}"]], "c": {}}, "d": "{{ C + D }}", "e": []}

    assert said(value) == [
        (("a", "b", 0), ["A"]),
        (("a", "b", 2, 0), ["B"]),
        (("d",), ["C", "D"]),
    ]


def test_many_values_a_thousand_levels_deep_take_no_room() -> None:
    tracemalloc.start()
    assert said({"a": deep([0] * 20_000), "b": "{{ Q }}"}) == [(("b",), ["Q"])]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000


def test_a_long_key_above_many_names_is_not_looked_into() -> None:
    few, many = {"k" * 100_000: ["{{ Q }}"] * 50}, {"k" * 100_000: ["{{ Q }}"] * 500}

    assert len(said(few)) == 50
    (one,) = bindings_of(A_WIDGET, Source(many, None))
    (expression,) = one.expressions
    assert [doubt.doubt for doubt in expression.names.doubts] == [Doubt.TOO_LARGE]
    assert expression.names.found == ()


def test_expressions_that_appsmith_lists_are_told_with_the_object_around_them() -> None:
    lists = [
        {"name": "Q", "jsonPathKeys": ["a", 1, "b"]},
        {"name": 1, "inner": {"jsonPathKeys": ["c"]}},
        {"jsonPathKeys": {"x": "no"}},
    ]

    assert [*path_keys({"actions": [lists]})] == [
        (("actions", 0, 0, "jsonPathKeys", 0), "a", "Q"),
        (("actions", 0, 0, "jsonPathKeys", 2), "b", "Q"),
        (("actions", 0, 1, "inner", "jsonPathKeys", 0), "c", ""),
    ]


@pytest.mark.parametrize("ask", [path_keys, lambda value: json_changes(value, {**value, "b": 2})])
def test_values_a_thousand_levels_deep_are_walked_in_no_room(
    ask: Callable[[dict[str, Any]], Iterable[object]],
) -> None:
    value: dict[str, Any] = {"a": deep([0] * 20_000), "b": 1}

    assert len([*ask(value)]) <= 1
    tracemalloc.start()
    assert len([*ask(value)]) <= 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000
