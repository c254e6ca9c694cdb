"""Plans of apps: what is on which page, and what its code uses, before it is any file.

`names` of a page are the names by key; a plan written with another name for a key is the app as it
must be after that rename.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.services.studio.generated.codes import (
    OTHERS_MAX,
    Ref,
    Referent,
    Text,
    data,
    expression,
    in_braces,
    mixed,
    trigger,
)

Json = dict[str, Any]  # JSON of a foreign format, with texts in it that are not written yet

PAGES = ("Home", "Other page", "Été 变")
NAMES = (
    *("Table1", "Table11", "Input1", "Box", "List1", "Query1", "Query1a", "fetch_All", "Utils"),
    *("$d", "_x", "é", "Zoë", "变量", "𠮷", "async1", "ofX", "getX", "Ünï_1"),
)
NOBODY = ("Nobody", "nirgends")
FUNCTIONS = ("load", "save", "été")


@dataclass(frozen=True, slots=True)
class Bound:
    """A text of an entity's JSON. `code`: there may be code in it, and so references."""

    text: Text
    trigger: bool = False
    code: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """A JSON object whose keys are the names of entities."""

    of: dict[str, Json]


@dataclass
class Widget:
    key: str
    parent: str  # another widget's key; empty for the page's canvas
    holds: bool
    own: Json


@dataclass
class Query:
    key: str
    plugin: str
    body: Text
    in_metadata: bool
    own: Json
    path_keys: list[Text]


@dataclass
class Script:
    key: str
    members: dict[str, Text]
    bodies: dict[str, Text]  # of functions that have a text of their own


@dataclass
class Page:
    folder: str
    names: dict[str, str] = field(default_factory=dict)
    widgets: list[Widget] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    on_load: list[list[Json]] = field(default_factory=list)


@dataclass
class Plan:
    version: int
    indent: int | None
    pages: list[Page]


def a_plan(seed: int, version: int, size: int = 5) -> Plan:
    """The same for the same seed. `size`: about how many there are of each kind on a page."""
    dice = Random(f"{seed}/{version}")
    folders = dice.sample(PAGES, dice.randint(1, 3))
    return Plan(version, dice.choice((2, 2, 4, None)), [_page(dice, x, size) for x in folders])


def _page(dice: Random, folder: str, size: int) -> Page:
    page = Page(folder)
    taken = dice.sample(NAMES, min(len(NAMES) - 2, dice.randint(5, 3 * size)))
    kinds = ["w", "w", "q", "s", *(dice.choice("wwqs") for _ in taken[4:])]
    for number, (name, kind) in enumerate(zip(taken, kinds, strict=True)):
        page.names[f"{kind}{number}"] = name
    referents = [_referent(dice, key, name) for key, name in page.names.items()]
    referents += [_referent(dice, "", name) for name in (*NOBODY, *NAMES) if name not in taken]
    usual = referents[: len(taken)] * 4 + referents[len(taken) : len(taken) + OTHERS_MAX]
    for key in page.names:
        if key[0] == "w":
            page.widgets.append(_widget(dice, page, key, usual))
        elif key[0] == "q":
            page.queries.append(_query(dice, key, usual))
        else:
            page.scripts.append(_script(dice, key, usual))
    _repeat(dice, page)
    page.on_load = list(_on_load(dice, page, usual))
    return page


def _referent(dice: Random, key: str, name: str) -> Referent:
    chains = {
        "w": (("text",), ("selectedRow", "id"), ("model", "a b"), ("rows", "0", "é")),
        "q": (("data",), ("run",), ("data", "0", "id"), ("isLoading",)),
        "s": tuple((function,) for function in (*FUNCTIONS, "rows")),
    }
    return Referent(key, name, chains.get(key[:1], (("data",), ("x", "y"))))


def _widget(dice: Random, page: Page, key: str, names: list[Referent]) -> Widget:
    holders = ["", "", *(one.key for one in page.widgets if one.holds)]
    kind = dice.choice(("TEXT_WIDGET", "TABLE_WIDGET_V2", "CONTAINER_WIDGET", "BUTTON_WIDGET"))
    own: Json = {"type": kind, "text": Bound(mixed(dice, names)), "label": dice.choice(names).name}
    own["tooltip"] = Bound(in_braces(dice, data(dice, names)))
    own["onClick"] = Bound(in_braces(dice, trigger(dice, names)), trigger=True)
    if kind.startswith("TABLE"):
        own |= _table(dice, Ref(key, page.names[key], ("processedTableData", "map")), names)
    if dice.random() < 0.3:
        code = in_braces(dice, trigger(dice, names))
        own |= {"events": {"close": Bound(code, trigger=True)}}
        own["dynamicTriggerPathList"] = [{"key": "onClick"}, {"key": "events.close"}]
    own["dynamicBindingPathList"] = [{"key": "text"}, {"key": "tooltip"}]
    return Widget(key, dice.choice(holders), kind.startswith("CONTAINER"), own)


