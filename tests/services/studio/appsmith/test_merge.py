"""Three-way merge: both sides' work survives, disagreements are shown, nothing is ever broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.studio.appsmith import Kind, parse
from services.studio.appsmith.compare import MISSING, Path
from services.studio.appsmith.merge import Clash, Side
from services.studio.appsmith.merge.conflicts import Values
from services.studio.appsmith.merge.values import merge_order, merge_texts, merge_values, same
from tests.samples.shop import shop
from tests.services.studio.appsmith.edits import id_of, source, value
from tests.services.studio.appsmith.merges import merged, page_of, put, said
from tests.services.studio.appsmith.sketches import Sketch, texts, values

FORMATS = pytest.mark.parametrize("format_version", [4, 5])


class Judge:
    """Decides for one side, and remembers what it was asked."""

    def __init__(self, side: Side = Side.OURS) -> None:
        self.side = side
        self.asked: list[tuple[Path, Clash]] = []

    def __call__(self, path: Path, clash: Clash, values: Values, line: int = 0) -> Side:
        self.asked.append((path, clash))
        return self.side


class TestValues:
    @given(values, values)
    def test_of_one_side_alone_are_that_sides(self, base: object, other: object) -> None:
        judge = Judge()

        assert same(merge_values((base, other, base), (), judge), other)
        assert same(merge_values((base, base, other), (), judge), other)
        assert same(merge_values((base, other, other), (), judge), other)
        assert judge.asked == []

    @given(values, values, values)
    def test_of_two_sides_that_disagree_are_one_of_theirs_at_every_place(
        self, base: object, ours: object, theirs: object
    ) -> None:
        mine = merge_values((base, ours, theirs), (), one := Judge())
        yours = merge_values((base, theirs, ours), (), other := Judge(Side.THEIRS))

        assert same(mine, yours)
        assert len(one.asked) == len(other.asked)

    def test_of_layouts_go_by_their_ids_where_one_side_has_more(self) -> None:
        one, changed, more = {"id": "P", "x": 1}, {"id": "P", "x": 2}, {"id": "Q"}
        sides = ({"layouts": [one]}, {"layouts": [changed]}, {"layouts": [one, more]})

        found = merge_values(sides, (), Judge())

        assert same(found, {"layouts": [changed, more]})

    def test_of_objects_merge_key_by_key(self) -> None:
        judge = Judge()
        sides = ({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 1, "d": 1.0}, {"a": 1, "b": True, "c": 1})

        found = merge_values(sides, (), judge)

        assert same(found, {"a": 2, "b": True, "d": 1.0})
        assert judge.asked == []

    def test_of_plain_lists_are_one_value(self) -> None:
        judge = Judge()

        found = merge_values(({"a": [1, 2]}, {"a": [0, 1, 2]}, {"a": [1, 2, 3]}), (), judge)

        assert found == {"a": [0, 1, 2]}
        assert judge.asked == [(("a",), Clash.CHANGED)]

    def test_of_lists_with_ids_merge_element_by_element(self) -> None:
        judge = Judge()
        base = [{"id": "a", "x": 1, "y": 1}, {"id": "b"}]
        ours = [{"id": "a", "x": 2, "y": 1}, {"id": "b"}, {"id": "o"}]
        theirs = [{"id": "n"}, {"id": "a", "x": 1, "y": 2}, {"id": "t"}]

        found = merge_values((base, ours, theirs), ("columns",), judge)

        assert found == [{"id": "n"}, {"id": "a", "x": 2, "y": 2}, {"id": "o"}, {"id": "t"}]
        assert judge.asked == []

    def test_removed_by_one_and_changed_by_the_other_clash(self) -> None:
        judge = Judge()

        assert merge_values(({"a": 1}, {}, {"a": 2}), (), judge) == {}
        assert judge.asked == [(("a",), Clash.REMOVED)]

    @given(*(st.lists(st.sampled_from("abcdef"), unique=True) for _ in range(3)))
    def test_orders_hold_each_once(self, base: list[str], one: list[str], two: list[str]) -> None:
        kept = set(one) | set(two)

        found = merge_order((base, one, two), kept, lambda: Side.OURS)

        assert sorted(found) == sorted(kept)


class TestTexts:
    @given(texts, texts)
    def test_of_one_side_alone_are_that_sides(self, base: str, other: str) -> None:
        judge = Judge()

        assert merge_texts(base, other, base, judge) == other
        assert merge_texts(base, base, other, judge) == other
        assert merge_texts(base, other, other, judge) == other
        assert judge.asked == []

    def test_changed_at_two_places_have_both(self) -> None:
        base = "a\nb\nc\nd\ne\n"

        found = merge_texts(base, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\n", judge := Judge())

        assert found == "A\nb\nc\nd\ne\nf\n"
        assert judge.asked == []

    @pytest.mark.parametrize("side", list(Side))
    def test_changed_at_one_place_are_as_decided_there_alone(self, side: Side) -> None:
        found = merge_texts("a\nb\nc\nd\n", "a\nX\nc\nd\n", "a\nY\nc\nD\n", judge := Judge(side))

        assert found == {"ours": "a\nX\nc\nD\n", "theirs": "a\nY\nc\nD\n"}[side]
        assert judge.asked == [(("text",), Clash.CHANGED)]


class TestEntities:
    @FORMATS
    def test_changed_in_other_properties_have_both(self, format_version: int) -> None:
        files = shop(format_version, copies=0)
        app = parse(files)
        widget = id_of(app, Kind.WIDGET, "Text1")
        path = app.find(widget).path  # type: ignore[union-attr]  # it is there
        content = files[path]
        mine = content.replace(b'"Text1",', b'"Text1",\n"ours": 1,', 1)
        yours = content.replace(b'"Text1",', b'"Text1",\n"theirs": 1.0,', 1)

        found = merged(files, {path: mine}, {path: yours})

        own = value(found.app, widget)
        assert (own["ours"], repr(own["theirs"])) == (1, "1.0")
        assert found.conflicts == ()
        same_files = {p for p, c in found.app.files.items() if files[p] == c}
        assert same_files == files.keys() - {path}

    @FORMATS
    def test_changed_in_one_property_show_both_and_keep_ours(self, format_version: int) -> None:
        files = shop(format_version, copies=0)
        app = parse(files)
        widget = id_of(app, Kind.WIDGET, "Text1")
        path = app.find(widget).path  # type: ignore[union-attr]  # it is there
        sides = [files[path].replace(b'"Text1",', b'"Text1",\n"x": %d,' % i, 1) for i in (1, 2)]

        found = merged(files, {path: sides[0]}, {path: sides[1]})
        (one,) = found.conflicts
        chosen = merged(files, {path: sides[0]}, {path: sides[1]}, **{one.conflict_id: Side.THEIRS})

        assert (one.path, one.clash, one.base, one.ours, one.theirs) == (
            ("x",),
            Clash.ADDED,
            MISSING,
            1,
            2,
        )
        assert value(found.app, widget)["x"] == 1
        assert value(chosen.app, widget)["x"] == 2
        assert [c.side for c in chosen.conflicts] == [Side.THEIRS]

    def test_of_queries_keep_their_body_in_both_places_one(self) -> None:
        files = shop(5, copies=0)
        app = parse(files)
        query = id_of(app, Kind.QUERY, "List orders")
        folder = "pages/Home/queries/List orders"
        body, metadata = f"{folder}/List orders.txt", f"{folder}/metadata.json"
        where = ("unpublishedAction", "actionConfiguration", "body")
        text = "SELECT 1\nFROM a\nWHERE b\n"
        files |= {body: text.encode()} | put(files, metadata, *where, to=text)
        one, other = text.replace("1", "2"), text.replace("b", "c")
        ours = {body: one.encode()} | put(files, metadata, *where, to=one)
        theirs = {body: other.encode()} | put(files, metadata, *where, to=other)

        found = merged(files, ours, theirs)

        both = source(found.app, query)
        assert both.text == "SELECT 2\nFROM a\nWHERE c\n"
        assert both.value is not None
        assert both.value["unpublishedAction"]["actionConfiguration"]["body"] == both.text
        assert found.conflicts == ()

    def test_removed_by_one_and_changed_by_the_other_clash_whole(self) -> None:
        files = shop(5, copies=0)
        folder = "pages/Home/queries/List orders"
        gone = {path: b"" for path in files if path.startswith(folder + "/")}
        ours = {f"{folder}/List orders.txt": b"SELECT 2"}

        found = merged(files, ours, gone)
        other = merged(files, gone, ours)
        (one,) = found.conflicts
        chosen = merged(files, ours, gone, **{one.conflict_id: Side.THEIRS})

        assert said(found) == said(other) == [("List orders", (), Clash.REMOVED)]
        assert found.app.files[f"{folder}/List orders.txt"] == b"SELECT 2"
        assert f"{folder}/metadata.json" in found.app.files
        for app in (other.app, chosen.app):
            assert not [path for path in app.files if path.startswith(folder + "/")]

    @FORMATS
    def test_of_one_name_added_by_both_are_not_both_taken(self, format_version: int) -> None:
        sketch = Sketch(format_version, {}, {"Home": page_of()}, {})
        one, other = page_of(w1="Twin"), page_of(w2="Twin")
        ours, theirs = (Sketch(format_version, {}, {"Home": p}, {}) for p in (one, other))

        found = merged(sketch.files(), ours.files(), theirs.files())
        (conflict,) = found.conflicts
        chosen = merged(
            sketch.files(), ours.files(), theirs.files(), **{conflict.conflict_id: Side.THEIRS}
        )

        assert conflict.clash is Clash.NAME_TAKEN
        ids = [
            [e.fields["widget_id"] for e in app if e.name == "Twin"]
            for app in (found.app, chosen.app)
        ]
        assert ids == [["w1"], ["w2"]]
