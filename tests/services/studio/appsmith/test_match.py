"""What is the same thing in two revisions, whatever it is called."""

import copy

import pytest

from services.studio.appsmith import App, parse
from services.studio.appsmith.match import matched_diff, page_pairs, pairs
from tests.services.studio.appsmith.sketches import Page, Sketch, Widget

FORMATS = pytest.mark.parametrize("version", [2, 3, 4, 5])
LONG = "SELECT id, name, total FROM orders WHERE customer = {{Box.text}} ORDER BY total"


def sketch(version: int, mark: str = "") -> Sketch:
    home = Page(mark="6_home")
    own = {"gitSyncId": mark} if mark else {}
    home.queries = {"Q": (LONG, own), "Other": ("DELETE FROM logs", {})}
    home.widgets = {"w": Widget("", True, "Box", {}), "x": Widget("w", False, "Inner", {})}
    return Sketch(version, {}, {"Home": home}, {})


def named(before: App, after: App, page: str = "Home") -> dict[str, str]:
    """What is called how before and after, where that is not the same."""
    found = pairs(before.sections["page:Home"], after.sections[f"page:{page}"])
    names = [(before.find(one), after.find(other)) for one, other in found.items()]
    return {
        one.name: other.name for one, other in names if one and other and one.name != other.name
    }


def query(made: Sketch, old: str, new: str, body: str | None = None) -> Sketch:
    after = copy.deepcopy(made)
    was, own = after.pages["Home"].queries.pop(old)
    after.pages["Home"].queries[new] = (was if body is None else body, own)
    return after


@FORMATS
class TestPairs:
    def test_go_by_the_id_that_git_sync_gives_whatever_the_body(self, version: int) -> None:
        made = sketch(version, "6_q")

        found = named(parse(made.files()), parse(query(made, "Q", "R", "another").files()))

        assert found == {"Q": "R"}

    def test_go_by_the_body_where_there_is_no_id(self, version: int) -> None:
        made = sketch(version)
        before = parse(made.files())

        alike = named(before, parse(query(made, "Q", "R", f"{LONG} LIMIT 10").files()))
        other = named(before, parse(query(made, "Q", "R", "INSERT INTO x VALUES (1)").files()))

        assert alike == {"Q": "R"}
        assert other == {}

    def test_do_not_guess_between_two(self, version: int) -> None:
        made = sketch(version)
        after = query(made, "Q", "R")
        after.pages["Home"].queries["S"] = after.pages["Home"].queries["R"]

        assert named(parse(made.files()), parse(after.files())) == {}

    def test_do_not_go_by_an_id_that_is_there_twice(self, version: int) -> None:
        made = sketch(version, "6_q")
        after = query(made, "Q", "R", "another")
        after.pages["Home"].queries["S"] = ("a third", {"gitSyncId": "6_q"})

        assert named(parse(made.files()), parse(after.files())) == {}

    def test_of_names_that_changed_hands_go_by_the_id(self, version: int) -> None:
        made = sketch(version, "6_q")
        made.pages["Home"].queries["Other"] = ("DELETE", {"gitSyncId": "6_o"})
        after = query(query(query(made, "Q", "T"), "Other", "Q"), "T", "Other")

        found = named(parse(made.files()), parse(after.files()))

        assert found == {"Q": "Other", "Other": "Q"}

    def test_of_widgets_go_by_theirs(self, version: int) -> None:
        made = sketch(version)
        after = copy.deepcopy(made)
        after.pages["Home"].widgets["w"].name = "Crate"

        assert named(parse(made.files()), parse(after.files())) == {"Box": "Crate"}

    def test_of_pages_go_by_their_id(self, version: int) -> None:
        made, after = sketch(version), sketch(version)
        after.pages = {"Start": after.pages["Home"], "Home": Page(mark="6_new")}
        before, now = parse(made.files()), parse(after.files())

        assert page_pairs(before.sections, now.sections) == {"page:Home": "page:Start"}

    def test_a_renamed_thing_differs_once(self, version: int) -> None:
        made = sketch(version, "6_q")
        before, after = parse(made.files()), parse(query(made, "Q", "R").files())

        (one,) = matched_diff(before.sections, after.sections)

        assert (one.change, one.before and one.before.name, one.after and one.after.name) == (
            "changed",
            "Q",
            "R",
        )
