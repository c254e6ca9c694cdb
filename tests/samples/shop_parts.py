"""What the shop's pages are made of."""

from typing import Any

Json = dict[str, Any]  # JSON of a foreign format

PLACES = [
    ("Orders _ Returns", "Orders / Returns"),
    ("Home", "Home"),
    ("home", "home"),
    ("Café ☕", "Café ☕"),
    ("Event ", "Event "),
    ("a: b?", "a: b?"),
]
"""(folder, name): slashes can't stand in a folder's name, the rest can."""


def page_value(name: str, order: int) -> Json:
    """A page with an empty canvas; `jsonPathKeys` holds a piece of a query's body."""
    canvas = {
        "bottomRow": 680,
        "canExtend": True,
        "dynamicBindingPathList": [],
        "leftColumn": 0,
        "parentColumnSpace": 1,
        "rightColumn": 1224.5,
        "type": "CANVAS_WIDGET",
        "version": 90,
        "widgetId": "0",
        "widgetName": "MainContainer",
    }
    on_load = {
        "id": f"{name}_List orders",
        "name": "List orders",
        "pluginType": "DB",
        "confirmBeforeExecute": False,
        "jsonPathKeys": [f"secretFilter{order}.value"],
        "timeoutInMillisecond": 10000,
    }
    return {
        "gitSyncId": f"page-{order}",
        "unpublishedPage": {
            "isHidden": order == 3,
            "layouts": [{"dsl": canvas, "layoutOnLoadActions": [[on_load]]}],
            "name": name,
            "slug": f"page-{order}",
        },
        "publishedPage": {"note": f"/* body {order} of an older day */"},
        "somethingNew": [1, 1.0, 1e21, -0.5, 12345678901234567890123, True, None],
    }


def widget_tree(order: int) -> list[Json]:
    """Case twins, a container in a container, tabs with two canvases, odd names."""
    inner = _canvas("c-form", "form", [_widget("Save ✓", "save", "c-form", "BUTTON_WIDGET")])
    form = _container("Form1", "form", "c-box", "FORM_WIDGET", [inner])
    box = [_widget("Title", "title", "c-box"), _widget("title", "title2", "c-box"), form]
    one = _canvas("c-one", "tabs", [_widget("In tab: one", "t1", "c-one")])
    two = _canvas("c-two", "tabs", [_widget("In tab: two", "t2", "c-two")])
    return [
        _widget("Text1", "text1", "0", text=f"Page {order} — {{{{ListOrders.data.length}}}} 🛒"),
        _widget("text1", "text1b", "0", text="a case twin"),
        _widget("Price: €", "price", "0", "INPUT_WIDGET_V2"),
        _widget("Table1", "table", "0", "TABLE_WIDGET_V2", tableData="{{ListOrders.data}}"),
        _container("Box", "box", "0", "CONTAINER_WIDGET", [_canvas("c-box", "box", box)]),
        _container("Tabs", "tabs", "0", "TABS_WIDGET", [one, two]),
    ]


def queries(page: str, order: int) -> list[tuple[str, str | None, Json]]:
    """(folder, body, metadata): with a body in both places, in one, and without."""
    orders = (
        f"SELECT * FROM orders WHERE shop = {order} AND who = {{{{secretFilter{order}.value}}}}"
    )
    save = f'{{"order": "{order}",\n\t"paid": true, "to": "internal-ledger"}}'
    only_text = f"UPDATE stock SET n = n - 1 WHERE page = {order}; -- ✂"
    return [
        ("List orders", orders, _query(page, "List orders", "main db", orders, on_load=True)),
        ("SaveOrder", save, _query(page, "SaveOrder", "ledger", save)),
        ("OnlyText", only_text, _query(page, "OnlyText", "main db", None)),
        ("NoBody", None, _query(page, "NoBody", "ledger", None)),
    ]


