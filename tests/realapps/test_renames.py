"""The audit of renames: a right one passes, and each kind of wrong one is seen."""

import json
from typing import Any

import pytest

from services.studio.appsmith import parse
from tests.realapps.findings import Findings
from tests.realapps.referee import Missing, Referee
from tests.realapps.renames import Auditor
from tests.realapps.renaming import Renaming

Json = dict[str, Any]  # JSON of a foreign format

WIDGET = "pages/Home/widgets/Table1/Table1.json"
INNER = "pages/Home/widgets/Table1/Text1.json"
QUERY = "pages/Home/queries/Query1/metadata.json"
BODY = "pages/Home/queries/Query1/Query1.txt"
TWIN = "pages/Home/queries/Q2/metadata.json"
TWIN_BODY = "pages/Home/queries/Q2/Q2.txt"
SCRIPT = "pages/Home/jsobjects/Script1/Script1.js"
FUNCTION = "pages/Home/queries/Script1-load/metadata.json"
OTHER = "pages/Other/widgets/Table1.json"

IN_SCRIPT = {"collectionId": "Home_Script1"}
FILES: dict[str, Json | str] = {
    "application.json": {"pages": [{"id": "Home"}, {"id": "Other"}]},
    "metadata.json": {"fileFormatVersion": 5},
    "pages/Home/Home.json": {
        "unpublishedPage": {
            "name": "Home",
            "layouts": [
                {
                    "layoutOnLoadActions": [
                        [{"id": "Home_Query1", "name": "Query1"}, {"name": "a"}],
                        [{"id": "Home_Script1.load", "name": "Script1.load", **IN_SCRIPT}],
                    ]
                }
            ],
        }
    },
    WIDGET: {"widgetName": "Table1", "widgetId": "t", "data": "{{ Query1.data }} 😀 Query1"},
    INNER: {
        "widgetName": "Text1",
        "widgetId": "x",
        "text": "Table1 é {{ 'Table1' + Table1.row }} {{ ({Table1}) }}",
        "onClick": "{{ (Table1 => Table1.a)(Query1) /* Table1 */ }}",
        "onFocus": '{{ "\\n\\\\";\n\tTable1.b(Script1.load()) }}',
        "label": "Table1",
    },
    QUERY: {
        "pluginType": "DB",
        "id": "Home_Query1",
        "unpublishedAction": {
            "name": "Query1",
            "datasource": {"name": "Query1"},
            "actionConfiguration": {"body": "x = {{ Table1.row }}"},
            "jsonPathKeys": ["Table1.row"],
        },
    },
    BODY: '{"x": "{{ Table1.row }}", "y": "Table1"}',
    TWIN: {
        "pluginType": "DB",
        "unpublishedAction": {"name": "Q2", "actionConfiguration": {"body": "{{ Table1.c }}"}},
    },
    TWIN_BODY: "{{ Table1.c }}",
    "pages/Home/jsobjects/Script1/metadata.json": {
        "id": "Home_Script1",
        "unpublishedCollection": {"name": "Script1"},
    },
    SCRIPT: "export default {\n\tload: () => Query1.run(Table1) // Query1\n}",
    FUNCTION: {
        "pluginType": "JS",
        "id": "Home_Script1.load",
        "unpublishedAction": {
            "name": "load",
            "fullyQualifiedName": "Script1.load",
            **IN_SCRIPT,
        },
    },
    "pages/Other/Other.json": {"unpublishedPage": {"name": "Other", "layouts": []}},
    OTHER: {"widgetName": "Table1", "widgetId": "o", "text": "{{ Table1.row }}"},
}

TABLE = {
    WIDGET: [('"Table1"', '"Grid"')],
    INNER: [
        ("+ Table1.row", "+ Grid.row"),
        ("({Table1})", "({Table1: Grid})"),
        ("Table1.b(", "Grid.b("),
    ],
    TWIN: [("Table1", "Grid")],
    TWIN_BODY: [("Table1", "Grid")],
    QUERY: [("Table1", "Grid")],
    BODY: [("Table1.row", "Grid.row")],
    SCRIPT: [("Table1", "Grid")],
}
"""What the rename of the table changes, by file."""


def written(files: dict[str, Json | str]) -> dict[str, bytes]:
    return {
        path: (v if isinstance(v, str) else json.dumps(v, indent=2, ensure_ascii=False)).encode()
        for path, v in files.items()
    }


APP = parse(written(FILES))


def renamed(changes: dict[str, list[tuple[str, str]]]) -> dict[str, bytes]:
    """The files with some texts replaced, every time they stand there."""
    files = written(FILES)
    for path, pairs in changes.items():
        text = files[path].decode()
        for old, new in pairs:
            assert old in text, "a change must change"
            text = text.replace(old, new)
        files[path] = text.encode()
    return files


def moved(files: dict[str, bytes], *pairs: tuple[str, str]) -> dict[str, bytes]:
    """The files with some paths replaced on the page Home."""
    found = {}
    for path, content in files.items():
        for old, new in pairs:
            path = path.replace(old, new) if path.startswith("pages/Home/") else path
        found[path] = content
    return found


