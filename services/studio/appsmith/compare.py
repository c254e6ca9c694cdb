"""Compare two revisions by entity and property path; texts of queries and scripts by lines.

JSON is compared exactly: 1, 1.0 and true differ, lists go by index. A path is the keys and indices
that lead to a value (`path_text` writes it as `primaryColumns.status.computedValue`); the empty
path is the whole. In format 4 a page's path `children.<widget>` holds the order of the widgets
inside one: its tree belongs to the page, each node's own properties to the widget.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from services.studio.appsmith.canvas import canvas_nodes, own_value, without_trees
from services.studio.appsmith.entities import Entity, Kind, Object
from services.studio.appsmith.lines import Hunk, hunks
from services.studio.appsmith.manifest import Change, Difference
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import Source, exact_json, read_source

CHANGES_MAX = 500
"""Changes and hunks that are listed for one entity."""

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*")


class _Missing:
    """Stands where there is no value: null is one."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class _Pair(NamedTuple):
    """What two values have under a key."""

    key: str | int
    was: object
    now: object


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """What became of the value at a path. MISSING on the side that has none."""

    path: Path
    before: object
    after: object

    @property
    def change(self) -> Change:
        if self.before is MISSING:
            return Change.ADDED
        return Change.REMOVED if self.after is MISSING else Change.CHANGED


@dataclass(frozen=True, slots=True)
class Detail:
    """How an entity differs. `more`: there are more changes than are listed. `unlisted`: why
    nothing is listed though the bytes differ (`layout`: the same JSON, written otherwise;
    `binary`: no text; `place`: only what it is inside of, or its path, is another), or empty."""

    properties: tuple[PropertyChange, ...] = ()
    hunks: tuple[Hunk, ...] = ()
    more: bool = False
    unlisted: str = ""


def details(
    differences: Iterable[Difference],
    before: Mapping[str, Section],
    after: Mapping[str, Section],
    changes_max: int = CHANGES_MAX,
) -> Iterator[tuple[Difference, Detail]]:
    """How each of the entities differs; the sections are those that hold them."""
    found = list(differences)
    old = sources(before, [one.before for one in found if one.before])
    new = sources(after, [one.after for one in found if one.after])
    for one in found:
        was = old[one.before.entity_id] if one.before else None
        now = new[one.after.entity_id] if one.after else None
        detail = _detail(was, now, changes_max)
        if detail.unlisted and one.before and one.after and one.before.digest == one.after.digest:
            detail = Detail(unlisted="place")
        yield one, detail


def sources(sections: Mapping[str, Section], entities: Iterable[Entity]) -> dict[str, Source]:
    """The sources of entities by id. A page's tree is read once for all widgets in it."""
    found: dict[str, Source] = {}
    trees: dict[str, dict[str, Object]] = {}
    for entity in entities:
        section = sections[entity.section]
        tree = section.has_trees and entity.kind in (Kind.WIDGET, Kind.PAGE)
        if not tree:
            found[entity.entity_id] = _source(section, entity)
            continue
        if entity.path not in trees:
            trees[entity.path] = _tree(section.files[entity.path], entity)
        value = trees[entity.path].get(entity.entity_id)
        found[entity.entity_id] = _source(section, entity) if value is None else Source(value, None)
    return found


def json_changes(before: object, after: object) -> Iterator[PropertyChange]:
    """What to change in the one JSON value to make it the other, in order of path."""
    way: list[str | int] = []
    within = [iter([_Pair("", before, after)])]
    while within:
        for key, was, now in within[-1]:
            inner = _pairs(was, now)
            if inner is not None:
                way.append(key)
                within.append(inner)
                break
            if not _same_scalar(was, now):
                yield PropertyChange((*way[1:], key) if way else (), was, now)
        else:
            within.pop()
            del way[-1:]


def _pairs(was: object, now: object) -> Iterator[_Pair] | None:
    """What is in both values, by key; None where they are to be compared as they are. One after
    another: a million values may be a thousand levels deep."""
    if isinstance(was, dict) and isinstance(now, dict):
        keys = sorted(was.keys() | now.keys())
        return (_Pair(key, was.get(key, MISSING), now.get(key, MISSING)) for key in keys)
    if isinstance(was, list) and isinstance(now, list):
        return (_Pair(i, _item(was, i), _item(now, i)) for i in range(max(len(was), len(now))))
    return None


def path_text(path: Path) -> str:
    """A path as people write it.

    >>> path_text(("columns", 3, "a.b", "value"))
    'columns[3]["a.b"].value'
    """
    shown = ""
    for key in path:
        if isinstance(key, int):
            shown += f"[{key}]"
        elif _PLAIN.fullmatch(key):
            shown += f".{key}" if shown else key
        else:
            shown += f"[{json.dumps(key, ensure_ascii=False)}]"
    return shown


def _detail(was: Source | None, now: Source | None, changes_max: int) -> Detail:
    properties = json_changes(_value(was), _value(now))
    lines = _text_hunks(was, now)
    listed = list(islice(properties, changes_max + 1))
    shown = list(islice(lines, changes_max + 1))
    unlisted = ""
    if not listed and not shown:
        unlisted = "layout" if (now or was or Source(None, None)).value is not None else "binary"
    more = len(listed) > changes_max or len(shown) > changes_max
    return Detail(tuple(listed[:changes_max]), tuple(shown[:changes_max]), more, unlisted)


def _text_hunks(was: Source | None, now: Source | None) -> Iterator[Hunk]:
    before, after = was.text if was else None, now.text if now else None
    return hunks(before or "", after or "")


def _value(source: Source | None) -> object:
    return MISSING if source is None or source.value is None else source.value


def _source(section: Section, entity: Entity) -> Source:
    """JSON that can't be made exact values (too deep, a number of thousands of digits) is text."""
    try:
        return read_source(section, entity)
    except (RecursionError, ValueError):
        return Source(None, section.files[entity.path].decode("utf-8", "replace"))


def _tree(content: bytes, page: Entity) -> dict[str, Object]:
    """The page's own JSON, and each node's, by entity id; nothing when it can't be exact."""
    try:
        value = exact_json(content)
    except (RecursionError, ValueError):
        return {}
    own: dict[str, Object] = {}
    inside: dict[str, list[str]] = {}
    for node in canvas_nodes(page.path, value):
        own[node.entity_id] = own_value(node.value)
        if node.parent_id:
            inside.setdefault(_short(node.parent_id), []).append(_short(node.entity_id))
    order = {around: tuple(ids) for around, ids in inside.items()}  # a tuple is one value
    whole: Object = {"children": order, **without_trees(value)}
    return {f"{Kind.PAGE}:{page.path.rpartition('/')[0]}": whole, **own}


def _short(entity_id: str) -> str:
    return entity_id.rpartition("#")[2]


def _item(values: list[object], index: int) -> object:
    return values[index] if index < len(values) else MISSING


def _same_scalar(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    return repr(one) == repr(other) if isinstance(one, float) else one == other
