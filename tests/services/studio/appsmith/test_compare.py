"""Differences by path and line: exact, complete, and what is listed makes the other side."""

import copy
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.studio.appsmith import App, Change, diff, parse
from services.studio.appsmith.compare import (
    MISSING,
    Detail,
    Path,
    PropertyChange,
    details,
    json_changes,
    path_text,
    sources,
)
from services.studio.appsmith.lines import Hunk, hunks, lines_of, matches
from tests.samples.shop import shop
from tests.services.studio.appsmith.sketches import (
    Page,
    Sketch,
    Widget,
    edited,
    sketches,
    texts,
    values,
)


def patched(value: Any, changes: list[PropertyChange]) -> Any:  # JSON
    """The value after the changes, from the last to the first: lists shrink from their end."""
    holder = {"": copy.deepcopy(value)} if value is not MISSING else {}
    for one in reversed(changes):
        inner: Any = holder
        *outer, last = ("", *one.path)
        for key in outer:
            inner = inner[key]
        if one.after is MISSING:
            del inner[last]
    for one in changes:
        inner = holder
        *outer, last = ("", *one.path)
        for key in outer:
            inner = inner[key]
        if one.after is not MISSING and isinstance(inner, list) and last == len(inner):
            inner.append(one.after)
        elif one.after is not MISSING:
            inner[last] = one.after
    return holder.get("", MISSING)


def rewritten(text: str, changes: list[Hunk]) -> str:
    """The text after the hunks."""
    lines = lines_of(text)
    for one in reversed(changes):
        count = len(lines_of(one.before))
        assert "".join(lines[one.line_before - 1 : one.line_before - 1 + count]) == one.before
        lines[one.line_before - 1 : one.line_before - 1 + count] = [one.after]
    return "".join(lines)


def exact(value: object) -> str:
    return "MISSING" if value is MISSING else json.dumps(value, sort_keys=True)


def compared(before: App, after: App) -> dict[str, Detail]:
    found = diff(before, after)
    return {one.entity.name: d for one, d in details(found, before.sections, after.sections)}


class TestJsonChanges:
    @pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, False), (0.0, -0.0)])
    def test_tell_apart_what_python_calls_equal(self, one: object, other: object) -> None:
        (change,) = json_changes({"a": one}, {"a": other})

        assert change.path == ("a",)
        assert change.change is Change.CHANGED

    def test_tell_null_from_nothing(self) -> None:
        (change,) = json_changes({"a": None}, {})

        assert (change.change, change.before, change.after) == (Change.REMOVED, None, MISSING)

    def test_go_through_lists_by_index(self) -> None:
        before, after = {"a": [1, {"b": 2}, 3]}, {"a": [1, {"b": 4}]}

        found = [path_text(one.path) for one in json_changes(before, after)]

        assert found == ["a[1].b", "a[2]"]

    @given(values, values)
    def test_make_the_other_value(self, before: object, after: object) -> None:
        changes = list(json_changes(before, after))

        assert exact(patched(before, changes)) == exact(after)
        assert bool(changes) == (exact(before) != exact(after))

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ((), ""),
            (("a", "b"), "a.b"),
            (("a.b", 0, "é"), '["a.b"][0]["é"]'),
            (("$x", "y-z"), "$x.y-z"),
        ],
    )
    def test_name_their_place(self, path: Path, text: str) -> None:
        assert path_text(path) == text


class TestHunks:
    @given(texts, texts)
    def test_make_the_other_text(self, before: str, after: str) -> None:
        assert rewritten(before, list(hunks(before, after))) == after

    def test_are_where_the_lines_differ(self) -> None:
        before = "a\nb\nc\nd\ne\n"

        found = list(hunks(before, "a\nB\nc\nd\nnew\ne\n"))

        assert found == [Hunk(2, 2, "b\n", "B\n"), Hunk(5, 5, "", "new\n")]

    @given(st.text("ab\r\n\u2028", max_size=30), st.text("ab\r\n\u2028", max_size=30))
    def test_keep_odd_ends_of_lines(self, before: str, after: str) -> None:
        assert rewritten(before, list(hunks(before, after))) == after

    @pytest.mark.parametrize("period", [1, 2, 3, 7])
    def test_of_hostile_texts_take_bounded_time(self, period: int) -> None:
        one = [f"{i % period}\n" for i in range(60_000)]
        other = [f"{i % (period + 1)}\n" for i in range(60_000)]
        start = time.process_time()

        found = matches(one, other)

        assert all(one[a : a + n] == other[b : b + n] for a, b, n in found)
        assert time.process_time() - start < 5


