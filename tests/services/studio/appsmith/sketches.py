"""Small apps drawn by chance, and edits of them: written of the formats, not by the product."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]  # JSON of a foreign format

scalars = st.sampled_from([None, True, 1, 1.0, 0, -0.0, 2**70, "", "a", "a.b", "{{Q.data}}"])
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "a b", "é"]), inner, max_size=3)
    ),
    max_leaves=6,
)
keyed = st.lists(st.sampled_from("pqrs"), unique=True, max_size=4).map(
    lambda keys: [{"key": key} for key in keys]
)
properties = st.dictionaries(st.sampled_from(["text", "color", "style", "rows"]), values)
LINES = st.lists(st.sampled_from(["SELECT 1", "FROM t", "WHERE x", "", "ORDER BY y"]), max_size=8)
texts = LINES.map("\n".join) | LINES.map(lambda lines: "".join(f"{x}\n" for x in lines))


@dataclass
class Widget:
    parent: str  # another widget's id; empty for the page's canvas
    holds: bool
    name: str
    own: Json


@dataclass
class Page:
    settings: Json = field(default_factory=dict)
    widgets: dict[str, Widget] = field(default_factory=dict)
    queries: dict[str, tuple[str, Json]] = field(default_factory=dict)
    scripts: dict[str, tuple[str, Json]] = field(default_factory=dict)
    mark: str = ""


@dataclass
class Sketch:
    """An app; `files` writes it down."""

    version: int
    settings: Json
    pages: dict[str, Page]
    loose: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        listed = [{"id": name, "isDefault": i == 0} for i, name in enumerate(self.pages)]
        found = {
            "application.json": _json({**self.settings, "pages": listed}),
            "metadata.json": _json({"fileFormatVersion": self.version}),
            **{path: content for path, content in self.loose.items() if "/" not in path},
        }
        for name, page in self.pages.items():
            base = f"pages/{name}"
            found |= _page(base, name, page, self.version)
            for query, (body, own) in page.queries.items():
                beside = f"{base}/queries/{query}/"
                found |= {path: self.loose[path] for path in self.loose if beside in path}
                mark, own = _parted(own)
                configuration = {"body": body, **own}
                action = {"actionConfiguration": configuration, "name": query}
                value: Json = {"pluginId": "postgres-plugin", "unpublishedAction": action, **mark}
                found |= _folder(f"{base}/queries/{query}", ".txt", body, value, self.version < 4)
            for script, (body, own) in page.scripts.items():
                whole = self.version < 3
                mark, own = _parted(own)
                collection = {"name": script, **own, **({"body": body} if whole else {})}
                value = {"unpublishedCollection": collection, **mark}
                found |= _folder(f"{base}/jsobjects/{script}", ".js", body, value, whole)
        return found


Edit = Callable[[st.DrawFn, Sketch], None]


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    """An app with one to three pages."""
    sketch = Sketch(
        draw(st.sampled_from([2, 3, 4, 4, 5, 5])), draw(properties), {"Home": Page()}, {}
    )
    return draw(edited(sketch, least=2, most=10))


@st.composite
def edited(
    draw: st.DrawFn,
    sketch: Sketch,
    least: int = 0,
    most: int = 4,
    more: Sequence[Edit] = (),
) -> Sketch:
    """The app after some edits of any kind, and of `more` kinds."""
    after = copy.deepcopy(sketch)
    for _ in range(draw(st.integers(least, most))):
        edit = draw(st.sampled_from([*EDITS, *more]))
        edit(draw, after)
    return after


def some_page(draw: st.DrawFn, sketch: Sketch) -> Page:
    """One of the pages."""
    return sketch.pages[draw(st.sampled_from(sorted(sketch.pages)))]


def _set_app(draw: st.DrawFn, sketch: Sketch) -> None:
    sketch.settings |= draw(properties)


def _set_page(draw: st.DrawFn, sketch: Sketch) -> None:
    some_page(draw, sketch).settings |= draw(properties)


def _add_page(draw: st.DrawFn, sketch: Sketch) -> None:
    sketch.pages.setdefault(draw(st.sampled_from(["Home", "Two", "Three é"])), Page())


def _remove_page(draw: st.DrawFn, sketch: Sketch) -> None:
    if len(sketch.pages) > 1:
        del sketch.pages[draw(st.sampled_from(sorted(sketch.pages)))]


def _add_widget(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    holders = ["", *(i for i, w in sorted(page.widgets.items()) if w.holds)]
    key = draw(st.sampled_from([f"w{n}" for n in range(9)]))
    name = draw(st.sampled_from([f"Widget{key}", "Twin"]))
    if key in page.widgets or name in names_of(page):
        return
    own = {**draw(properties), "dynamicBindingPathList": draw(keyed)}
    page.widgets[key] = Widget(draw(st.sampled_from(holders)), draw(st.booleans()), name, own)


def _change_widget(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    if page.widgets:
        widget = page.widgets[draw(st.sampled_from(sorted(page.widgets)))]
        widget.own |= {**draw(properties), "dynamicBindingPathList": draw(keyed)}


def _move_widget(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    if page.widgets:
        key = draw(st.sampled_from(sorted(page.widgets)))
        inside = _inside(page, key)
        holders = ["", *(i for i, w in sorted(page.widgets.items()) if w.holds and i not in inside)]
        page.widgets[key].parent = draw(st.sampled_from(holders))


def _remove_widget(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    if page.widgets:
        for key in _inside(page, draw(st.sampled_from(sorted(page.widgets)))):
            del page.widgets[key]


def _put_query(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    name = draw(st.sampled_from(["Q1", "Q2", "Twin"]))
    if name in page.queries or name not in names_of(page):
        page.queries[name] = (draw(texts), draw(properties))


def _put_script(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    name = draw(st.sampled_from(["S1", "S2"]))
    page.scripts[name] = (draw(texts), draw(properties))


def _remove_action(draw: st.DrawFn, sketch: Sketch) -> None:
    page = some_page(draw, sketch)
    actions: dict[str, Any] = draw(st.sampled_from([page.queries, page.scripts]))
    if actions:
        del actions[draw(st.sampled_from(sorted(actions)))]


def _put_file(draw: st.DrawFn, sketch: Sketch) -> None:
    path = draw(st.sampled_from(["README.md", "x", "pages/Home/queries/Q1/why.md"]))
    sketch.loose[path] = draw(st.sampled_from([b"", b"a\nb\n", b"\xff", b"a\r\nc"]))


EDITS = [
    _set_app,
    _set_page,
    _add_page,
    _remove_page,
    _add_widget,
    _add_widget,
    _change_widget,
    _move_widget,
    _remove_widget,
    _put_query,
    _put_script,
    _remove_action,
    _put_file,
]


def names_of(page: Page) -> set[str]:
    """Those of the one namespace that a page has."""
    return {widget.name for widget in page.widgets.values()} | {*page.queries, *page.scripts}


def _inside(page: Page, key: str) -> set[str]:
    found = {key}
    while more := {i for i, w in page.widgets.items() if w.parent in found} - found:
        found |= more
    return found


def _parted(own: Json) -> tuple[Json, Json]:
    """What git sync goes by, and the rest."""
    mark = {key: value for key, value in own.items() if key == "gitSyncId"}
    return mark, {key: value for key, value in own.items() if key not in mark}


def _folder(folder: str, suffix: str, body: str, value: Json, whole: bool) -> dict[str, bytes]:
    if whole:
        return {f"{folder}.json": _json(value)}
    stem = folder.rpartition("/")[2]
    return {f"{folder}/metadata.json": _json(value), f"{folder}/{stem}{suffix}": body.encode()}


def _page(base: str, name: str, page: Page, version: int) -> dict[str, bytes]:
    root: Json = {"type": "CANVAS_WIDGET", "widgetId": "0", "widgetName": "MainContainer"}
    if version != 5:
        root["children"] = _children(page, "", "0")
    layouts = [{"dsl": root, "id": name}]
    mark = {"gitSyncId": page.mark} if page.mark else {}
    whole = _json({"unpublishedPage": {**page.settings, "layouts": layouts, "name": name}, **mark})
    if version != 5:
        return {f"{base}/canvas.json": whole}
    found = {f"{base}/{name}.json": whole}
    for key, widget in page.widgets.items():
        value = _widget(key, widget, f"{widget.parent}-c" if widget.parent else "0")
        if widget.holds:
            value["children"] = [_canvas(key)]
        found[f"{base}/widgets/{key}.json"] = _json(value)
    return found


def _children(page: Page, parent: str, canvas: str) -> list[Json]:
    found = []
    for key, widget in page.widgets.items():
        if widget.parent == parent:
            value = _widget(key, widget, canvas)
            if widget.holds:
                inner = _children(page, key, f"{key}-c")
                value["children"] = [{**_canvas(key), "children": inner}]
            found.append(value)
    return found


def _widget(key: str, widget: Widget, parent: str) -> Json:
    known = {"parentId": parent, "type": "W", "widgetId": key, "widgetName": widget.name}
    return {**widget.own, **known}


def _canvas(key: str) -> Json:
    return {"type": "CANVAS_WIDGET", "widgetId": f"{key}-c", "widgetName": f"Canvas{key}"}


def _json(value: Json) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
