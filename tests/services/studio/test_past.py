"""What a revision was made of."""

from itertools import pairwise

from services.studio.model.past import IMPORTS_MAX, PAGES_MAX, Past


def test_a_page_comes_from_itself() -> None:
    assert Past(["one"]).folders("Home") == ["Home"]


def followed(past: Past, *pages: str) -> Past:
    """After a page was called by these names."""
    for before, now in pairwise(pages):
        past = past.followed(f"page:pages/{before}", f"page:pages/{now}")
    return past


def test_a_renamed_page_comes_from_the_one_that_it_was() -> None:
    past = followed(Past(["one"]), "Home", "Start", "First")

    assert set(past.folders("First")) == {"First", "Start", "Home"}
    assert past.folders("Home") == ["Home"]
    assert past.imports == ["one"]


def test_what_was_moved_to_a_page_brings_its_pages_past_along() -> None:
    query = "query:pages/{}/queries/Old"

    past = Past().followed(query.format("Home"), query.format("Orders"))

    assert past.folders("Orders") == ["Orders", "Home"]
    assert past.folders("Home") == ["Home"]


def test_a_rename_on_a_page_and_what_is_on_none_change_nothing() -> None:
    past = Past(["one"])

    assert past.followed("widget:pages/Home/widgets/A.json", "widget:pages/Home/B.json") is past
    assert past.followed("datasource:datasources/a.json", "datasource:datasources/b.json") is past


def test_a_merge_comes_from_what_both_sides_come_from() -> None:
    theirs = followed(Past(["one", "two"]), "Home", "Start")
    ours = followed(Past(["two", "three"]), "Orders", "Home")

    merged = theirs.merged(ours)

    assert merged.imports == ["one", "two", "three"]
    assert set(merged.folders("Start")) == {"Start", "Home"}
    assert set(merged.folders("Home")) == {"Home", "Orders"}


def test_the_newest_are_remembered() -> None:
    many = [str(number) for number in range(IMPORTS_MAX)]
    past = Past(["first"]).merged(Past(many))
    for number in range(PAGES_MAX + 3):
        past = followed(past, "Home", f"Copy {number}")

    assert past.imports == many
    assert (len(past.pages), past.folders("Copy 0")) == (PAGES_MAX, ["Copy 0"])
    assert past.folders(f"Copy {PAGES_MAX}") == [f"Copy {PAGES_MAX}", "Home"]
