"""Renames: all and only the true references, and back again."""

import json
from typing import Any

import pytest

from services.studio.appsmith import EditRefused, EditRule, Section
from services.studio.references.rename import Renamed, rename

P = "pages/P"


QUERY = {
    "id": "P_fetchAll",
    "unpublishedAction": {
        "name": "fetchAll",
        "actionConfiguration": {"body": "SELECT {{ Input1.text }}"},
        "jsonPathKeys": [" Input1.text "],
    },
}
SCRIPT = {"id": "P_Utils", "unpublishedCollection": {"name": "Utils", "pageId": "P"}}
FUNCTION = {
    "id": "P_Utils.sum",
    "pluginType": "JS",
    "unpublishedAction": {
        "name": "sum",
        "fullyQualifiedName": "Utils.sum",
        "collectionId": "P_Utils",
    },
}
ON_LOAD = [[{"id": "P_fetchAll", "name": "fetchAll"}, {"id": "P_Utils.sum", "name": "Utils.sum"}]]
PAGE = {"unpublishedPage": {"name": "P", "layouts": [{"layoutOnLoadActions": ON_LOAD}]}}


def a_page(format_version: int = 5, **widgets: dict[str, Any]) -> Section:
    """Widgets with their properties, a query `fetchAll`, a script `Utils` with a function `sum`."""
    files: dict[str, dict[str, Any]] = {
        f"{P}/P.json": PAGE,
        f"{P}/queries/fetchAll/metadata.json": QUERY,
        f"{P}/queries/Utils-sum/metadata.json": FUNCTION,
        f"{P}/jsobjects/Utils/metadata.json": SCRIPT,
    }
    for name, value in widgets.items():
        folder = f"{name}/" if value.get("children") else ""
        made = {"widgetName": name, "widgetId": name.lower(), "type": "X", **value}
        files[f"{P}/widgets/{folder}{name}.json"] = made
    encoded = {path: json.dumps(one, indent=2).encode() for path, one in files.items()}
    encoded[f"{P}/queries/fetchAll/fetchAll.txt"] = b"SELECT {{ Input1.text }}"
    encoded[f"{P}/jsobjects/Utils/Utils.js"] = b"export default { sum() { return fetchAll.data } }"
    return Section("page:P", format_version, encoded)


INPUT: dict[str, Any] = {"text": "Input1 {{ Input1.value }}"}
TABLE: dict[str, Any] = {
    "data": "{{ fetchAll.data.map(Input1 => Input1.id) + 'Input1' /* Input1 */ }}{{ {Input1} }}",
    "onClick": "{{ Utils.sum(fetchAll) }}",
    "title": "fetchAll",
}


def renamed(section: Section, entity_id: str, name: str) -> Renamed:
    return rename(section, entity_id, name)


def test_strings_comments_and_shadowed_names_stay() -> None:
    section = a_page(Input1=INPUT, Table1=TABLE)

    after = renamed(section, f"widget:{P}/widgets/Input1.json", "Search").section

    table = json.loads(after.files[f"{P}/widgets/Table1.json"])
    assert table["data"] == (
        "{{ fetchAll.data.map(Input1 => Input1.id) + 'Input1' /* Input1 */ }}{{ {Input1: Search} }}"
    )
    own = json.loads(after.files[f"{P}/widgets/Search.json"])
    assert (own["widgetName"], own["text"]) == ("Search", "Input1 {{ Search.value }}")
    assert f"{P}/widgets/Input1.json" not in after.files


def test_a_key_that_says_the_same_is_left_out_and_a_branch_is_no_key() -> None:
    table = {"data": "{{ {Search: Input1, 'Search': Input1, a: c ? 1 : Input1} }}"}
    section = a_page(Input1=INPUT, Table1=table)

    after = renamed(section, f"widget:{P}/widgets/Input1.json", "Search").section

    found = json.loads(after.files[f"{P}/widgets/Table1.json"])["data"]
    assert found == "{{ {Search, 'Search': Search, a: c ? 1 : Search} }}"


