"""Renames and moves of one side meet what the other side did to the same things."""

import copy
from collections.abc import Callable

import pytest

from services.studio.appsmith import App, parse
from services.studio.appsmith.merge import Clash, Merged, Side, merge
from tests.services.studio.appsmith.merges import listed, said
from tests.services.studio.appsmith.sketches import Page, Sketch, Widget

FORMATS = pytest.mark.parametrize("version", [2, 3, 4, 5])
Edit = Callable[[Page], None]


def sketch(version: int) -> Sketch:
    """A query, a script and a widget that use each other by name; another page."""
    home = Page(mark="6_home")
    home.queries = {"Q": ("SELECT 1\n\nFROM {{Box.text}}\n", {"gitSyncId": "6_q"})}
    home.scripts = {"S": ("export default {\n f: () => Q.data,\n}\n", {"gitSyncId": "6_s"})}
    home.widgets = {"w": Widget("", True, "Box", {"text": "{{Q.data}}", "color": "red"})}
    home.widgets["x"] = Widget("w", False, "Inner", {"text": "{{Box.text}}"})
    return Sketch(version, {}, {"Home": home, "Two": Page(mark="6_two")}, {})


def both(version: int, one: Edit, other: Edit, *choices: Side) -> Merged:
    """What the two edits of the page make; the choices go to the conflicts in their order."""
    base = parse(sketch(version).files())
    ours, theirs = (parse(after(version, edit).files()) for edit in (one, other))
    found = merge(base, ours, theirs)
    assert list(parse(found.app.tree())) == list(found.app)
    if choices:
        wanted = dict(zip([x.conflict_id for x in found.conflicts], choices, strict=True))
        found = merge(base, ours, theirs, wanted)
        assert found.unknown == ()
        assert list(parse(found.app.tree())) == list(found.app)
    return found


def after(version: int, edit: Edit) -> Sketch:
    made = sketch(version)
    edit(made.pages["Home"])
    return made


def all_of(*edits: Edit) -> Edit:
    def edit(page: Page) -> None:
        for one in edits:
            one(page)

    return edit


def name_query(new: str, old: str = "Q") -> Edit:
    """With all that uses it, as Appsmith does."""

    def edit(page: Page) -> None:
        page.queries = {new if n == old else n: one for n, one in page.queries.items()}
        body, own = page.scripts["S"]
        page.scripts["S"] = (body.replace(f"{old}.", f"{new}."), own)
        for widget in page.widgets.values():
            widget.own["text"] = widget.own["text"].replace(f"{old}.", f"{new}.")

    return edit


def name_box(new: str) -> Edit:
    def edit(page: Page) -> None:
        page.widgets["w"].name = new
        page.widgets["x"].own["text"] = f"{{{{{new}.text}}}}"
        for name, (body, own) in page.queries.items():
            page.queries[name] = (body.replace("Box.", f"{new}."), own)

    return edit


def add_query(name: str) -> Edit:
    return lambda page: page.queries.update({name: ("DELETE", {"gitSyncId": "6_new"})})


def use(name: str) -> Edit:
    """In a new property of the inner widget."""
    return lambda page: page.widgets["x"].own.update({"more": f"{{{{{name}.data}}}}"})


def remove_query(page: Page) -> None:
    del page.queries["Q"]


def change_query(page: Page) -> None:
    page.queries["Q"] = (page.queries["Q"][0].replace("1", "2"), page.queries["Q"][1])


def names(app: App) -> set[str]:
    return {e.name for e in app if e.page == "Home" and e.kind in ("widget", "query", "script")}


def text_of(app: App) -> str:
    return "".join(content.decode() for content in app.files.values())