def _table(dice: Random, own: Ref, names: list[Referent]) -> Json:
    """Columns; their values go through the table's own rows."""
    columns = {}
    for column in ("id", dice.choice(names).name):
        inner = expression(dice, names, frozenset(("currentRow", "currentIndex")))
        rows = (own, ".processedTableData.map((currentRow, currentIndex) => ( ", *inner, "))")
        columns[column] = {
            "id": column,
            "computedValue": Bound(("{{", *rows, "}}")),
            "onClick": Bound(("{{", *trigger(dice, names), "}}"), trigger=True),
        }
    return {"primaryColumns": columns, "columnOrder": list(columns)}


def _query(dice: Random, key: str, names: list[Referent]) -> Query:
    plugin = dice.choice(("postgres-plugin", "restapi-plugin", "mongo-plugin"))
    codes = [data(dice, names) for _ in range(dice.randint(0, 3))]
    body: list[str | Ref] = ["SELECT * FROM ", dice.choice(names).name]
    for code in codes:
        body += [" WHERE x = ", *in_braces(dice, code)]
    own: Json = {"timeoutInMillisecond": 10_000}
    if plugin == "restapi-plugin":
        own["path"] = Bound(("/", *mixed(dice, names)))
        own["headers"] = [{"key": "X", "value": Bound(in_braces(dice, data(dice, names)))}]
    if plugin == "mongo-plugin":
        form = {"command": {"data": "FIND"}, "query": {"data": Bound(mixed(dice, names))}}
        own["formData"] = form
    return Query(key, plugin, tuple(body), dice.random() < 0.7, own, codes)


def _script(dice: Random, key: str, names: list[Referent]) -> Script:
    functions = dice.sample(FUNCTIONS, dice.randint(1, len(FUNCTIONS)))
    members: dict[str, Text] = {"rows": ("rows: [", *expression(dice, names), "]")}
    bodies: dict[str, Text] = {}
    for name in functions:
        code = expression(dice, names)
        shapes: tuple[Text, ...] = (
            (f"{name}: async () => {{\n\t\tawait ", *code, ";\n\t}"),
            (f"{name}(x) {{ // {dice.choice(names).name}\n\t\treturn x + ", *code, ";\n\t}"),
            (f"{name}: function () {{ this.rows; return ", *code, " }"),
        )
        members[name] = dice.choice(shapes)
        bodies[name] = ("() => {\n\t\treturn ", *code, "\n\t}")
    return Script(key, members, bodies)


def _repeat(dice: Random, page: Page) -> None:
    """A list keeps copies of the widgets that it repeats, under their names."""
    inner = [one for one in page.widgets if not one.holds][1:3]
    lists = [one for one in page.widgets if not one.holds][:1]
    for one in lists if inner and dice.random() < 0.6 else ():
        one.own["type"] = "LIST_WIDGET"
        copies = {each.key: {"text": each.own["text"], "isVisible": True} for each in inner}
        one.own["template"] = Named(copies)
        listed = one.own["dynamicBindingPathList"]
        for each in inner:
            name = Ref(each.key, page.names[each.key], plain=True)
            listed.append({"key": Bound(("template.", name, ".text"), code=False)})


def _on_load(dice: Random, page: Page, names: list[Referent]) -> Iterator[list[Json]]:
    for query in page.queries[:2]:
        name = Ref(query.key, page.names[query.key], plain=True)
        keys = [Bound(data(dice, names), code=False)]
        made = Bound((page.folder, "_", name), code=False)
        yield [{"id": made, "name": Bound((name,), code=False), "jsonPathKeys": keys}]
    for script in page.scripts[:1]:
        name = Ref(script.key, page.names[script.key], plain=True)
        function = next(one for one in script.members if one != "rows")
        own = Bound((page.folder, "_", name), code=False)
        called = Bound((name, f".{function}"), code=False)
        inside = Bound((page.folder, "_", name, f".{function}"), code=False)
        yield [{"id": inside, "name": called, "collectionId": own}]
