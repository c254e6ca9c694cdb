"""Merges of widget trees and pages: what is inside of what, and where two whole sides clash."""

import copy
import re
from collections.abc import Callable

import pytest

from services.studio.appsmith import App, Kind, parse
from services.studio.appsmith.merge import Clash, Merged, Side, merge
from tests.services.studio.appsmith.edits import id_of, source
from tests.services.studio.appsmith.merges import listed, merged, page_of, said
from tests.services.studio.appsmith.sketches import Page, Sketch, Widget

FORMATS = pytest.mark.parametrize("version", [2, 3, 4, 5])
Edit = Callable[[Sketch], None]


def box(version: int) -> Sketch:
    """A page with two boxes, a widget in the first, and one beside them."""
    page = page_of(a="Box1", b="Box2", c="Inner", d="Beside")
    page.widgets["a"].holds = page.widgets["b"].holds = True
    page.widgets["c"].parent = "a"
    return Sketch(version, {}, {"Home": page, "Two": Page()}, {})


def both(sketch: Sketch, ours: Edit, theirs: Edit, *choices: Side) -> Merged:
    """The merge of two edits; `choices` go to the conflicts in their order."""
    sides = [copy.deepcopy(sketch), copy.deepcopy(sketch)]
    ours(sides[0])
    theirs(sides[1])
    files = [parse(one.files()) for one in (sketch, *sides)]
    found = merge(files[0], files[1], files[2])
    chosen = {c.conflict_id: side for c, side in zip(found.conflicts, choices, strict=False)}
    return merge(files[0], files[1], files[2], chosen) if choices else found


def places(app: App) -> dict[str, str]:
    """What each widget is inside of, by name."""
    names = {e.entity_id: e.name for e in app}
    shown = {e.name: names.get(e.parent_id, "") for e in app if e.kind == "widget"}
    return {
        name: next((n for n in _out(shown, name) if not n.startswith("Canvas")), "")
        for name in shown
        if not name.startswith("Canvas")
    }


def _out(places: dict[str, str], name: str) -> list[str]:
    found = []
    while name := places.get(name, ""):
        found.append("" if name == "MainContainer" else name)
    return [one for one in found if one]


def remove(*keys: str) -> Edit:
    def edit(sketch: Sketch) -> None:
        for key in keys:
            del sketch.pages["Home"].widgets[key]

    return edit


def move(key: str, parent: str) -> Edit:
    def edit(sketch: Sketch) -> None:
        sketch.pages["Home"].widgets[key].parent = parent

    return edit


def change(key: str) -> Edit:
    def edit(sketch: Sketch) -> None:
        sketch.pages["Home"].widgets[key].own["text"] = "changed"

    return edit


def add(key: str, parent: str) -> Edit:
    def edit(sketch: Sketch) -> None:
        sketch.pages["Home"].widgets[key] = Widget(parent, False, f"New{key}", {})

    return edit


@FORMATS
class TestTrees:
    def test_have_what_both_added_and_moved(self, version: int) -> None:
        found = both(box(version), add("x", "a"), move("d", "b"))

        home = places(found.app)
        assert (home["Newx"], home["Beside"], home["Inner"]) == ("Box1", "Box2", "Box1")
        assert found.conflicts == ()

    def test_a_box_with_new_things_in_it_is_not_just_removed(self, version: int) -> None:
        ours, theirs = remove("a", "c"), add("x", "a")

        kept = both(box(version), theirs, ours)
        gone = both(box(version), ours, theirs)
        back = both(box(version), ours, theirs, Side.THEIRS)

        assert said(kept) == said(gone) == [("Box1", (), Clash.REMOVED)]
        assert places(kept.app)["Newx"] == places(back.app)["Newx"] == "Box1"
        assert {"Box1", "Inner", "Newx"} & places(gone.app).keys() == set()
        assert "Inner" in places(back.app)

    def test_a_box_goes_when_the_other_side_left_it_alone(self, version: int) -> None:
        found = both(box(version), remove("a", "c"), change("d"))

        assert found.conflicts == ()
        assert places(found.app).keys() & {"Box1", "Inner"} == set()

    def test_moved_to_two_places_it_is_in_ours(self, version: int) -> None:
        found = both(box(version), move("c", "b"), move("c", ""))
        chosen = both(box(version), move("c", "b"), move("c", ""), Side.THEIRS)

        assert [one.path for one in found.conflicts] == [("parentId",)]
        assert places(found.app)["Inner"] == "Box2"
        assert places(chosen.app)["Inner"] == ""

    def test_moved_into_what_is_gone_it_stays_where_we_have_it(self, version: int) -> None:
        found = both(box(version), remove("b"), move("d", "b"))

        assert said(found) == [("Box2", (), Clash.REMOVED)]
        assert places(found.app)["Beside"] == ""

    def test_a_widget_and_a_query_of_one_name_are_not_both_taken(self, version: int) -> None:
        def query(sketch: Sketch) -> None:
            sketch.pages["Home"].queries["Newx"] = ("SELECT 1", {})

        found = both(box(version), query, add("x", ""))
        chosen = both(box(version), query, add("x", ""), Side.THEIRS)

        assert said(found) == [("Newx", (), Clash.NAME_TAKEN)]
        kinds = [[e.kind.value for e in a if e.name == "Newx"] for a in (found.app, chosen.app)]
        assert kinds == [["query"], ["widget"]]

    def test_boxes_moved_into_each_other_are_no_ring(self, version: int) -> None:
        found = both(box(version), move("a", "b"), move("b", "a"))

        assert said(found) == [("Home", (), Clash.STRUCTURE)]
        assert places(found.app)["Box1"] == "Box2"


