"""Lists of a JSON text gain and lose items, and every other character stays."""

import json
from typing import Any

import pytest

from services.studio.appsmith.raw_json import (
    item_at,
    span,
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
