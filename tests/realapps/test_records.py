"""What is read from Appsmith's own lists."""

from typing import Any

import pytest

from services.studio.appsmith import parse
from tests.realapps.records import BODY, DATASOURCE_URL, leaves, normal, records_of, sources_of
from tests.realapps.records import values_at as at
from tests.samples.shop import shop


def a_list(*keys: str) -> list[dict[str, str]]:
    return [{"key": key} for key in keys]


@pytest.mark.parametrize(
    ("listed", "path"),
    [
        ("a.b", "a.b"),
        ("headers[0].value", "headers.0.value"),
        ("a[0][12].b", "a.0.12.b"),
        ("a['b c'].d", "a.b c.d"),
        ('["a"]', "a"),
        ("primaryColumns.変.text", "primaryColumns.変.text"),
    ],
)
def test_paths_have_dots_alone(listed: str, path: str) -> None:
    assert normal(listed) == path


def test_a_widget_has_data_and_triggers() -> None:
    value = {
        "dynamicBindingPathList": a_list("text", "columns[0].label"),
        "dynamicTriggerPathList": a_list("onClick"),
    }

    records = records_of(value)

    assert records.data == {"text", "columns.0.label"}
    assert records.triggers == {"onClick"}
    assert records.expressions is None


def test_lists_of_inner_canvases_count_from_the_root() -> None:
    inner = {"dynamicBindingPathList": a_list("isVisible")}
    template = {"Text1": {"dynamicTriggerPathList": a_list("onClick")}}

    records = records_of({"children": [{}, inner], "template": template})

    assert records.data == {"children.1.isVisible"}
    assert records.triggers == {"template.Text1.onClick"}


def test_paths_of_a_query_are_in_its_configuration_but_for_the_url() -> None:
    action = {
        "dynamicBindingPathList": a_list("body", "datasourceUrl"),
        "jsonPathKeys": ["a.b", " c "],
    }

    records = records_of({"unpublishedAction": action})

    assert records.bound == {BODY, DATASOURCE_URL}
    assert records.expressions == ("a.b", " c ")


@pytest.mark.parametrize("listed", [None, "text", [None], [{"key": 1}], [[]], {"key": "text"}])
def test_lists_of_strangers_break_nothing(listed: object) -> None:
    assert records_of({"dynamicBindingPathList": listed}).data == frozenset()


def test_a_logged_widget_lists_itself_not() -> None:
    black_list = {"dynamicBindingPathList": True, "dynamicTriggerPathList": True}

    assert records_of({"logBlackList": black_list}).bound == frozenset()


def test_every_string_is_found_with_its_keys() -> None:
    value = {"a": [{"b": "x"}, "y", 1], "c": {"d.e": "z"}}

    assert set(leaves(value)) == {
        (("a", "0", "b"), "x"),
        (("a", "1"), "y"),
        (("c", "d.e"), "z"),
    }


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.0", [2]),
        ("a.1", []),
        ("a.b.c", [1]),
        ("a.b", [{"c": 1}]),
        ("x", []),
        ("a.0.b", []),
    ],
)
def test_values_are_found_by_path(path: str, found: list[Any]) -> None:
    assert at({"a.b": {"c": 1}, "a": [2]}, path) == found


@pytest.mark.parametrize("format_version", [2, 3, 4, 5])
def test_each_entity_comes_with_its_own_source_once(format_version: int) -> None:
    app = parse(shop(format_version, 1))

    found = [one for section in app.sections.values() for one in sources_of(section)]

    assert sorted(e.entity_id for e, _ in found) == sorted(e.entity_id for e in app)
    names = {str((source.value or {})["widgetName"]) for e, source in found if e.kind == "widget"}
    assert names == {e.name for e in app if e.kind == "widget"}
