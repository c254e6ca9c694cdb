"""Strings of a JSON text are changed where they stand, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.studio.references.splice import Splice, Spot, spliced, spliced_json

NEW = 'N"\\'
TEXTS = st.text(alphabet='ab"\\/\n\u00e9\u2028\U0001f600\x1f', max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def strings(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[Spot, str]]:
    if isinstance(value, dict):
        found = [(Spot((*path, key), is_key=True), key) for key in value]
        return found + [one for k, v in value.items() for one in strings(v, (*path, k))]
    if isinstance(value, list):
        return [one for n, v in enumerate(value) for one in strings(v, (*path, n))]
    return [(Spot(path), value)] if isinstance(value, str) else []


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
@given(value=st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), data=st.data())
def test_any_string_can_be_changed_and_all_else_stays(
    ascii_only: bool, indent: int | None, value: dict[str, Any], data: st.DataObject
) -> None:
    options: dict[str, Any] = {"indent": indent, "ensure_ascii": ascii_only}
    spot, was = data.draw(st.sampled_from(strings(value)))
    start = data.draw(st.integers(0, len(was)))
    end = data.draw(st.integers(start, len(was)))
    wanted = was[:start] + NEW + was[end:]
    around = at(value, spot.path[:-1])
    assume(not spot.is_key or wanted not in around)

    after = spliced_json(json.dumps(value, **options), {spot: [Splice(start, end, NEW)]})

    assert after == json.dumps(replaced(value, spot, wanted), **options)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, spot: Spot, wanted: str, path: tuple[str | int, ...] = ()) -> Any:
    if spot == Spot(path):
        return wanted
    if isinstance(value, dict):
        return {
            wanted if spot == Spot((*path, k), is_key=True) else k: replaced(
                v, spot, wanted, (*path, k)
            )
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [replaced(v, spot, wanted, (*path, n)) for n, v in enumerate(value)]
    return value


def test_layout_numbers_and_escapes_stay_as_they_were_written() -> None:
    text = '{ "n":1.0e5,\t"a" : ["\\u0041\\/b", {"a":"\\ud83d\\ude00Q"}] }\n'

    after = spliced_json(text, {Spot(("a", 1, "a")): [Splice(1, 2, "New")]})

    assert after == text.replace("Q", "New")


def test_a_key_is_told_from_a_value() -> None:
    text = '{"a": "a", "b": {"a": 1}}'

    after = spliced_json(text, {Spot(("b", "a"), is_key=True): [Splice(0, 1, "x")]})

    assert after == '{"a": "a", "b": {"x": 1}}'


def test_a_spot_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        spliced_json('{"a": 1}', {Spot(("a",)): [Splice(0, 0, "x")]})


def test_several_splices_of_one_text() -> None:
    assert spliced("abcd", [Splice(2, 3, "X"), Splice(0, 1, "YY")]) == "YYbXd"