@FORMATS
class TestRenames:
    def test_and_a_change_of_the_same_thing_are_both_there(self, version: int) -> None:
        found = both(version, name_query("R"), all_of(change_query, use("Q")))

        assert (
            found.app.files
            == after(version, all_of(change_query, use("Q"), name_query("R"), use("R"))).files()
        )
        assert found.conflicts == ()

    def test_back_to_back_swap_two_names(self, version: int) -> None:
        def swap(page: Page) -> None:
            name_query("T")(page)
            name_box("Q")(page)
            name_query("Box", "T")(page)

        found = both(version, swap, use("Q"))

        assert found.app.files == after(version, all_of(swap, use("Box"))).files()

    def test_of_what_the_other_removed_clash(self, version: int) -> None:
        kept = both(version, name_query("R"), remove_query)
        gone = both(version, remove_query, name_query("R"))

        assert said(kept) == said(gone) == [("R", (), Clash.REMOVED)]
        assert "R" in names(kept.app)
        assert names(gone.app) == names(parse(after(version, remove_query).files()))

    def test_to_the_name_of_something_new_let_one_give_way(self, version: int) -> None:
        theirs = all_of(add_query("R"), use("R"))

        ours = both(version, name_query("R"), theirs)
        chosen = both(version, name_query("R"), theirs, Side.THEIRS)

        (one,) = ours.conflicts
        assert (one.clash, one.base is one.ours, one.theirs) == (Clash.NAME_TAKEN, True, "R")
        assert (
            ours.app.files
            == after(version, all_of(name_query("R"), add_query("R2"), use("R2"))).files()
        )
        assert chosen.app.files == after(version, theirs).files()

    def test_of_two_things_to_one_name_let_one_stay(self, version: int) -> None:
        ours = both(version, name_query("R"), name_box("R"))
        chosen = both(version, name_query("R"), name_box("R"), Side.THEIRS)

        assert [one.clash for one in ours.conflicts] == [Clash.NAME_TAKEN]
        assert ours.app.files == after(version, name_query("R")).files()
        assert chosen.app.files == after(version, name_box("R")).files()

    def test_of_one_thing_to_two_names_show_both(self, version: int) -> None:
        found = both(version, name_box("A"), all_of(name_box("B"), change_query))
        chosen = both(version, name_box("A"), all_of(name_box("B"), change_query), Side.THEIRS)

        (one,) = found.conflicts
        assert (one.path, one.clash) == (("widgetName",), Clash.CHANGED)
        assert (one.base, one.ours, one.theirs) == ("Box", "A", "B")
        assert found.app.files == after(version, all_of(change_query, name_box("A"))).files()
        assert chosen.app.files == after(version, all_of(change_query, name_box("B"))).files()

    def test_that_a_variable_would_take_leave_the_names_as_each_side_has_them(
        self, version: int
    ) -> None:
        def local(page: Page) -> None:
            body, own = page.scripts["S"]
            page.scripts["S"] = (f"// (() => {{ const R = 1; return Q.x + R }})()\n\n{body}", own)
            page.widgets["w"].own["more"] = "{{ (() => { const R = 1; return Q.x + R })() }}"

        found = both(version, name_query("R"), local)

        assert "R" in names(found.app)
        assert "{{ (() => { const R = 1; return Q.x + R })() }}" in text_of(found.app)
        assert "f: () => R.data" in text_of(found.app)
        assert found.conflicts == ()

    def test_of_pages_and_changes_in_them_are_both_there(self, version: int) -> None:
        def files(*edits: Edit, page: str = "Home") -> dict[str, bytes]:
            return renamed_page(after(version, all_of(*edits)), page).files()

        base, theirs = parse(files()), parse(files(change_query, add_query("New")))
        ours = parse(files(use("S"), page="Start"))

        found = merge(base, ours, theirs)

        assert found.app.files == files(use("S"), change_query, add_query("New"), page="Start")
        assert found.conflicts == ()
        assert listed(found.app) == {"Start": True, "Two": False}

    def test_of_one_page_to_two_names_show_both(self, version: int) -> None:
        base = parse(sketch(version).files())
        ours, theirs = (
            parse(renamed_page(after(version, edit), name).files())
            for edit, name in ((use("S"), "A"), (change_query, "B"))
        )

        found = merge(base, ours, theirs)
        (one,) = found.conflicts
        chosen = merge(base, ours, theirs, {one.conflict_id: Side.THEIRS})

        assert (one.path, one.clash) == (("unpublishedPage", "name"), Clash.CHANGED)
        assert (one.base, one.ours, one.theirs) == ("Home", "A", "B")
        whole = after(version, all_of(use("S"), change_query))
        assert found.app.files == renamed_page(whole, "A").files()
        assert chosen.app.files == renamed_page(whole, "B").files()
        assert chosen.unknown == ()

    def test_of_a_page_that_the_other_removed_clash(self, version: int) -> None:
        base = parse(sketch(version).files())
        ours = parse(renamed_page(sketch(version), "Start").files())
        without = sketch(version)
        del without.pages["Home"]

        found = merge(base, ours, parse(without.files()))

        assert said(found) == [("Start", (), Clash.REMOVED)]
        assert listed(found.app) == {"Start": False, "Two": True}


@FORMATS
class TestLooseEnds:
    def test_are_uses_of_what_the_other_side_removed(self, version: int) -> None:
        base = parse(after(version, add_query("New")).files())
        ours = parse(sketch(version).files())
        theirs = parse(after(version, all_of(add_query("New"), use("New"))).files())

        found = merge(base, ours, theirs)

        assert {(one.name, one.path, one.start) for one in found.loose} == {("New", ("more",), 2)}
        assert found.conflicts == ()

    def test_are_none_that_a_side_had_before(self, version: int) -> None:
        base = parse(after(version, use("Never")).files())
        ours = parse(after(version, all_of(use("Never"), change_query)).files())
        theirs = parse(after(version, all_of(use("Never"), name_box("Crate"))).files())

        assert merge(base, ours, theirs).loose == ()


def renamed_page(made: Sketch, name: str) -> Sketch:
    after = copy.deepcopy(made)
    after.pages = {name if n == "Home" else n: page for n, page in after.pages.items()}
    return after