@FORMATS
class TestPages:
    def test_removed_by_one_and_edited_by_the_other_clash(self, version: int) -> None:
        def gone(sketch: Sketch) -> None:
            del sketch.pages["Home"]

        kept = both(box(version), change("d"), gone)
        left = both(box(version), gone, change("d"))

        assert said(kept) == said(left) == [("Home", (), Clash.REMOVED)]
        assert listed(kept.app) == {"Home": False, "Two": True}
        assert listed(left.app) == {"Two": True}

    def test_added_by_both_are_listed(self, version: int) -> None:
        def page(name: str) -> Edit:
            return lambda sketch: sketch.pages.update({name: page_of(x=f"In{name}")})

        found = both(box(version), page("A"), page("B"))

        assert list(listed(found.app)) == ["Home", "Two", "A", "B"]
        assert found.conflicts == ()

    def test_one_opens_first_when_the_one_that_did_is_gone(self, version: int) -> None:
        def turn(sketch: Sketch) -> None:
            sketch.pages = dict(reversed(sketch.pages.items()))

        found = both(box(version), lambda sketch: sketch.pages.pop("Two") and None, turn)

        assert listed(found.app) == {"Home": True}

    def test_the_last_one_is_not_removed(self, version: int) -> None:
        def without(name: str) -> Edit:
            return lambda sketch: sketch.pages.pop(name) and None

        found = both(box(version), without("Home"), without("Two"))

        assert [one.clash for one in found.conflicts] == [Clash.STRUCTURE]
        assert list(listed(found.app)) == ["Two"]


class TestOthers:
    def test_a_move_that_the_json_of_a_widget_does_not_tell_counts(self) -> None:
        def files(edit: Edit) -> App:
            sketch = box(4)
            edit(sketch)
            found = sketch.files()
            path = "pages/Home/canvas.json"
            return parse({**found, path: re.sub(rb'"parentId": "[^"]*",', b"", found[path])})

        found = merge(files(lambda _: None), files(move("c", "b")), files(remove("c")))

        assert said(found) == [("Inner", (), Clash.REMOVED)]
        assert places(found.app)["Inner"] == "Box2"

    def test_formats_do_not_mix(self) -> None:
        base, other = parse(box(4).files()), parse(box(5).files())
        changed = box(4)
        change("d")(changed)

        found = merge(base, parse(changed.files()), other)

        assert [one.clash for one in found.conflicts] == [Clash.FORMAT]
        assert found.app.format_version == 4
        assert merge(base, base, other).app is other

    def test_a_choice_for_no_conflict_is_told(self) -> None:
        app = parse(box(5).files())

        assert merge(app, app, app, {"nothing": Side.OURS}).unknown == ("nothing",)

    def test_a_choice_may_end_another_conflict(self) -> None:
        def inside(sketch: Sketch) -> None:
            sketch.pages["Home"].widgets["x"] = Widget("a", False, "Twin", {})

        def beside(sketch: Sketch) -> None:
            remove("a", "c")(sketch)
            sketch.pages["Home"].widgets["y"] = Widget("", False, "Twin", {})

        found = both(box(5), inside, beside)
        chosen = both(box(5), inside, beside, Side.THEIRS, Side.THEIRS)

        assert {clash for _, _, clash in said(found)} == {Clash.REMOVED, Clash.NAME_TAKEN}
        assert [clash for _, _, clash in said(chosen)] == [Clash.REMOVED]
        assert chosen.unknown == ()

    @pytest.mark.parametrize("version", [2, 3, 4, 5])
    def test_a_body_merges_by_lines_wherever_the_format_keeps_it(self, version: int) -> None:
        def body(text: str) -> Edit:
            return lambda sketch: sketch.pages["Home"].queries.update({"Q": (text, {})})

        sketch = box(version)
        body("SELECT 1\nFROM a\nWHERE b\n")(sketch)

        found = both(
            sketch, body("SELECT 2\nFROM a\nWHERE b\n"), body("SELECT 1\nFROM a\nWHERE c\n")
        )

        assert found.conflicts == ()
        query = source(found.app, id_of(found.app, Kind.QUERY, "Q"))
        assert query.text == "SELECT 2\nFROM a\nWHERE c\n"
        assert query.value is not None
        assert query.value["unpublishedAction"]["actionConfiguration"]["body"] == query.text

    def test_trees_with_twin_ids_are_one_value(self) -> None:
        files = box(4).files()
        path = "pages/Home/canvas.json"
        twins = files[path].replace(b'"widgetId": "d"', b'"widgetId": "a"')
        files[path] = twins
        one, other = (twins.replace(b'"Beside"', b'"Beside", "x": %d' % i) for i in (1, 2))

        found = merged(files, {path: one}, {path: other})

        assert said(found) == [("Home", (), Clash.CHANGED)]
        assert found.app.files[path] == one

    def test_json_too_deep_is_one_value(self) -> None:
        files = box(5).files()
        deep = [b'{"a": %s%d%s}' % (b"[" * 900, i, b"]" * 900) for i in range(3)]

        found = merged(
            files | {"theme.json": deep[0]}, {"theme.json": deep[1]}, {"theme.json": deep[2]}
        )

        assert said(found) == [("theme", (), Clash.CHANGED)]
        assert found.app.files["theme.json"] == deep[1]
