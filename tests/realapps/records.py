"""What Appsmith itself wrote down about an app's bindings, read without the product's own graph.

Paths are texts with dots, from the root of an entity's JSON: `a[0].b` in a list is `a.0.b` here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.studio.appsmith import Entity, Kind, Section
from services.studio.appsmith.canvas import canvas_nodes, own_value, without_trees
from services.studio.appsmith.sources import Source, exact_json, read_source

DATA_LIST, TRIGGER_LIST = "dynamicBindingPathList", "dynamicTriggerPathList"
ACTION = "unpublishedAction"
CONFIGURATION = f"{ACTION}.actionConfiguration"
DATASOURCE_URL = f"{ACTION}.datasource.datasourceConfiguration.url"
BODY = f"{CONFIGURATION}.body"

Json = dict[str, Any]  # a document as strangers wrote it


@dataclass(frozen=True, slots=True)
class Records:
    """The paths that an entity's lists name, and the expressions that a query's list names; None
    where there is no such list."""

    data: frozenset[str]
    triggers: frozenset[str]
    expressions: tuple[str, ...] | None

    @property
    def bound(self) -> frozenset[str]:
        return self.data | self.triggers


def records_of(value: Mapping[str, Any]) -> Records:
    """The records in an entity's JSON, those of the canvases and templates inside included."""
    data, triggers = set(), set()
    for at, holder in _holders(value):
        data |= set(_paths(at, holder.get(DATA_LIST)))
        triggers |= set(_paths(at, holder.get(TRIGGER_LIST)))
    action = value.get(ACTION)
    keys = action.get("jsonPathKeys") if isinstance(action, dict) else None
    expressions = tuple(str(key) for key in keys) if isinstance(keys, list) else None
    return Records(frozenset(data), frozenset(triggers), expressions)


def normal(path: str) -> str:
    """A path as lists name it, with dots alone.

    >>> normal("headers[0].value"), normal("['a b'].c")
    ('headers.0.value', 'a b.c')
    """
    return re.sub(r"""\[(?:(["'])(.*?)\1|(\d+))\]""", r".\2\3", path).removeprefix(".")


def leaves(value: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string of a document and the keys that lead to it."""
    pending: list[tuple[tuple[str, ...], object]] = [((), value)]
    while pending:
        keys, inner = pending.pop()
        if isinstance(inner, str):
            yield keys, inner
        elif isinstance(inner, dict | list):
            pairs = inner.items() if isinstance(inner, dict) else enumerate(inner)
            pending.extend(((*keys, str(key)), one) for key, one in pairs)


def values_at(value: object, path: str) -> list[object]:
    """What stands at a path; keys may hold dots themselves, so that there may be several.

    >>> values_at({"a.b": {"c": 1}, "a": [2]}, "a.b.c"), values_at({"a": [2]}, "a.0")
    ([1], [2])
    """
    if not path:
        return [value]
    found: list[object] = []
    parts = path.split(".")
    for count in range(1, len(parts) + 1):
        key, rest = ".".join(parts[:count]), ".".join(parts[count:])
        if isinstance(value, dict) and key in value:
            found += values_at(value[key], rest)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            found += values_at(value[int(key)], rest)
    return found


def sources_of(section: Section) -> Iterator[tuple[Entity, Source]]:
    """Each entity of a section with its own JSON; a tree in one file is read once."""
    trees: dict[str, Json] = {}
    for entity in section.entities:
        if section.has_trees and entity.kind in (Kind.PAGE, Kind.WIDGET):
            if entity.path not in trees:
                trees[entity.path] = _tree(section, entity.path)
            yield entity, Source(trees[entity.path][entity.entity_id], None)
        else:
            yield entity, read_source(section, entity)


def _tree(section: Section, path: str) -> Json:
    document = exact_json(section.files[path])
    nodes = {node.entity_id: own_value(node.value) for node in canvas_nodes(path, document)}
    pages = (one for one in section.entities if one.kind is Kind.PAGE and one.path == path)
    return nodes | {page.entity_id: without_trees(document) for page in pages}


def _holders(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object inside that has lists of its own, and the path to it."""
    pending: list[tuple[str, object]] = [("", value)]
    while pending:
        at, inner = pending.pop()
        if isinstance(inner, dict):
            if DATA_LIST in inner or TRIGGER_LIST in inner:
                yield at, inner
            pending.extend((f"{at}.{key}" if at else key, one) for key, one in inner.items())
        elif isinstance(inner, list):
            pending.extend((f"{at}.{n}" if at else str(n), one) for n, one in enumerate(inner))


def _paths(at: str, listed: object) -> Iterator[str]:
    keys: Sequence[object] = listed if isinstance(listed, list) else ()
    for one in keys:
        key = one.get("key") if isinstance(one, dict) else one
        if not isinstance(key, str):
            continue
        if at != ACTION:
            yield f"{at}.{normal(key)}" if at else normal(key)
        elif key == "datasourceUrl":
            yield DATASOURCE_URL
        else:
            yield f"{CONFIGURATION}.{normal(key)}"
