"""Lists of changes against files: what is right passes, and each kind of wrong one is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.studio.appsmith import Entity
from services.studio.store.renaming import after_rename, rename_in
from tests.realapps.doors import Place
from tests.realapps.foretold import Foreteller
from tests.realapps.test_renames import APP, BODY, QUERY

NEW = "Renamed0"
TABLE = "widget:pages/Home/widgets/Table1/Table1.json"
Listing = list[tuple[Entity, Place]]


def found(entity_id: str) -> Entity:
    entity = APP.find(entity_id)
    assert entity is not None, "it is one of the sample"
    return entity


@pytest.fixture(scope="module")
def listing() -> Listing:
    done = rename_in(APP, TABLE, NEW, with_mentions=False)
    return [
        (found(one.entity_id), Place(one.entity_id, one.path, one.start, one.before, one.after))
        for one in done.changes
    ]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    done = rename_in(APP, TABLE, NEW, with_mentions=False)
    return after_rename(APP, TABLE, done).app.files


def differences(files: dict[str, bytes], listing: Listing) -> list[str]:
    return Foreteller(APP).differences(files, "Table1", NEW, listing)


def test_what_happened_as_it_was_listed_is_right(files: dict[str, bytes], listing: Listing) -> None:
    assert len(listing) > 5
    assert differences(files, listing) == []


def test_a_text_that_stands_in_two_files_is_listed_once(
    files: dict[str, bytes], listing: Listing
) -> None:
    assert NEW.encode() in files[BODY]
    assert NEW.encode() in files[QUERY]
    listed = [place.path for entity, place in listing if entity.path == QUERY]

    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("number", range(3))
def test_a_place_that_is_left_out_is_told(
    files: dict[str, bytes], listing: Listing, number: int
) -> None:
    (line, *_) = differences(files, listing[:number] + listing[number + 1 :])

    assert line.startswith(("happened, and was not foretold", "foretold, and did not happen"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda place: replace(place, start=place.start + 1),
        lambda place: replace(place, path=f"{place.path}.inner"),
        lambda place: replace(place, before="Table2"),
    ],
)
def test_a_place_that_is_none_is_told(
    files: dict[str, bytes], listing: Listing, wrong: Callable[[Place], Place]
) -> None:
    (entity, first), *rest = listing

    (line,) = differences(files, [(entity, wrong(first)), *rest])

    assert line.startswith("foretold, and not there")


def test_another_text_than_the_listed_one_is_told(
    files: dict[str, bytes], listing: Listing
) -> None:
    (entity, first), *rest = listing

    lines = differences(files, [(entity, replace(first, after="Renamed1")), *rest])

    assert len(lines) == 2


def test_what_changed_beside_strings_is_told(files: dict[str, bytes], listing: Listing) -> None:
    spaced = {**files, "application.json": files["application.json"] + b" "}

    (line,) = differences(spaced, listing)

    assert line.startswith("happened, and was not foretold: application.json")
