"""What code stands in a value is told in room that grows with the value, however odd it is."""

import tracemalloc
from typing import Any

from services.studio.appsmith import Entity, Kind, Source
from services.studio.references import Doubt
from services.studio.references.bindings import bindings_of

A_WIDGET = Entity("widget:A", Kind.WIDGET, "A", "page:P", "P", "pages/P/widgets/A.json", "")


def said(value: dict[str, Any]) -> list[tuple[tuple[str | int, ...], list[str]]]:
    bindings = bindings_of(A_WIDGET, Source(value, None))
    return [(b.path, [n.name for e in b.expressions for n in e.names.found]) for b in bindings]


def test_paths_are_told_in_the_order_of_the_source() -> None:
    value = {"a": {"b": ["{{ A }}", 1, ["{{ B }}"]], "c": {}}, "d": "{{ C + D }}", "e": []}

    assert said(value) == [
        (("a", "b", 0), ["A"]),
        (("a", "b", 2, 0), ["B"]),
        (("d",), ["C", "D"]),
    ]


def test_many_values_a_thousand_levels_deep_take_no_room() -> None:
    inner: Any = [0] * 20_000
    for _ in range(800):
        inner = [inner]

    tracemalloc.start()
    assert said({"a": inner, "b": "{{ Q }}"}) == [(("b",), ["Q"])]
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
