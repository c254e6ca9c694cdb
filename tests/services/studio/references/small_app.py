"""A small app with all that copies and moves must follow, in the two ways of keeping widgets."""

import json
from typing import Any

from services.studio.appsmith import App, Entity, parse

Json = dict[str, Any]  # JSON of a foreign format

ROOT: Json = {"widgetId": "0", "widgetName": "MainContainer", "type": "CANVAS_WIDGET"}
ROWS = {"topRow": 2, "bottomRow": 8.5, "mobileTopRow": 0, "mobileBottomRow": 3}


def a_widget(name: str, parent_id: str, **own: Any) -> Json:
    """A widget whose id is its name in small letters."""
    made = {"widgetName": name, "widgetId": name.lower(), "type": "TEXT_WIDGET", **ROWS}
    return {**made, "parentId": parent_id, **own}


def a_canvas(name: str, parent_id: str) -> Json:
    return {**ROOT, "widgetName": name, "widgetId": name.lower(), "parentId": parent_id}


WIDGETS: list[tuple[str, Json, list[Json]]] = [  # folder, widget, its canvases
    (
        "Tabs1/Tabs1",
        a_widget(
            "Tabs1",
            "0",
            type="TABS_WIDGET",
            tabsObj={"a": {"id": "a", "widgetId": "canvas1"}, "b": {"widgetId": "canvas2"}},
        ),
        [a_canvas("Canvas1", "tabs1"), a_canvas("Canvas2", "tabs1")],
    ),
    (
        "Tabs1/List1/List1",
        a_widget(
            "List1",
            "canvas2",
            template={"Title": {"widgetName": "Title", "widgetId": "title", "text": "{{ 1 }}"}},
            dynamicBindingPathList=[{"key": "template.Title.text"}],
            mainCanvasId="canvas3",
        ),
        [a_canvas("Canvas3", "list1")],
    ),
    (
        "Tabs1/List1/Title",
        a_widget("Title", "canvas3", text="{{ fetchAll.data + Tabs1.x + Loose.text + 'Title' }}"),
        [],
    ),
    (
        "Loose",
        a_widget("Loose", "0", text="{{ Title.text }}", onClick="{{ showModal('Tabs1') }}"),
        [],
    ),
    ("Tabs1/Close", a_widget("Close", "canvas1", onClick="{{ closeModal('Tabs1') }}"), []),
]
QUERY: Json = {
    "gitSyncId": "app_one",
    "id": "P_fetchAll",
    "unpublishedAction": {"name": "fetchAll", "pageId": "P", "datasource": {"name": "Stock"}},
}
SCRIPT: Json = {"id": "P_Utils", "unpublishedCollection": {"name": "Utils", "pageId": "P"}}
FUNCTION: Json = {
    "id": "P_Utils.sum",
    "pluginType": "JS",
    "unpublishedAction": {
        "name": "sum",
        "fullyQualifiedName": "Utils.sum",
        "collectionId": "P_Utils",
        "pageId": "P",
    },
}
RUNS = [[{"id": "P_fetchAll", "name": "fetchAll"}], [{"id": "P_Utils.sum", "name": "Utils.sum"}]]


def an_app(version: int) -> App:
    """Pages P, with everything, and Q, which has a `Loose` and a `Canvas1` of its own."""
    files: dict[str, Any] = {
        "application.json": {"pages": [{"id": "P", "isDefault": True}, {"id": "Q"}]},
        "metadata.json": {"fileFormatVersion": version},
        "datasources/Stock.json": {"name": "Stock"},
        "pages/P/queries/fetchAll/metadata.json": QUERY,
        "pages/P/queries/Utils-sum/metadata.json": FUNCTION,
        "pages/P/jsobjects/Utils/metadata.json": SCRIPT,
    }
    other = [
        ("Loose", a_widget("Loose", "0"), []),
        ("Box/Box", a_widget("Box", "0"), [a_canvas("Canvas1", "box")]),
        ("Link", a_widget("Link", "0", onClick="{{ navigateTo('P') }}", x="{{ Tabs1.x }}"), []),
    ]
    files |= _page("P", version, WIDGETS, RUNS) | _page("Q", version, other, [])
    encoded = {
        p: json.dumps(value, indent=2).replace("'", "\\u0027").encode()
        for p, value in files.items()
    }
    encoded["pages/P/jsobjects/Utils/Utils.js"] = b"export default { sum() { return Utils.x } }"
    encoded["pages/P/queries/fetchAll/fetchAll.txt"] = b"SELECT 1"
    return parse(encoded)


def named(app: App, name: str, page: str = "P") -> Entity:
    """The entity of that name."""
    return next(one for one in app if one.name == name and one.page == page)


def json_of(app: App, name: str, page: str = "P") -> Json:
    """An entity's JSON; in a tree with its children."""
    entity = named(app, name, page)
    value: Json = json.loads(app.files[entity.path])
    if app.format_version == 5 or "canvas.json" not in entity.path:
        return value
    return next(x for x in _nodes(value) if (x.get("widgetName"), "type" in x) == (name, True))


def runs_of(app: App, page: str = "P") -> list[list[str]]:
    """What a page runs when it is opened, by name."""
    path = next(
        p for p in (f"pages/{page}/canvas.json", f"pages/{page}/{page}.json") if p in app.files
    )
    (layout,) = json.loads(app.files[path])["unpublishedPage"]["layouts"]
    return [[one["name"] for one in actions] for actions in layout["layoutOnLoadActions"]]


def _page(
    page: str, version: int, widgets: list[tuple[str, Json, list[Json]]], runs: object
) -> Json:
    layout = {"id": page, "layoutOnLoadActions": runs}
    value = {
        "gitSyncId": f"app_{page}",
        "unpublishedPage": {"name": page, "slug": page.lower(), "layouts": [layout]},
    }
    if version == 5:
        files = {f"pages/{page}/{page}.json": {**value}}
        layout["dsl"] = ROOT
        for path, own, canvases in widgets:
            bare: Json = {"children": canvases} if canvases else {}
            files[f"pages/{page}/widgets/{path}.json"] = {**own, **bare}
        return files
    holders: Json = {"0": {**ROOT, "children": []}}
    for _, own, canvases in widgets:
        inner = [{**one, "children": []} for one in canvases]
        holders |= {one["widgetId"]: one for one in inner}
        holders[own["parentId"]]["children"].append(
            {**own, **({"children": inner} if inner else {})}
        )
    layout["dsl"] = holders["0"]
    return {f"pages/{page}/canvas.json": value}


def _nodes(value: Any) -> list[Json]:  # any JSON
    if isinstance(value, list):
        return [one for inner in value for one in _nodes(inner)]
    if not isinstance(value, dict):
        return []
    return [value, *(one for inner in value.values() for one in _nodes(inner))]
