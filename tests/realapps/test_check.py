"""The check itself: what is the same passes, and each difference is seen and named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.studio.appsmith import App, parse
from services.studio.references import Goal, names_in
from tests.realapps.__main__ import NoApp, checked_folder
from tests.realapps.check import check_app, difference
from tests.realapps.findings import Findings, table, total, unexplained
from tests.realapps.referee import Free, Verdict

Json = dict[str, Any]  # JSON of a foreign format


def an_app(widget: Json | None = None, action: Json | None = None, page: Json | None = None) -> App:
    """An app of one page, one widget and one query."""
    files: dict[str, Json] = {
        "application.json": {"pages": [{"id": "Home", "isDefault": True}]},
        "metadata.json": {"fileFormatVersion": 5},
        "pages/Home/Home.json": {
            "unpublishedPage": {"name": "Home", "layouts": [{"dsl": page or {}}]}
        },
        "pages/Home/widgets/W.json": {"widgetName": "W", "widgetId": "w", **(widget or {})},
        "pages/Home/queries/Q/metadata.json": {
            "pluginType": "DB",
            "unpublishedAction": {"name": "Q", **(action or {})},
        },
    }
    return parse({path: json.dumps(value).encode() for path, value in files.items()})


def listed(*data: str, triggers: Sequence[str] = ()) -> Json:
    return {
        "dynamicBindingPathList": [{"key": key} for key in data],
        "dynamicTriggerPathList": [{"key": key} for key in triggers],
    }


def checked(app: App) -> Findings:
    return check_app("made up", app, None)


def rules(findings: Findings) -> set[str]:
    return {name for name, count in findings.figures.items() if ": " in name and count}


def test_an_app_whose_lists_are_right_passes() -> None:
    widget = {"text": "{{ Q.data }}", "onClick": "{{ Q.run() }}"}
    action = {"actionConfiguration": {"body": "a {{ W.text }}"}, "jsonPathKeys": ["W.text"]}

    findings = checked(
        an_app({**widget, **listed("text", triggers=["onClick"])}, {**action, **listed("body")})
    )

    assert findings.unexplained == []
    assert rules(findings) == set()
    assert findings.figures["bound paths, theirs"] == 3
    assert findings.figures["bound paths, common"] == 3
    assert findings.figures["jsonPathKeys, common"] == 1
    assert findings.figures["free names"] == 3


@pytest.mark.parametrize(
    ("widget", "rule"),
    [
        (listed("text"), "theirs only: absent"),
        ({"text": False, **listed("text")}, "theirs only: no text"),
        ({"onClick": "", **listed(triggers=["onClick"])}, "theirs only: empty trigger"),
        ({"onClick": "f()", **listed(triggers=["onClick"])}, "theirs only: trigger in plain text"),
        ({"onClick": "{{ f() }}"}, "ours only: unlisted trigger"),
        ({"x": "{{appsmith.theme.colors.primaryColor}}"}, "ours only: theme default"),
        ({"childStylesheet": {"a": {"b": "{{ c }}"}}}, "ours only: child stylesheet"),
        ({"template": {"Text1": {"a": "{{ b }}"}}}, "ours only: list template"),
        ({"derivedColumns": {"a": "{{ b }}"}}, "ours only: derived column"),
        ({"text": "{{ never closed"}, "not bound: never closed"),
        (
            {"f": "{{ a }}", **listed("f", triggers=["f"])},
            "",
        ),
    ],
)
def test_a_known_difference_of_a_widget_has_its_rule(widget: Json, rule: str) -> None:
    findings = checked(an_app(widget))

    assert findings.unexplained == []
    assert rules(findings) == ({rule} if rule else set())


def test_a_property_listed_by_its_old_name_is_known() -> None:
    findings = checked(an_app({"sourceData": "{{ Q.data }}", **listed("options")}))

    assert findings.unexplained == []
    assert rules(findings) == {"theirs only: under another name", "ours only: under another name"}


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ({"actionConfiguration": {"path": "/x"}, **listed("path")}, "path without code"),
        ({**listed("headers[0].value")}, "absent"),
    ],
)
def test_a_known_difference_of_a_query_has_its_rule(action: Json, rule: str) -> None:
    findings = checked(an_app(action=action))

    assert findings.unexplained == []
    assert rules(findings) == {f"theirs only: {rule}"}


@pytest.mark.parametrize(
    "widget",
    [
        {"text": "{{ Q.data }}"},  # bound by us alone, and no trigger
        {"text": "plain", **listed("text")},  # bound by them alone
        {"onClick": "{{ f() }}", **listed("onClick")},  # a trigger for us, data for them
    ],
)
def test_a_difference_of_a_widget_without_a_rule_is_listed(widget: Json) -> None:
    findings = checked(an_app(widget))

    assert len(findings.unexplained) == 1
    assert "pages/Home/widgets/W.json W: " in findings.unexplained[0]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["W.text", "Gone.data"], {"keys, theirs only: stale"}),
        (["W.text", "text"], {"keys, theirs only: UNEXPLAINED"}),
        ([], {"keys, ours only: UNEXPLAINED"}),
    ],
)
def test_expressions_are_compared_with_path_keys(keys: list[str], told: set[str]) -> None:
    action = {"actionConfiguration": {"body": "{{ W.text }}"}, "jsonPathKeys": keys}

    findings = checked(an_app(action={**action, **listed("body")}))

    assert rules(findings) == told


def test_the_root_canvas_of_a_page_is_looked_into() -> None:
    findings = checked(an_app(page={"boxShadow": "{{ a }}", **listed("boxShadow")}))

    assert findings.unexplained == []
    assert findings.figures["strings with {{, bound"] == 1


def test_other_names_than_the_referees_are_told_with_their_places() -> None:
    ours = names_in("a.b + c", Goal.DATA)

    told = difference(ours, Verdict((Free(0, 1, "a"), Free(6, 7, "d"))))

    assert told == "missed a at 0, d at 6 wrong a.b at 0, c at 6"


def test_code_that_only_one_can_parse_is_a_difference() -> None:
    assert difference(names_in("a", Goal.DATA), Verdict((), "no")) != ""
    assert difference(names_in("(", Goal.DATA), Verdict(())) != ""
    assert difference(names_in("(", Goal.DATA), Verdict((), "no")) == ""


def test_the_table_has_a_column_for_each_app_and_the_total() -> None:
    one, other = Findings("one"), Findings("other")
    one.figures.update({"files": 1000, "ours only: a": 1})
    other.figures.update({"files": 2, "ours only: b": 3})
    other.unexplained += [f"line {number}" for number in range(30)]

    lines = table([one, other]).splitlines()

    assert [line.split() for line in lines] == [
        ["one", "other", "total"],
        ["files", "1,000", "2", "1,002"],
        ["ours", "only:", "a", "1", "0", "1"],
        ["ours", "only:", "b", "0", "3", "3"],
    ]
    assert len(total([one, other]).unexplained) == 30
    assert unexplained([one, other]).splitlines()[-1] == "other: and 10 more"


def test_a_folder_that_is_no_app_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NoApp, match=str(tmp_path)):
        checked_folder(tmp_path, None)
