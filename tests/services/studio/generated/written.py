"""Plans as files of formats 2 to 5, and the references that are planted in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.services.studio.generated.codes import Ref, Text
from tests.services.studio.generated.plans import Bound, Json, Named, Page, Plan, Script, Widget

Path = tuple[str | int, ...]
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True, order=True)
class Planted:
    """A reference as it must be found: in which entity, at which path (empty: its text), where in
    the text, and whom it means (empty: nobody)."""

    source_id: str
    path: Path
    start: int
    end: int
    name: str
    members: tuple[str, ...]
    trigger: bool
    shorthand: bool
    target_id: str


def files_of(plan: Plan, renamed: tuple[str, str, str] = ("", "", "")) -> dict[str, bytes]:
    """The app's files. `renamed`: a page's folder, a key there, and the name that it has now."""
    listed = [{"id": one.folder, "isDefault": not n} for n, one in enumerate(plan.pages)]
    found = {
        "application.json": _json(plan, {"pages": listed}),
        "metadata.json": _json(plan, {"fileFormatVersion": plan.version}),
    }
    for page in plan.pages:
        folder, key, new = renamed
        names = {**page.names, **({key: new} if folder == page.folder else {})}
        found |= _PageWriter(plan, page, names).files()
    return found


def planted_in(plan: Plan, page: Page) -> list[Planted]:
    """All references of a page, in no order."""
    return [*_PageWriter(plan, page, page.names).planted()]


def id_of(plan: Plan, page: Page, key: str) -> str:
    """The id of the entity of that key."""
    return _PageWriter(plan, page, page.names).entity_id(key)


def written(text: Text, names: Names) -> str:
    """A text with the names as they are."""
    return "".join(one if isinstance(one, str) else _spelled(one, names) for one in text)


def _spelled(ref: Ref, names: Names) -> str:
    now = names.get(ref.entity, ref.name)
    if now != ref.name:
        return f"{ref.name}: {now}" if ref.shorthand else now
    return spelled_with_escape(now) if ref.escaped else now


def spelled_with_escape(name: str) -> str:
    """The same name, its first letter as an escape."""
    code = ord(name[0])
    return (f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}") + name[1:]


def _json(plan: Plan, value: Json) -> bytes:
    return json.dumps(value, indent=plan.indent, ensure_ascii=False).encode()


def _filled(value: Any, names: Names) -> Any:  # JSON with texts in it
    if isinstance(value, Bound):
        return written(value.text, names)
    if isinstance(value, Named):
        return {names[key]: _filled(one, names) for key, one in value.of.items()}
    if isinstance(value, dict):
        return {key: _filled(one, names) for key, one in value.items()}
    return [_filled(one, names) for one in value] if isinstance(value, list) else value


def _bound(value: Any, names: Names, path: Path = ()) -> Iterator[tuple[Path, Bound]]:  # as above
    if isinstance(value, Bound):
        yield path, value
    elif isinstance(value, dict | Named):
        named = isinstance(value, Named)
        for key, one in (value.of if isinstance(value, Named) else value).items():
            yield from _bound(one, names, (*path, names[key] if named else key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _bound(one, names, (*path, number))


@dataclass(frozen=True)
class _PageWriter:
    plan: Plan
    page: Page
    names: Names

    @property
    def base(self) -> str:
        return f"pages/{self.page.folder}"

    def files(self) -> dict[str, bytes]:
        found = {path: _json(self.plan, value) for path, value in self._documents().items()}
        version = self.plan.version
        for query in self.page.queries:
            if version > 3:
                name = self.names[query.key]
                body = written(query.body, self.names).encode()
                found[f"{self.base}/queries/{name}/{name}.txt"] = body
        for script in self.page.scripts:
            if version > 2:
                name = self.names[script.key]
                found[f"{self.base}/jsobjects/{name}/{name}.js"] = self._script(script).encode()
        return found

    def entity_id(self, key: str) -> str:
        """Of `w1`, `q1`, `s1`, or a script's function `s1.load`."""
        key, _, function = key.partition(".")
        name = self.names[key]
        if function:
            return f"script_function:{self.base}/queries/{name}-{function}"
        if key[0] == "w":
            tree = f"{self.base}/canvas.json#{key}"
            return f"widget:{tree if self.plan.version < 5 else self._widget_path(key)}"
        kind, folder = ("query", "queries") if key[0] == "q" else ("script", "jsobjects")
        return f"{kind}:{self.base}/{folder}/{name}"

    def planted(self) -> Iterator[Planted]:
        for widget in self.page.widgets:
            for path, bound in _bound(widget.own, self.names):
                if bound.code:
                    yield from self._in(widget.key, path, bound.text, trigger=bound.trigger)
        at: Path = ("unpublishedAction", "actionConfiguration")
        for query in self.page.queries:
            known = query.in_metadata or self.plan.version < 4
            yield from self._in(query.key, (*at, "body") if known else (), query.body)
            for path, bound in _bound(query.own, self.names, at):
                yield from self._in(query.key, path, bound.text)
        for script in self.page.scripts:
            yield from self._in(script.key, (), self._body(script))
            for function, body in script.bodies.items():
                if self.plan.version < 4:
                    yield from self._in(f"{script.key}.{function}", (), body)

    def _in(self, key: str, path: Path, text: Text, *, trigger: bool = False) -> Iterator[Planted]:
        at = 0
        for one in text:
            start, spelled = at, one if isinstance(one, str) else _spelled(one, self.names)
            at += len(spelled)
            if isinstance(one, Ref) and not one.plain:
                yield Planted(
                    self.entity_id(key),
                    path,
                    start,
                    at,
                    one.name,
                    one.members,
                    trigger,
                    one.shorthand,
                    self._target(one),
                )

    def _target(self, ref: Ref) -> str:
        if not ref.entity:
            return ""
        script = next((one for one in self.page.scripts if one.key == ref.entity), None)
        first = ref.members[0] if ref.members else ""
        function = script is not None and first in script.bodies
        return self.entity_id(f"{ref.entity}.{first}" if function else ref.entity)

    def _documents(self) -> dict[str, Json]:
        page, version = self.page, self.plan.version
        root: Json = {"widgetName": "MainContainer", "widgetId": "0", "type": "CANVAS_WIDGET"}
        found: dict[str, Json] = {}
        if version < 5:
            root["children"] = [self._tree(one) for one in page.widgets if not one.parent]
        else:
            for one in page.widgets:
                found[self._widget_path(one.key)] = self._widget(one)
        on_load = _filled(page.on_load, self.names)
        layouts = [{"dsl": root, "layoutOnLoadActions": on_load}]
        whole = {"unpublishedPage": {"name": page.folder, "layouts": layouts}}
        found[f"{self.base}/{page.folder if version == 5 else 'canvas'}.json"] = whole
        return found | self._queries() | self._scripts()

    def _queries(self) -> dict[str, Json]:
        found = {}
        for query in self.page.queries:
            name = self.names[query.key]
            configuration = _filled(query.own, self.names)
            if query.in_metadata or self.plan.version < 4:
                configuration["body"] = written(query.body, self.names)
            action = {
                "name": name,
                "pageId": self.page.folder,
                "datasource": {"name": self.page.names[query.key]},
                "actionConfiguration": configuration,
                "jsonPathKeys": [written(one, self.names) for one in query.path_keys],
            }
            plugin = {"pluginId": query.plugin, "pluginType": "DB"}
            made = {"id": f"{self.page.folder}_{name}", **plugin, "unpublishedAction": action}
            folder = f"{self.base}/queries/{name}"
            found[self._place(folder, whole=self.plan.version < 4)] = made
        return found

    def _scripts(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for script in self.page.scripts:
            name = self.names[script.key]
            own_id = f"{self.page.folder}_{name}"
            collection: Json = {"name": name, "pageId": self.page.folder, "variables": []}
            if self.plan.version == 2:
                collection["body"] = self._script(script)
            folder = f"{self.base}/jsobjects/{name}"
            place = self._place(folder, whole=self.plan.version == 2)
            found[place] = {"id": own_id, "unpublishedCollection": collection}
            for function, body in script.bodies.items():
                action: Json = {
                    "name": function,
                    "fullyQualifiedName": f"{name}.{function}",
                    "collectionId": own_id,
                }
                if self.plan.version < 4:
                    action["actionConfiguration"] = {"body": written(body, self.names)}
                made = {"id": f"{own_id}.{function}", "unpublishedAction": action}
                folder = f"{self.base}/queries/{name}-{function}"
                place = self._place(folder, whole=self.plan.version < 4)
                found[place] = {**made, "pluginType": "JS"}
        return found

    def _place(self, folder: str, *, whole: bool) -> str:
        return f"{folder}.json" if whole else f"{folder}/metadata.json"

    def _body(self, script: Script) -> Text:
        found: list[str | Ref] = ["export default {\n\t"]
        for number, member in enumerate(script.members.values()):
            found += [",\n\t" if number else "", *member]
        return (*found, "\n}")

    def _script(self, script: Script) -> str:
        return written(self._body(script), self.names)

    def _widget(self, widget: Widget) -> Json:
        own = _filled(widget.own, self.names)
        known = {"widgetName": self.names[widget.key], "widgetId": widget.key}
        canvas = {"widgetId": f"{widget.key}c", "type": "CANVAS_WIDGET", "widgetName": "Canvas1"}
        holds = {"children": [canvas]} if widget.holds else {}
        parent = f"{widget.parent}c" if widget.parent else "0"
        return {**own, **known, **holds, "parentId": parent}

    def _tree(self, widget: Widget) -> Json:
        value = self._widget(widget)
        inner = [one for one in self.page.widgets if one.parent == widget.key]
        if widget.holds:
            value["children"][0]["children"] = [self._tree(one) for one in inner]
        return value

    def _widget_path(self, key: str) -> str:
        widget = next(one for one in self.page.widgets if one.key == key)
        folders = [self.names[key]] if widget.holds else []
        outer = widget
        while outer.parent:
            outer = next(one for one in self.page.widgets if one.key == outer.parent)
            folders.insert(0, self.names[outer.key])
        return "/".join((self.base, "widgets", *folders, f"{self.names[key]}.json"))