def test_a_querys_text_stands_in_three_places() -> None:
    section = a_page(Input1=INPUT)

    after = renamed(section, f"widget:{P}/widgets/Input1.json", "Search").section

    action = json.loads(after.files[f"{P}/queries/fetchAll/metadata.json"])["unpublishedAction"]
    assert after.files[f"{P}/queries/fetchAll/fetchAll.txt"] == b"SELECT {{ Search.text }}"
    assert action["actionConfiguration"]["body"] == "SELECT {{ Search.text }}"
    assert action["jsonPathKeys"] == [" Search.text "]


def test_a_query_moves_with_its_ids_and_what_runs_on_load() -> None:
    section = a_page(Table1=TABLE)

    found = renamed(section, f"query:{P}/queries/fetchAll", "load")

    files = found.section.files
    assert found.entity_id == f"query:{P}/queries/load"
    assert {f"{P}/queries/load/metadata.json", f"{P}/queries/load/load.txt"} <= files.keys()
    assert json.loads(files[f"{P}/queries/load/metadata.json"])["id"] == "P_load"
    page = json.loads(files[f"{P}/P.json"])["unpublishedPage"]["layouts"][0]
    assert page["layoutOnLoadActions"][0][0] == {"id": "P_load", "name": "load"}
    assert b"return load.data" in files[f"{P}/jsobjects/Utils/Utils.js"]
    table = json.loads(files[f"{P}/widgets/Table1.json"])
    assert (table["onClick"], table["title"]) == ("{{ Utils.sum(load) }}", "fetchAll")


def test_what_somebody_put_into_its_folder_goes_with_it() -> None:
    strangers = {
        f"{P}/queries/fetchAll/fetchAll/fetchAll.md": b"why",
        f"{P}/jsobjects/Utils/why.md": b"why",
        f"{P}/queries/Utils-sum/why.md": b"why",
    }
    page = a_page().with_files(strangers)

    query = rename(page, f"query:{P}/queries/fetchAll", "orders").section
    script = rename(page, f"script:{P}/jsobjects/Utils", "Tools").section

    assert f"{P}/queries/orders/fetchAll/fetchAll.md" in query.files
    assert script.files.keys() >= {
        f"{P}/jsobjects/Tools/why.md",
        f"{P}/queries/Tools-sum/why.md",
    }
    back = rename(query, f"query:{P}/queries/orders", "fetchAll").section
    assert back.files == page.files


def test_a_scripts_functions_go_with_it() -> None:
    section = a_page(Table1=TABLE)

    found = renamed(section, f"script:{P}/jsobjects/Utils", "Helpers")

    files = found.section.files
    function = json.loads(files[f"{P}/queries/Helpers-sum/metadata.json"])
    assert function["id"] == "P_Helpers.sum"
    assert function["unpublishedAction"]["fullyQualifiedName"] == "Helpers.sum"
    assert function["unpublishedAction"]["collectionId"] == "P_Helpers"
    assert f"{P}/jsobjects/Helpers/Helpers.js" in files
    entity = found.section.by_id[f"script_function:{P}/queries/Helpers-sum"]
    assert entity.parent_id == found.entity_id == f"script:{P}/jsobjects/Helpers"
    page = json.loads(files[f"{P}/P.json"])["unpublishedPage"]["layouts"][0]
    assert page["layoutOnLoadActions"][0][1] == {"id": "P_Helpers.sum", "name": "Helpers.sum"}


def test_a_functions_own_text_is_changed_where_it_stands() -> None:
    path = f"{P}/queries/Utils-sum/Utils-sum.txt"
    section = a_page(Input1=INPUT).with_files({path: b"() => Input1.value"})

    after = renamed(section, f"widget:{P}/widgets/Input1.json", "Search").section

    assert after.files[path] == b"() => Search.value"


def test_a_list_keeps_the_names_that_it_repeats() -> None:
    inner = {
        "template": {"Input1": {"widgetName": "Input1", "text": "{{ 1 }}"}},
        "dynamicBindingPathList": [{"key": "template.Input1.text"}, {"key": "template.Input12.x"}],
    }
    section = a_page(Input1=INPUT, List1=inner)

    after = renamed(section, f"widget:{P}/widgets/Input1.json", "Search").section

    found = json.loads(after.files[f"{P}/widgets/List1.json"])
    assert found["template"] == {"Search": {"widgetName": "Search", "text": "{{ 1 }}"}}
    keys = [one["key"] for one in found["dynamicBindingPathList"]]
    assert keys == ["template.Search.text", "template.Input12.x"]


