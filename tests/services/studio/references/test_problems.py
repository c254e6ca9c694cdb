"""What keeps a page from being published, and what an import brought."""

from services.studio.appsmith import Entity, Kind
from services.studio.references import Goal, How, PageGraph, Reading, Use, names_in
from services.studio.references.problems import Judged, judged


def a_widget(name: str, of_type: str) -> Entity:
    """As in the newest format: its id follows its name."""
    return Entity(
        f"widget:{name}", Kind.WIDGET, name, "page:P", "P", "", "", fields={"type": of_type}
    )


def a_page(**bound: str) -> PageGraph:
    """Widgets as `Name__property="code"`; those whose name begins with I are inputs."""
    readings: dict[str, list[Use]] = {}
    for place, code in bound.items():
        name, _, path = place.partition("__")
        found = names_in(code, Goal.DATA).found
        readings.setdefault(name, []).extend(
            Use(n.name, How.DATA, tuple(path.split("__")), n.start, n.end, n.path) for n in found
        )
    return PageGraph(
        [a_widget(name, "INPUT" if name.startswith("I") else "TEXT") for name in readings],
        {f"widget:{name}": Reading(tuple(uses)) for name, uses in readings.items()},
    )


def missing(found: Judged) -> tuple[list[str], list[str]]:
    """Names that were added, and names that were brought."""
    return (
        [one.use.name for one in found.added.dangling],
        [one.use.name for one in found.brought.dangling],
    )


def cycles(found: Judged) -> tuple[list[list[str]], list[list[str]]]:
    """Those that were added, and those that were brought: by the widgets' names."""
    return (
        [[v.entity_id.partition(":")[2] for v in way] for way in found.added.cycles],
        [[v.entity_id.partition(":")[2] for v in way] for way in found.brought.cycles],
    )


KNOT = a_page(A__text="B.text", B__text="A.text")


def test_a_page_without_imports_brought_nothing() -> None:
    page = a_page(A__text="gone.data + A.text")

    found = judged(page, [])

    assert missing(found) == (["gone"], [])
    assert cycles(found) == ([["A"]], [])
    assert (len(found.added), len(found.brought)) == (2, 0)


def test_a_name_that_the_imported_page_missed_was_brought() -> None:
    imported = a_page(A__text="gone.data")

    found = judged(a_page(A__text="gone.data", B__text="lost.data"), [imported])

    assert missing(found) == (["lost"], ["gone"])


def test_a_rename_of_the_widget_that_misses_a_name_changes_nothing() -> None:
    imported = a_page(A__text="gone.data")

    assert missing(judged(a_page(Total__text="gone.data"), [imported])) == ([], ["gone"])


def test_a_name_that_the_imported_page_used_and_had_was_not_brought() -> None:
    imported = a_page(A__text="B.text", B__text="1")

    assert missing(judged(a_page(A__text="B.text"), [imported])) == (["B"], [])


def test_any_of_several_imports_may_have_brought_it() -> None:
    first, second = a_page(A__text="one.data"), a_page(A__text="two.data")

    found = judged(a_page(A__text="one.data + two.data"), [first, second])

    assert missing(found) == ([], ["one", "two"])


def test_a_cycle_that_was_imported_was_brought() -> None:
    assert cycles(judged(KNOT, [KNOT])) == ([], [["A", "B"]])


def test_a_cycle_is_told_again_after_a_rename() -> None:
    renamed = a_page(Total__text="B.text", B__text="Total.text")

    assert cycles(judged(renamed, [KNOT])) == ([], [["B", "Total"]])


def test_a_cycle_that_was_made_smaller_was_brought() -> None:
    imported = a_page(A__text="B.text", B__text="C.text", C__text="A.text + B.text")
    smaller = a_page(A__text="1", B__text="C.text", C__text="A.text + B.text")

    assert cycles(judged(smaller, [imported])) == ([], [["B", "C"]])


def test_a_value_that_joins_an_imported_cycle_is_added_and_named() -> None:
    joined = a_page(A__text="B.text", B__text="A.text + D.text", D__text="B.text")

    assert cycles(judged(joined, [KNOT])) == ([["D", "B"]], [])


def test_one_more_cycle_of_a_shape_that_was_imported_is_added() -> None:
    both = a_page(A__text="B.text", B__text="A.text", C__text="D.text", D__text="C.text")

    assert cycles(judged(both, [KNOT])) == ([["C", "D"]], [["A", "B"]])


def test_a_cycle_of_other_properties_is_added() -> None:
    other = a_page(A__color="B.color", B__color="A.color")

    assert cycles(judged(other, [KNOT])) == ([["A", "B"]], [])


def test_a_cycle_of_other_types_of_widgets_is_added() -> None:
    other = a_page(I1__text="I2.text", I2__text="I1.text")

    assert cycles(judged(other, [KNOT])) == ([["I1", "I2"]], [])


def test_a_rename_of_a_column_changes_nothing() -> None:
    imported = a_page(A__columns__price="A.columns.price")

    found = judged(a_page(A__columns__cost="A.columns.cost"), [imported])

    assert cycles(found) == ([], [["A"]])
