"""Where code stands in a text, as the client that runs it sees it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.studio.references import is_bound, segments


def codes(text: str) -> list[str]:
    return [text[one.start : one.end] for one in segments(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("plain", []),
        ("{ one }", []),
        ("{{ a }}", [" a "]),
        ("  {{a}}\n", ["a"]),
        ("x {{a}} y {{b}} z", ["a", "b"]),
        ("{{a}}{{b}}", ["a", "b"]),
        ("{{ {x: {y: 1}} }}", [" {x: {y: 1}} "]),
        ("{{ a }} {", [" a "]),
        ("{{}}", [""]),
        ("{{ `${a}` }}", [" `${a}` "]),
        ("{{ not closed", []),
    ],
)
def test_code_stands_between_braces_that_match(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_braces_in_strings_count_as_the_client_counts_them() -> None:
    # the client would run ` "` here: what an author meant is not what runs
    assert codes('{{ "}}" }}') == [' "']


def test_with_braces_that_do_not_match_all_the_rest_is_code() -> None:
    (only,) = segments("{{ '{' + a }}")

    assert only.whole
    assert codes("{{ '{' + a }}") == [" '{' + a "]


def test_what_matches_before_stays_apart() -> None:
    text = "{{ a }}{{ '{' }}"

    assert codes(text) == [" a ", " '{' "]
    assert [one.whole for one in segments(text)] == [False, True]


@given(st.text(alphabet="{} a'\n", max_size=60))
def test_any_text_has_its_segments_in_order_and_inside(text: str) -> None:
    found = segments(text)

    places = [place for one in found for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)
    assert is_bound(text) or not found


@pytest.mark.parametrize("text", ["{" * 400_000, "{{" + "}" * 400_000, "{{a}} " * 60_000])
def test_time_grows_with_the_length_alone(text: str) -> None:
    began = time.process_time()

    segments(text)

    assert time.process_time() - began < 5  # quadratic: hours
