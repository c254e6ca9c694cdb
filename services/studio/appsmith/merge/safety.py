"""What keeps a merge from making a broken document of two whole ones."""

import json
from collections import Counter
from collections.abc import Iterable

from services.studio.appsmith.edit_rules import DEPTH_MAX
from services.studio.appsmith.entities import NAMED, Kind, Object, load_object, text
from services.studio.appsmith.refusals import ImportRefused
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import exact_json
from services.studio.appsmith.widgets import own_ids


class Unfit(Exception):
    """Two sides, each whole, do not make one whole."""


def exact(content: bytes) -> Object | None:
    """A JSON object that can be merged and written again; None when it can't: too deep, or with
    numbers that no exact value stands for."""
    try:
        value = exact_json(content)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, ValueError):
        return None
    return value if isinstance(value, dict) and _shallow(value) else None


def check(merged: Section, *sides: Section) -> None:
    """Raise Unfit when a merged section is broken in a way that no side was."""
    try:
        found = faults(merged)
    except ImportRefused as refusal:
        raise Unfit(str(refusal)) from None
    for side in sides:
        found -= faults(side)
    if found:
        raise Unfit(min(found))


def faults(section: Section) -> set[str]:
    """What is odd in a section: twins of a name or id, strays, rings, functions of no script."""
    names = Counter(e.name for e in section.entities if e.kind in NAMED)
    found = {f"two are called {name}" for name, n in names.items() if n > 1}
    for one in section.entities:
        if one.kind is Kind.SCRIPT_FUNCTION and not one.parent_id:
            found.add(f"{one.name} belongs to no script")
    found |= {f"{name} is inside of itself" for name in _in_rings(section)}
    return found | (_stray_files(section) if not section.has_trees else set())


def strays(section: Section) -> dict[str, str]:
    """Format 5: widgets, by id, whose `parentId` nothing in the page has."""
    ids, parents = _ids(section)
    known = set(ids)
    return {one: parent for one, parent in parents.items() if parent and parent not in known}


def _stray_files(section: Section) -> set[str]:
    ids, _ = _ids(section)
    twins = {f"two have the id {i}" for i, n in Counter(ids).items() if n > 1}
    return twins | {
        f"{one} is inside of {outer!r}, which is gone" for one, outer in strays(section).items()
    }


def _ids(section: Section) -> tuple[list[str], dict[str, str]]:
    """The ids of all widgets and canvases, and the `parentId` of each widget."""
    ids: list[str] = []
    parents: dict[str, str] = {}
    for one in section.entities:
        if one.kind is Kind.WIDGET:
            value = load_object(one.path, section.files[one.path])
            ids += own_ids(value)
            parents[one.entity_id] = text(value.get("parentId"))
        elif one.kind is Kind.PAGE:
            ids += _root_ids(load_object(one.path, section.files[one.path]))
    return ids, parents


def _root_ids(page: Object) -> Iterable[str]:
    inner = page.get("unpublishedPage")
    layouts = inner.get("layouts") if isinstance(inner, dict) else None
    for layout in layouts if isinstance(layouts, list) else []:
        dsl = layout.get("dsl") if isinstance(layout, dict) else None
        if isinstance(dsl, dict):
            yield from own_ids(dsl)


def _in_rings(section: Section) -> set[str]:
    """Names of widgets that are inside of themselves."""
    found: set[str] = set()
    grounded = {""}
    for start in section.entities:
        at, way = start.entity_id, list[str]()
        seen = set[str]()
        while at not in grounded and at not in seen:
            seen.add(at)
            way.append(at)
            outer = section.by_id.get(at)
            at = outer.parent_id if outer else ""
        if at in seen:
            found |= {section.by_id[one].name for one in way[way.index(at) :]}
        grounded |= seen
    return found


def _shallow(value: object) -> bool:
    pending = [(value, 1)]
    while pending:
        inner, depth = pending.pop()
        if depth > DEPTH_MAX:
            return False
        if isinstance(inner, dict):
            pending += [(x, depth + 1) for x in inner.values()]
        elif isinstance(inner, list):
            pending += [(x, depth + 1) for x in inner]
    return True
