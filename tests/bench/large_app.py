"""An app of 3,672 files with the measures of a real one: as many pages, widgets, queries, scripts
and functions, files of such sizes, so many expressions and names. The same every time."""

import json
from itertools import cycle, islice
from typing import Any

Json = dict[str, Any]  # JSON of a foreign format

PAGES = (
    *((0, 4, 2, 7), (36, 12, 1, 10), (152, 36, 20, 93), (63, 16, 5, 25), (54, 16, 5, 25)),
    *((31, 14, 4, 16), (52, 16, 5, 28), (30, 12, 4, 17), (57, 17, 9, 52), (42, 10, 6, 21)),
    *((61, 16, 7, 32), (70, 19, 9, 44), (42, 10, 5, 22), (51, 14, 7, 32), (246, 19, 8, 43)),
    *((145, 18, 7, 30), (106, 11, 3, 13), (103, 13, 4, 28), (123, 8, 4, 21), (27, 4, 1, 6)),
    *((73, 9, 4, 31), (204, 28, 12, 73), (116, 24, 9, 72), (1, 9, 1, 6), (2, 0, 0, 0)),
    *((28, 6, 3, 15), (0, 3, 2, 10)),
)
"""Widgets, queries, scripts and functions of each page."""

WITHOUT_TEXT = 69
"""Queries that have no text of their own."""

WIDGET_BYTES, SCRIPT_LINES = 2_000, 28


def large_app() -> dict[str, bytes]:
    """The files by path."""
    names = [f"Page{number}" for number in range(len(PAGES))]
    files = {
        "application.json": _json({"pages": [{"id": name} for name in names]}),
        "metadata.json": _json({"fileFormatVersion": 5}),
        "theme.json": _json({"name": "Default"}),
        "README.md": b"# Made up\n",
        "jslibs/moment.json": _json({"accessor": ["moment"], "url": "moment.js", "name": "moment"}),
    }
    texts = 0
    for name, measures in zip(names, PAGES, strict=True):
        page = _Page(name, *measures)
        files |= page.files(WITHOUT_TEXT - texts)
        texts += min(page.queries, max(0, WITHOUT_TEXT - texts))
    return files