@pytest.fixture(scope="module")
def auditor() -> Auditor:
    try:
        return Auditor(APP, Referee())
    except Missing as missing:
        pytest.skip(str(missing))


def audited(auditor: Auditor, entity_id: str, files: dict[str, bytes], new: str) -> list[str]:
    entity = APP.find(entity_id)
    assert entity is not None, "it is one of the sample"
    return auditor.audit(parse(files).files, entity, new)


def test_a_right_rename_of_a_widget_passes(auditor: Auditor) -> None:
    files = moved(
        renamed(TABLE), ("widgets/Table1/Table1", "widgets/Grid/Grid"), ("Table1/", "Grid/")
    )

    assert audited(auditor, f"widget:{WIDGET}", files, "Grid") == []


def test_a_right_rename_of_a_query_passes(auditor: Auditor) -> None:
    changes = {
        "pages/Home/Home.json": [("Home_Query1", "Home_Get"), ('"Query1"', '"Get"')],
        WIDGET: [("{{ Query1", "{{ Get")],
        INNER: [("(Query1)", "(Get)")],
        QUERY: [("Home_Query1", "Home_Get"), ('{\n    "name": "Query1"', '{\n    "name": "Get"')],
        SCRIPT: [("=> Query1", "=> Get")],
    }

    files = moved(
        renamed(changes), ("queries/Query1/Query1", "queries/Get/Get"), ("Query1/", "Get/")
    )

    assert audited(auditor, "query:pages/Home/queries/Query1", files, "Get") == []


def test_a_right_rename_of_a_script_passes(auditor: Auditor) -> None:
    changes = {
        "pages/Home/jsobjects/Script1/metadata.json": [("Script1", "Tools")],
        FUNCTION: [("Script1", "Tools")],
        INNER: [("Script1", "Tools")],
        "pages/Home/Home.json": [("Script1", "Tools")],
    }

    files = moved(renamed(changes), ("Script1", "Tools"))

    assert audited(auditor, "script:pages/Home/jsobjects/Script1", files, "Tools") == []


@pytest.mark.parametrize(
    ("path", "changes", "told"),
    [
        (WIDGET, [], "missed"),
        (BODY, [], "not the text it must become"),
        (SCRIPT, [], "not the text it must become"),
        (QUERY, [("x = {{ Table1", "x = {{ Grid")], "missed"),
        (INNER, TABLE[INNER][1:], "wrong"),
        (INNER, TABLE[INNER][:2], "missed"),
        (INNER, [TABLE[INNER][0], ("({Table1})", "({Grid})"), TABLE[INNER][2]], "wrong"),
        (TWIN_BODY, [], "not the text it must become"),
        (INNER, [*TABLE[INNER], ("'Table1'", "'Grid'")], "wrong"),
        (INNER, [*TABLE[INNER], ("/* Table1 */", "/* Grid */")], "wrong"),
        (INNER, [*TABLE[INNER], ("(Table1 => Table1.a)", "(Grid => Grid.a)")], "wrong"),
        (INNER, [*TABLE[INNER], ('"label": "Table1"', '"label": "Grid"')], "wrong"),
        (INNER, [*TABLE[INNER], ("Text1", "Text2")], "wrong"),
        (INNER, [*TABLE[INNER], ("  ", " ")], "changed beside its strings"),
        (WIDGET, [*TABLE[WIDGET], ("😀", "\\ud83d\\ude00")], "wrong"),
        (OTHER, [("Table1.row", "Grid.row")], "changed, and must not be"),
    ],
)
def test_a_wrong_rename_is_told(
    auditor: Auditor, path: str, changes: list[tuple[str, str]], told: str
) -> None:
    right = moved(
        renamed({**TABLE, path: changes}),
        ("widgets/Table1/Table1", "widgets/Grid/Grid"),
        ("Table1/", "Grid/"),
    )

    lines = audited(auditor, f"widget:{WIDGET}", right, "Grid")

    assert len(lines) == 1
    assert lines[0].startswith(f"{path}: {told}")


def test_files_that_did_not_move_are_told(auditor: Auditor) -> None:
    lines = audited(auditor, f"widget:{WIDGET}", renamed(TABLE), "Grid")

    assert sorted(lines) == [
        "pages/Home/widgets/Grid/Grid.json: not there",
        "pages/Home/widgets/Grid/Text1.json: not there",
        f"{WIDGET}: too much",
        f"{INNER}: too much",
    ]


def test_the_products_renames_pass_and_come_back(auditor: Auditor) -> None:
    findings = Findings("made up")

    Renaming(APP, Referee(), lambda done, count: None).check(findings)

    assert findings.unexplained == []
    assert findings.figures["renamed"] == 4
    assert findings.figures["renamed, edits"] > 20


def test_what_the_product_refuses_to_rename_is_told(auditor: Auditor) -> None:
    text = written(FILES)[INNER].decode().replace("Table1 => Table1.a", "Renamed0 => Query1.a")
    app = parse({**written(FILES), INNER: text.encode()})
    findings = Findings("made up")

    Renaming(app, Referee(), lambda done, count: None, new="Renamed0").check(findings)

    assert any("Query1" in line for line in findings.unexplained)