@pytest.mark.parametrize(
    "entity_id",
    [
        f"widget:{P}/widgets/Input1.json",
        f"widget:{P}/widgets/Box/Box.json",
        f"query:{P}/queries/fetchAll",
        f"script:{P}/jsobjects/Utils",
    ],
)
def test_there_and_back_is_the_same_to_the_byte(entity_id: str) -> None:
    box = {"children": [{"widgetId": "c", "type": "CANVAS_WIDGET"}]}
    section = a_page(Input1=INPUT, Table1={**TABLE, "x": "{{ Box.isVisible }}"}, Box=box)
    old = section.by_id[entity_id].name

    there = renamed(section, entity_id, "Ünlikely_1")
    back = renamed(there.section, there.entity_id, old)

    assert there.section.files != section.files
    assert back.section.files == section.files
    assert back.entity_id == entity_id
    assert set(there.moved) == {new for _, new in back.moved.items()}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Table1", EditRule.NAME_TAKEN),
        ("fetchAll", EditRule.NAME_TAKEN),
        ("my name", EditRule.NAME_INVALID),
        ("1st", EditRule.NAME_INVALID),
        ("Zero\u200bwidth", EditRule.NAME_INVALID),
        ("class", EditRule.NAME_INVALID),
        ("Math", EditRule.NAME_INVALID),
        ("appsmith", EditRule.NAME_INVALID),
        ("jspdf", EditRule.NAME_INVALID),
        ("nobody", EditRule.NAME_USED),
        ("x", EditRule.NAME_CAPTURED),
    ],
)
def test_a_name_that_would_break_something_is_refused(name: str, rule: EditRule) -> None:
    table = {**TABLE, "y": "{{ [1].map(x => x + Input1.value) + nobody }}"}
    section = a_page(Input1=INPUT, Table1=table)

    with pytest.raises(EditRefused) as refused:
        rename(section, f"widget:{P}/widgets/Input1.json", name, {"jspdf"})

    assert (refused.value.field, refused.value.rule) == ("name", rule)


@pytest.mark.parametrize(
    ("entity_id", "rule"),
    [
        ("widget:nowhere", EditRule.UNKNOWN_ENTITY),
        (f"page:{P}", EditRule.NOT_RENAMABLE),
    ],
)
def test_what_has_no_name_in_code_is_refused(entity_id: str, rule: EditRule) -> None:
    with pytest.raises(EditRefused) as refused:
        rename(a_page(), entity_id, "New")

    assert refused.value.rule is rule


def test_texts_that_are_the_name_are_told_and_changed_when_asked() -> None:
    code = "{{ showModal('Input1'); resetWidget(`Input1`, true); showAlert('Input1') }}"
    shadowed = "{{ (showModal => showModal('Input1'))(f) }}"
    section = a_page(Input1=INPUT, Button1={"onClick": code, "onHover": shadowed})

    left = renamed(section, f"widget:{P}/widgets/Input1.json", "Search")
    changed = rename(section, f"widget:{P}/widgets/Input1.json", "Search", with_mentions=True)

    assert [(one.start, one.before, one.after) for one in left.mentions] == [
        (14, "Input1", "Search"),
        (37, "Input1", "Search"),
    ]
    path = f"{P}/widgets/Button1.json"
    assert left.section.files[path] == section.files[path]
    button = json.loads(changed.section.files[path])
    assert button["onClick"] == (
        "{{ showModal('Search'); resetWidget(`Search`, true); showAlert('Input1') }}"
    )
    assert button["onHover"] == shadowed
    assert changed.mentions == ()


def test_code_means_the_first_of_two_of_one_name() -> None:
    section = a_page(Input1=INPUT, Table1=TABLE)
    path = f"{P}/widgets/Zwei.json"
    second = {"widgetName": "Input1", "widgetId": "z", "type": "X"}
    section = section.with_files({path: json.dumps(second).encode()})

    after = renamed(section, f"widget:{path}", "Search").section

    assert json.loads(after.files[path])["widgetName"] == "Search"
    table = f"{P}/widgets/Table1.json"
    assert after.files[table] == section.files[table]


def test_its_own_name_changes_nothing() -> None:
    section = a_page(Input1=INPUT)

    found = rename(section, f"widget:{P}/widgets/Input1.json", "Input1")

    assert (found.section, found.changes) == (section, ())