def scripts(page: str, order: int) -> list[tuple[str, str, Json]]:
    """(folder, code, metadata)"""
    found = []
    for name in ("Utils", "utils"):
        code = f"export default {{\n\ttotal: () => {order},\r\n\tlabel: async () => '№ {name}'\n}}"
        value = {
            "gitSyncId": f"script-{order}-{name}",
            "id": f"{page}_{name}",
            "unpublishedCollection": {
                "name": name,
                "pageId": page,
                "pluginId": "js-plugin",
                "pluginType": "JS",
                "variables": [{"name": "rate", "value": "1.0"}],
            },
        }
        found.append((name, code, value))
    return found


def functions(page: str, order: int) -> list[tuple[str, Json]]:
    """(folder, metadata) of what the scripts define."""
    return [
        (
            f"{script}-{name}",
            {
                "id": f"{page}_{script}.{name}",
                "pluginId": "js-plugin",
                "pluginType": "JS",
                "unpublishedAction": {
                    "actionConfiguration": {"jsArguments": [], "timeoutInMillisecond": 10000},
                    "collectionId": f"{page}_{script}",
                    "datasource": {"name": "UNUSED_DATASOURCE", "pluginId": "js-plugin"},
                    "executeOnLoad": order == 0,
                    "fullyQualifiedName": f"{script}.{name}",
                    "name": name,
                    "pageId": page,
                },
            },
        )
        for script in ("Utils", "utils")
        for name in ("total", "label")
    ]


def datasources() -> list[tuple[str, Json]]:
    """One bare, one with settings that are nobody's business."""
    settings = {"url": "https://ledger.internal.example", "headers": [{"key": "X-Shop"}]}
    return [
        ("main db", {"name": "main db", "pluginId": "postgres-plugin", "isAutoGenerated": False}),
        (
            "ledger",
            {
                "name": "ledger",
                "pluginId": "restapi-plugin",
                "datasourceConfiguration": settings,
            },
        ),
    ]


def libraries() -> list[tuple[str, Json]]:
    """A name with colons, as older versions wrote them."""
    url = "https://cdn.example.com/money.min.js"
    value = {"accessor": ["money"], "name": "money", "uidString": url, "url": url, "version": "1.0"}
    return [("money_https:__cdn.example.com_money.min.js", value)]


def theme() -> Json:
    return {
        "displayName": "Modern",
        "isSystemTheme": True,
        "name": "Default",
        "properties": {"colors": {"primaryColor": "#553DE9"}},
    }


def _query(page: str, name: str, source: str, body: str | None, on_load: bool = False) -> Json:
    configuration: Json = {"timeoutInMillisecond": 10000, "paginationType": "NONE"}
    if body is not None:
        configuration["body"] = body
    return {
        "gitSyncId": f"query-{name}",
        "id": f"{page}_{name}",
        "pluginId": "postgres-plugin",
        "pluginType": "DB",
        "unpublishedAction": {
            "actionConfiguration": configuration,
            "datasource": {"name": source, "pluginId": "postgres-plugin"},
            "executeOnLoad": on_load,
            "name": name,
            "pageId": page,
        },
    }


def _widget(
    name: str, widget_id: str, parent: str, kind: str = "TEXT_WIDGET", **more: object
) -> Json:
    return {
        "bottomRow": 4,
        "dynamicBindingPathList": [],
        "leftColumn": 0.5,
        "parentId": parent,
        "type": kind,
        "version": 1,
        "widgetId": widget_id,
        "widgetName": name,
        **more,
    }


def _canvas(widget_id: str, parent: str, children: list[Json]) -> Json:
    return {
        **_widget(f"Canvas {widget_id}", widget_id, parent, "CANVAS_WIDGET"),
        "children": children,
    }


def _container(name: str, widget_id: str, parent: str, kind: str, canvases: list[Json]) -> Json:
    return {**_widget(name, widget_id, parent, kind), "children": canvases}
