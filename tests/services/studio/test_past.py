"""What a revision was made of."""

from services.studio.model.past import IMPORTS_MAX, PAGES_MAX, Past


def test_a_page_comes_from_itself() -> None:
    assert Past(["one"]).folders("Home") == ["Home"]


def test_a_renamed_page_comes_from_the_one_that_it_was() -> None:
    past = Past(["one"]).renamed("Home", "Start").renamed("Start", "First")

    assert past.folders("First") == ["First", "Start", "Home"]
    assert past.folders("Home") == ["Home"]
    assert list(past.pages) == ["First"]
    assert past.imports == ["one"]


def test_what_was_moved_to_a_page_brings_its_own_past_along() -> None:
    past = Past().shared("Home", "Orders")

    assert past.folders("Orders") == ["Orders", "Home"]
    assert past.folders("Home") == ["Home"]


def test_a_copy_of_a_copy_comes_from_both() -> None:
    past = Past().shared("Home", "Home Copy").shared("Home Copy", "Third")

    assert past.folders("Third") == ["Third", "Home Copy", "Home"]


def test_a_merge_comes_from_what_both_sides_come_from() -> None:
    theirs = Past(["one", "two"]).renamed("Home", "Start")
    ours = Past(["two", "three"]).renamed("Home", "Start").shared("Orders", "Home")

    merged = theirs.merged(ours)

    assert merged.imports == ["one", "two", "three"]
    assert set(merged.folders("Start")) == {"Start", "Home"}
    assert set(merged.folders("Home")) == {"Home", "Orders"}


def test_the_newest_are_remembered() -> None:
    many = [str(number) for number in range(IMPORTS_MAX)]
    past = Past(["first"]).merged(Past(many))
    for number in range(PAGES_MAX + 3):
        past = past.shared("Home", f"Copy {number}")

    assert past.imports == many
    assert (len(past.pages), past.folders("Copy 0")) == (PAGES_MAX, ["Copy 0"])
    assert past.folders(f"Copy {PAGES_MAX}") == [f"Copy {PAGES_MAX}", "Home"]
