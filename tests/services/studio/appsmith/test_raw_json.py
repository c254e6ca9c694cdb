"""Lists of a JSON text gain and lose items, and every other character stays."""

import json
from typing import Any

import pytest

from services.studio.appsmith.raw_json import (
    item_at,
    span,
    spans,
    with_item,
    with_value,
    without_item,
)

VALUE: dict[str, Any] = {
    "a": [{"x": [1, {"y": 'é="\n{[,'}], "k": {}}, {"z": []}, 3.0, 2**70],
    "b": {"c": [], "a": [1]},
}
INDENTED = json.dumps(VALUE, indent=2).replace("=", "\\u003d")


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_item_taken_out_and_put_back_leaves_no_trace(place: int) -> None:
    item = item_at(INDENTED, ("a", place))

    without = without_item(INDENTED, ("a",), place)

    assert json.loads(without)["a"] == [x for n, x in enumerate(VALUE["a"]) if n != place]
    assert with_item(without, ("a",), item, place) == INDENTED


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_item_goes_to_another_list_and_is_laid_out_as_there(place: int) -> None:
    item = item_at(INDENTED, ("a", place))

    moved = with_item(INDENTED, ("b", "c"), item)

    assert json.loads(moved)["b"]["c"] == [VALUE["a"][place]]
    assert moved == json.dumps(json.loads(moved), indent=2).replace("=", "\\u003d")
    assert without_item(moved, ("b", "c"), 0) == INDENTED


def test_text_without_lines_stays_so() -> None:
    flat = json.dumps(VALUE, separators=(",", ":"))

    moved = with_item(flat, ("b", "a"), item_at(flat, ("a", 1)))

    assert moved == flat.replace('"a":[1]', '"a":[1,{"z":[]}]')


def test_of_a_key_that_stands_twice_the_last_one_counts() -> None:
    assert with_value('{"a": 1, "b": {"a": 2}, "a": 3}', ("a",), "4") == (
        '{"a": 1, "b": {"a": 2}, "a": 4}'
    )


@pytest.mark.parametrize("way", [("nothing",), ("a", 9), ("a", 0, "x", 0, "y"), ("b", 0)])
def test_a_path_that_leads_nowhere_is_an_error(way: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        span(INDENTED, way)


def test_values_are_found_in_one_pass_however_deep() -> None:
    depth = 1_000
    way = (*(0,) * depth,)
    text = "[" * (depth + 1) + "]" * (depth + 1)

    assert spans(text, [(), (0,), way[:-1], (0, 1)]) == {
        (): (0, len(text)),
        (0,): (1, len(text) - 1),
        way[:-1]: (depth - 1, len(text) - depth + 1),
    }


def test_what_was_in_the_first_of_two_values_of_a_key_is_not_there() -> None:
    text = '{"a": {"b": 1, "c": [1]}, "a": {"c": [2, 3]}}'

    found = spans(text, [("a", "b"), ("a", "c"), ("a", "c", 1)])

    assert {way: text[start:end] for way, (start, end) in found.items()} == {
        ("a", "c"): "[2, 3]",
        ("a", "c", 1): "3",
    }
