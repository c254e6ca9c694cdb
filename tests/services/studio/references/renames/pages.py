"""A page with a script to rename functions of, in every format."""

import json
from typing import Any

from services.studio.appsmith import App, parse

Json = dict[str, Any]  # JSON of a foreign format

CODE = """\
export default {
  rows: [],
  load: async () => {
    await this.save(this.rows, "save", this?.save.data);
    [1].map((x) => this['save'](x));
    [1].map(function () { return this.save; });
    const {save} = this;
    return save; // save
  },
  async save(save) { return save + Tools.save.name; },
  "keep": function () { return this.save(); },
}"""
RENAMED = """\
export default {
  rows: [],
  load: async () => {
    await this.store(this.rows, "save", this?.store.data);
    [1].map((x) => this['store'](x));
    [1].map(function () { return this.save; });
    const {store: save} = this;
    return save; // save
  },
  async store(save) { return save + Tools.store.name; },
  "keep": function () { return this.store(); },
}"""
"""The same with `save` renamed to `store`."""

ON_LOAD = [
    [
        {
            "id": "Home_Tools.save",
            "name": "Tools.save",
            "collectionId": "Home_Tools",
            "jsonPathKeys": ["async (save) => this.save(save)"],
        },
        {"id": "Home_save", "name": "save", "jsonPathKeys": ["this.save"]},
    ]
]


def an_app(format_version: int, **codes: str) -> App:
    """A page `Home` with a script `Tools`, its functions, and a widget for each of `codes`, whose
    text it is."""
    files: dict[str, Json | str] = {
        "application.json": {"pages": [{"id": "Home", "isDefault": True}, {"id": "Other"}]},
        "metadata.json": {"fileFormatVersion": format_version},
    }
    widgets = [
        {"widgetName": name, "widgetId": name.lower(), "type": "TEXT_WIDGET", "text": code}
        for name, code in codes.items()
    ]
    files |= _page("Home", widgets, format_version)
    files |= _page("Other", [], format_version)
    start = "pages/Home/jsobjects/Tools"
    collection: Json = {"name": "Tools", "pageId": "Home", "variables": [{"name": "rows"}]}
    script: Json = {"id": "Home_Tools", "unpublishedCollection": collection}
    if format_version == 2:
        collection["body"] = CODE
        files[f"{start}.json"] = script
    else:
        files |= {f"{start}/metadata.json": script, f"{start}/Tools.js": CODE}
    for name in ("load", "save", "keep"):
        place = f"pages/Home/queries/Tools-{name}"
        whole = format_version in (2, 3)
        files[f"{place}.json" if whole else f"{place}/metadata.json"] = a_function(name)
    encoded = {
        path: (one if isinstance(one, str) else json.dumps(one, indent=1)).encode()
        for path, one in files.items()
    }
    return parse(encoded)


def a_function(name: str) -> Json:
    """The metadata of one of the script's functions."""
    return {
        "id": f"Home_Tools.{name}",
        "pluginType": "JS",
        "unpublishedAction": {
            "name": name,
            "fullyQualifiedName": f"Tools.{name}",
            "collectionId": "Home_Tools",
            "pageId": "Home",
            "jsonPathKeys": ["async () => { await this.save(); Tools.save() }"],
        },
    }


def _page(name: str, widgets: list[Json], format_version: int) -> dict[str, Json | str]:
    root: Json = {"widgetName": "MainContainer", "widgetId": "0", "type": "CANVAS_WIDGET"}
    layout: Json = {"id": name, "dsl": root, "layoutOnLoadActions": ON_LOAD}
    page: Json = {"unpublishedPage": {"name": name, "slug": name.lower(), "layouts": [layout]}}
    if format_version == 5:
        own = {f"pages/{name}/widgets/{one['widgetName']}.json": one for one in widgets}
        return {f"pages/{name}/{name}.json": page, **own}
    root["children"] = widgets
    return {f"pages/{name}/canvas.json": page}


def json_at(app: App, path: str) -> Json:
    """A file's JSON."""
    value: Json = json.loads(app.files[path])
    return value
