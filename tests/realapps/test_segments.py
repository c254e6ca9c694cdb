"""Our split of texts at `{{ }}` against the client's own algorithm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.studio.references import segments
from tests.realapps.client import snippets

TEXTS = st.lists(
    st.sampled_from(("{{", "}}", "{", "}", " ", "a", "'", "\n", "{{ a }}", "{ b }", "😀")),
    max_size=14,
).map("".join)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a {{ b }} c {{ {d: 1} }}", [" b ", " {d: 1} "]),
        ("  {{ a }}{{ '{' }}", [" a ", " '{' "]),
        ("plain {", []),
        ("a {{ '{' }}", ["{{ '{' "]),
        ("{{ '}}' }}", [" '"]),
    ],
)
def test_the_rule_says_what_the_client_runs(text: str, code: list[str]) -> None:
    assert snippets(text) == code


@pytest.mark.thorough
@settings(max_examples=2000, deadline=None)
@given(text=TEXTS)
def test_code_stands_where_the_client_finds_it(text: str) -> None:
    expected = snippets(text)

    found = segments(text)

    if len(found) > len(expected) and found[-1].whole:
        found.pop()  # the client drops braces that match without closing; we mark them
    assert [text[one.start : one.end] for one in found] == expected


def test_what_the_client_drops_is_marked() -> None:
    assert snippets("{{ {a}} }") == []

    assert [one.whole for one in segments("{{ {a}} }")] == [True]
