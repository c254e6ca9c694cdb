"""Formats 2 and 3: a query, in format 2 a script too, is one JSON file with its body in it."""

import json

import pytest

from services.studio.appsmith import Kind, diff, parse, replace_entity
from tests.samples.shop import shop
from tests.services.studio.appsmith.edits import id_of, source

OLD = pytest.mark.parametrize("format_version", [2, 3])


@OLD
def test_hold_the_entities_of_format_4_under_the_same_ids(format_version: int) -> None:
    app = parse(shop(format_version))

    assert app.format_version == format_version
    assert app.counts == parse(shop(4)).counts
    assert {e.entity_id for e in app} == {e.entity_id for e in parse(shop(4))}


@OLD
def test_are_exported_as_they_came(format_version: int) -> None:
    files = shop(format_version)

    assert dict(parse(files).tree()) == files


@OLD
def test_a_body_is_edited_within_its_json_and_nothing_else_is(format_version: int) -> None:
    app = parse(shop(format_version))
    query = id_of(app, Kind.QUERY, "List orders")
    path = "pages/Home/queries/List orders.json"
    before = json.loads(app.files[path])

    edited = replace_entity(app, query, text="SELECT 2")

    after = json.loads(edited.app.files[path])
    assert after["unpublishedAction"]["actionConfiguration"].pop("body") == "SELECT 2"
    before["unpublishedAction"]["actionConfiguration"].pop("body")
    assert after == before


def test_a_stray_file_is_no_query_in_format_4() -> None:
    app = parse(shop(4) | {"pages/Home/queries/Stray.json": b"{}"})

    assert app.counts["query"] == parse(shop(4)).counts["query"]


def test_a_function_that_only_moved_is_told_by_its_path() -> None:
    old, new = parse(shop(3)), parse(shop(4))
    moved = [d.entity for d in diff(old, new) if d.entity.kind is Kind.SCRIPT_FUNCTION]

    assert len(moved) == old.counts["script_function"]
    assert all(source(old, e.entity_id).value == source(new, e.entity_id).value for e in moved)