class _Page:
    def __init__(self, name: str, widgets: int, queries: int, scripts: int, functions: int) -> None:
        self.name, self.queries = name, queries
        self._widgets = [f"{_KINDS[n % len(_KINDS)]}{n}" for n in range(widgets)]
        self._queries = [f"get_rows_{n}" for n in range(queries)]
        self._scripts = [f"Helper{n}" for n in range(scripts)]
        self._functions: dict[str, list[str]] = {name: [] for name in self._scripts}
        for number, script in enumerate(islice(cycle(self._scripts), functions)):
            self._functions[script].append(f"work_on_{number}")

    def files(self, without_text: int) -> dict[str, bytes]:
        at = f"pages/{self.name}"
        layout = {"dsl": {"widgetName": "MainContainer", "widgetId": "0", "type": "CANVAS_WIDGET"}}
        page = {"unpublishedPage": {"name": self.name, "slug": "x", "layouts": [layout]}}
        files = {f"{at}/{self.name}.json": _json(page)}
        for number, name in enumerate(self._widgets):
            files[f"{at}/widgets/{name}.json"] = _json(self._widget(number, name))
        for number, name in enumerate(self._queries):
            folder, text = f"{at}/queries/{name}", self._statement(number)
            files[f"{folder}/metadata.json"] = _json(self._query(name, text))
            if number >= without_text:
                files[f"{folder}/{name}.txt"] = text.encode()
        for number, name in enumerate(self._scripts):
            folder = f"{at}/jsobjects/{name}"
            value = {"id": f"{self.name}_{name}", "unpublishedCollection": {"name": name}}
            files[f"{folder}/metadata.json"] = _json(value)
            files[f"{folder}/{name}.js"] = self._script(number, name).encode()
            for function in self._functions[name]:
                path = f"{at}/queries/{name}-{function}/metadata.json"
                files[path] = _json(self._function(name, function))
        return files

    def _widget(self, number: int, name: str) -> Json:
        """Three expressions, most of them on the page's first widget."""
        first, near = self._widgets[0], self._widgets[number - 1]
        query = self._queries[number % len(self._queries)] if self._queries else near
        value: Json = {
            "widgetName": name,
            "widgetId": f"{self.name}{number}",
            "type": f"{_KINDS[number % len(_KINDS)].upper()}_WIDGET",
            "parentId": "0",
            "text": f"{{{{ {query}.data[0]?.title || {near}.text + 'of {first}' }}}}",
            "isVisible": f"{{{{ {first}.selectedRow.id > 0 && {first}.isVisible }}}}",
            "dynamicBindingPathList": [{"key": "text"}, {"key": "isVisible"}],
            "dynamicTriggerPathList": [],
        }
        if self._scripts:
            script = self._scripts[number % len(self._scripts)]
            called = (self._functions[script] or ["run"])[0]
            value["onClick"] = f"{{{{ {script}.{called}().then(() => {query}.run()) }}}}"
            value["dynamicTriggerPathList"] = [{"key": "onClick"}]
        styles = {f"style{n}": f"var(--theme-color-{n})" for n in range(50)}
        rest = WIDGET_BYTES - len(_json(value))
        while len(_json(styles)) > rest:
            styles.popitem()
        return value | styles

    def _statement(self, number: int) -> str:
        first = self._widgets[0] if self._widgets else self._queries[0]
        near = self._widgets[number % len(self._widgets)] if self._widgets else first
        return (
            "SELECT id, title, amount, changed_at FROM recipe_lines\n"
            f"WHERE recipe = {{{{ {first}.selectedRow.id }}}} AND kind = {{{{ {near}.text }}}}\n"
            f"ORDER BY {{{{ {first}.sortOrder.column || 'id' }}}} LIMIT 100 OFFSET "
            f"{{{{ ({first}.pageNo - 1) * {first}.pageSize }}}}"
        )

    def _query(self, name: str, text: str) -> Json:
        keys = [part.partition("}}")[0] for part in text.split("{{")[1:]]
        rest = {f"setting{n}": {"value": n, "viewType": "component"} for n in range(12)}
        return {
            "id": f"{self.name}_{name}",
            "pluginType": "DB",
            "unpublishedAction": {
                "name": name,
                "pageId": self.name,
                "datasource": {"name": "Recipes"},
                "actionConfiguration": {"body": text, "formData": rest},
                "dynamicBindingPathList": [{"key": "body"}],
                "jsonPathKeys": keys,
            },
        }

    def _script(self, number: int, name: str) -> str:
        bodies = ",\n".join(
            self._function_text(number + n, function)
            for n, function in enumerate(self._functions[name])
        )
        return f"export default {{\n\tkept: [],\n{bodies}\n}}\n"

    def _function_text(self, number: int, function: str) -> str:
        """Lines by turns: what there is on the page, locals, a platform's function, old code."""
        named = [*self._widgets[:1], *self._widgets[number % 7 :: 7], *self._queries] or ["x"]
        lines = []
        for n in range(SCRIPT_LINES):
            one = named[(number + n) % len(named)]
            turn = (
                f"const row{n} = rows.find(row => row.id === {one}.value);",
                f"// console.log('before', {one}.value, rows.map(row => row.amount * {n}));",
                f"await showAlert('There is a line too many, or the amount is wrong: {one}');",
                f"// if ({one}.isVisible) {{ rows = rows.filter(row => row.amount < {n}); }}",
                "rows.push({title: 'a title', text: 'of more or less the usual length'});",
                "",
            )
            lines.append(f"\t\t{turn[n % len(turn)]}")
        return (
            f"\t{function}: async (rows = []) => {{\n"
            + "\n".join(lines)
            + "\n\t\treturn rows;\n\t}"
        )

    def _function(self, script: str, function: str) -> Json:
        return {
            "gitSyncId": "63b8a33d0a25183069490caf_63b8a6300a25183069490e8c",
            "id": f"{self.name}_{script}.{function}",
            "pluginId": "js-plugin",
            "pluginType": "JS",
            "unpublishedAction": {
                "actionConfiguration": {"isAsync": False, "jsArguments": []},
                "collectionId": f"{self.name}_{script}",
                "confirmBeforeExecute": False,
                "datasource": {"isAutoGenerated": False, "name": "UNUSED_DATASOURCE"},
                "dynamicBindingPathList": [{"key": "body"}],
                "fullyQualifiedName": f"{script}.{function}",
                "name": function,
                "pageId": self.name,
            },
        }


_KINDS = ("Table", "Text", "Input", "Button", "Select", "Container", "Icon")


def _json(value: Json) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