class TestDetails:
    @pytest.mark.parametrize("format_version", [4, 5])
    def test_say_which_property_of_a_widget_changed(self, format_version: int) -> None:
        files = shop(format_version)
        path = "pages/Home/" + ("canvas.json" if format_version == 4 else "widgets/Text1.json")
        before = parse(files)
        after = parse(files | {path: files[path].replace(b'"Text1"', b'"Text1", "new": 1.0', 1)})

        (detail,) = compared(before, after).values()

        assert detail.properties == (PropertyChange(("new",), MISSING, 1.0),)

    def test_say_in_which_order_widgets_are_inside_of_another(self) -> None:
        files = shop(4)
        path = "pages/Home/canvas.json"
        whole = json.loads(files[path])
        children = whole["unpublishedPage"]["layouts"][0]["dsl"]["children"]
        order = [child["widgetId"] for child in children]
        children.reverse()

        found = compared(parse(files), parse(files | {path: json.dumps(whole).encode()}))

        (change,) = found["Home"].properties
        assert path_text(change.path) == 'children["0"]'
        assert (change.before, change.after) == (tuple(order), tuple(reversed(order)))

    def test_say_which_lines_of_a_query_changed(self) -> None:
        files = shop(5)
        path = "pages/Home/queries/SaveOrder/SaveOrder.txt"
        after = files | {path: files[path] + b"\n-- more"}

        detail = compared(parse(files), parse(after))["SaveOrder"]

        assert [hunk.after.endswith("-- more") for hunk in detail.hunks] == [True]
        assert detail.properties == ()

    def test_say_that_only_the_layout_is_other(self) -> None:
        files = shop(5)
        theme = json.dumps(json.loads(files["theme.json"])).encode()

        (detail,) = compared(parse(files), parse(files | {"theme.json": theme})).values()

        assert (detail.unlisted, detail.properties) == ("layout", ())

    def test_say_that_only_the_place_is_another(self) -> None:
        page = Page(widgets={k: Widget("", True, k, {}) for k in "ab"})
        page.widgets["c"] = Widget("a", False, "c", {})
        before = Sketch(4, {}, {"Home": page}, {}).files()
        page.widgets["c"].parent = "b"
        after = Sketch(4, {}, {"Home": page}, {}).files()
        path = "pages/Home/canvas.json"
        for files in (before, after):
            files[path] = re.sub(rb'"parentId": "[^"]*",', b"", files[path])

        found = compared(parse(before), parse(after))

        assert [found[name].unlisted for name in found] in ([""], ["", "place"], ["place", ""])

    def test_say_that_a_file_is_no_text(self) -> None:
        files = shop(5) | {"a.bin": b"\xff"}

        (detail,) = compared(parse(files), parse(files | {"a.bin": b"\xfe"})).values()

        assert detail.unlisted == "binary"

    def test_are_bounded_and_say_so(self) -> None:
        files = shop(5)
        theme = json.dumps({f"k{i}": i for i in range(50)}).encode()
        before, after = parse(files), parse(files | {"theme.json": theme})

        ((_, detail),) = details(diff(before, after), before.sections, after.sections, 10)

        assert (len(detail.properties), detail.more) == (10, True)

    def test_of_json_too_deep_for_exact_values_are_lines(self) -> None:
        deep = b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}"
        files = shop(5)

        detail = compared(parse(files), parse(files | {"theme.json": deep}))["theme"]

        assert detail.hunks


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_listed_makes_one_revision_the_other(data: st.DataObject) -> None:
    sketch = data.draw(sketches())
    before = parse(sketch.files())
    after = parse(data.draw(edited(sketch)).files())
    found = list(diff(before, after))
    old = sources(before.sections, [one.before for one in found if one.before])
    new = sources(after.sections, [one.after for one in found if one.after])

    for one, detail in details(found, before.sections, after.sections):
        was, now = old.get(one.entity.entity_id), new.get(one.entity.entity_id)
        value = MISSING if was is None or was.value is None else was.value
        expected = MISSING if now is None or now.value is None else now.value
        assert exact(patched(value, list(detail.properties))) == exact(expected)
        text = (was.text if was else "") or ""
        assert rewritten(text, list(detail.hunks)) == ((now.text if now else "") or "")
        listed = bool(detail.properties or detail.hunks)
        assert listed or detail.unlisted or one.change is not Change.CHANGED
