"""What a page runs when it is opened follows what is there."""

import json

import pytest

from services.studio.appsmith import parse, remove_entity
from services.studio.appsmith.on_load import (
    entries,
    entry_texts,
    runs,
    with_entries,
    with_last_entries,
    without_entries,
)

QUERY = {"unpublishedAction": {"name": "load"}}
SCRIPT = {"unpublishedCollection": {"name": "Utils", "body": "export default {}"}}
FUNCTION = {
    "pluginType": "JS",
    "unpublishedAction": {"name": "sum", "fullyQualifiedName": "Utils.sum"},
}
ROUNDS = [[{"name": "load"}, {"name": "Utils.sum"}], [{"name": "Utils.sum"}], [{"name": "other"}]]


def an_app(rounds: object = ROUNDS) -> dict[str, bytes]:
    dsl = {"widgetId": "0", "children": [{"widgetId": "a", "widgetName": "A"}, {"widgetId": "b"}]}
    layout = {"dsl": dsl, "layoutOnLoadActions": rounds}
    files = {
        "application.json": {"pages": [{"id": "P"}]},
        "metadata.json": {"fileFormatVersion": 4},
        "pages/P/canvas.json": {"unpublishedPage": {"name": "P", "layouts": [layout]}, "x": "a=b"},
        "pages/P/queries/load/metadata.json": QUERY,
        "pages/P/queries/Utils-sum/metadata.json": FUNCTION,
        "pages/P/jsobjects/Utils/metadata.json": SCRIPT,
    }
    return {
        path: json.dumps(value, indent=2).replace("=", "\\u003d").encode()
        for path, value in files.items()
    }


@pytest.mark.parametrize(
    ("entity_id", "left"),
    [
        ("query:pages/P/queries/load", [["Utils.sum"], ["Utils.sum"], ["other"]]),
        ("script:pages/P/jsobjects/Utils", [["load"], ["other"]]),
        ("script_function:pages/P/queries/Utils-sum", [["load"], ["other"]]),
    ],
)
def test_what_is_removed_runs_no_more(entity_id: str, left: list[list[str]]) -> None:
    app = parse(an_app())

    after = remove_entity(app, entity_id).app

    expected = an_app([[{"name": name} for name in names] for names in left])
    assert after.files["pages/P/canvas.json"] == expected["pages/P/canvas.json"]


def test_a_widget_taken_out_of_a_tree_leaves_all_else_as_it_was_written() -> None:
    app = parse(an_app())

    after = remove_entity(app, "widget:pages/P/canvas.json#a").app

    was = app.files["pages/P/canvas.json"].decode()
    gone = was[was.index("{", was.index('"children"')) : was.rindex('{\n              "widgetId"')]
    assert after.files["pages/P/canvas.json"].decode() == was.replace(gone, "", 1)


def test_an_entry_goes_to_the_end_of_the_last_round() -> None:
    content = an_app()["pages/P/canvas.json"]
    load = next(e for e in parse(an_app()) if e.name == "load")

    ((way, items),) = entry_texts(content, runs(load)).items()
    later = with_last_entries(content, items)
    beside = with_entries(content, {way: items})

    assert [place[-2:] for place, one in entries(later) if one["name"] == "load"] == [
        (0, 0),
        (2, 1),
    ]
    assert [place[-2:] for place, one in entries(beside) if one["name"] == "load"] == [
        (0, 0),
        (0, 2),
    ]


def test_a_page_that_runs_nothing_begins_to() -> None:
    content = an_app([])["pages/P/canvas.json"]

    after = with_last_entries(content, ['{\n  "name": "load"\n}', '{\n  "name": "other"\n}'])

    assert after == an_app([[{"name": "load"}, {"name": "other"}]])["pages/P/canvas.json"]


@pytest.mark.parametrize("rounds", [None, {"a": 1}, "x"])
def test_what_is_no_list_of_rounds_stays(rounds: object) -> None:
    content = an_app(rounds)["pages/P/canvas.json"]

    assert with_last_entries(content, ['{"name": "load"}']) == content
    assert without_entries(content, lambda _: True) == content


@pytest.mark.parametrize("per_round", [1, 20_000])
def test_thousands_of_entries_go_and_come_in_one_pass(per_round: int) -> None:
    own, other = {"name": "load"}, {"name": "other"}
    many = 20_000 // per_round
    content = an_app([[own] * per_round, [other]] * many)["pages/P/canvas.json"]

    less = without_entries(content, lambda one: one["name"] == "load")
    more = with_last_entries(less, ['{\n  "name": "load"\n}'] * 20_000)

    assert less == an_app([[other]] * many)["pages/P/canvas.json"]
    assert (
        more == an_app([[other]] * (many - 1) + [[other] + [own] * 20_000])["pages/P/canvas.json"]
    )
