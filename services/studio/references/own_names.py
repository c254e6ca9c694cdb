"""Where an entity's own name stands outside of code: its name fields, ids made of it, its files."""

import re
from collections.abc import Iterator

from services.studio.appsmith import Entity, Kind, Section
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import part
from services.studio.appsmith.sources import exact_json
from services.studio.references.splice import Splice, Spot

_LISTS = ("dynamicBindingPathList", "dynamicTriggerPathList", "dynamicPropertyPathList")
_ENDINGS = (".json", ".txt", ".js")

Found = tuple[str, str, Spot, Splice]  # entity id, file, string in it, what to change


def node_paths(section: Section) -> dict[str, Path]:
    """Where each widget of a page's tree is in its file, by entity id; empty without trees."""
    found: dict[str, Path] = {}
    if not section.has_trees:
        return found
    ids: dict[str, list[str]] = {}
    for entity in section.entities:
        if entity.kind is Kind.WIDGET:
            ids.setdefault(entity.path, []).append(entity.entity_id)
    for path, entity_ids in ids.items():
        value = exact_json(section.files[path])
        places = list(_tree_paths(value))
        found |= dict(zip(entity_ids, places, strict=True))
    return found


def _tree_paths(value: dict[str, object]) -> Iterator[Path]:
    """In the order of canvas.canvas_nodes: parents first."""
    layouts = part(value, "unpublishedPage").get("layouts")
    for place, layout in enumerate(layouts if isinstance(layouts, list) else []):
        if not isinstance(layout, dict):
            continue
        start: Path = ("unpublishedPage", "layouts", place, "dsl")
        pending: list[tuple[object, Path]] = [(layout.get("dsl"), start)]
        while pending:
            node, path = pending.pop()
            if not isinstance(node, dict):
                continue
            yield path
            children = node.get("children")
            if isinstance(children, list):
                pending += [
                    (child, (*path, "children", n))
                    for n, child in reversed(list(enumerate(children)))
                ]


def path_keys(value: object) -> Iterator[tuple[Path, str]]:
    """The texts of all lists called `jsonPathKeys`, which are expressions without braces."""
    pending: list[tuple[Path, object]] = [((), value)]
    while pending:
        path, inner = pending.pop()
        if isinstance(inner, dict):
            pending += [((*path, key), one) for key, one in inner.items()]
        elif isinstance(inner, list):
            if path[-1:] == ("jsonPathKeys",):
                yield from (
                    ((*path, n), one) for n, one in enumerate(inner) if isinstance(one, str)
                )
            pending += [((*path, n), one) for n, one in enumerate(inner)]


def own_spots(
    section: Section, entity: Entity, new: str, prefixes: dict[str, Path]
) -> Iterator[Found]:
    """The strings that are, or are made of, the entity's name."""
    if entity.kind is Kind.WIDGET:
        yield from _of_widget(section, entity, new, prefixes)
        return
    yield from _of_action(section, entity, entity.name, new)
    if entity.kind is Kind.SCRIPT:
        for one in section.entities:
            if one.parent_id == entity.entity_id:
                yield from _of_action(section, one, entity.name, new)
    for one in section.entities:
        if one.kind is Kind.PAGE:
            yield from _on_load(section, one, entity, new)


def _of_widget(
    section: Section, entity: Entity, new: str, prefixes: dict[str, Path]
) -> Iterator[Found]:
    old = entity.name
    documents = {
        path: exact_json(section.files[path])
        for path in sorted({e.path for e in section.entities if e.kind is Kind.WIDGET})
    }
    start = prefixes.get(entity.entity_id, ())
    if part_at(documents[entity.path], start).get("widgetName") == old:
        spot = Spot((*start, "widgetName"))
        yield entity.entity_id, entity.path, spot, Splice(0, len(old), new)
    for one in section.entities:  # a list keeps the names of the widgets that it repeats
        if one.kind is not Kind.WIDGET:
            continue
        start = prefixes.get(one.entity_id, ())
        value = part_at(documents[one.path], start)
        if old in part(value, "template"):
            spot = Spot((*start, "template", old), is_key=True)
            yield one.entity_id, one.path, spot, Splice(0, len(old), new)
        for name in _LISTS:
            listed = value.get(name)
            for n, entry in enumerate(listed if isinstance(listed, list) else []):
                key = entry.get("key") if isinstance(entry, dict) else None
                if isinstance(key, str) and key.startswith(f"template.{old}."):
                    spot = Spot((*start, name, n, "key"))
                    at = len("template.")
                    yield one.entity_id, one.path, spot, Splice(at, at + len(old), new)


def part_at(value: dict[str, object], path: Path) -> dict[str, object]:
    """The object at a path; an empty one when something else is there."""
    here: object = value
    for key in path:
        if isinstance(here, dict):
            here = here.get(str(key))
        else:
            here = here[int(key)] if isinstance(here, list) else None
    return here if isinstance(here, dict) else {}


def _of_action(section: Section, one: Entity, old: str, new: str) -> Iterator[Found]:
    """A query, a script or a function of a script: `old` is its name, or its script's."""
    value = exact_json(section.files[one.path])
    inner = "unpublishedCollection" if one.kind is Kind.SCRIPT else "unpublishedAction"
    told = part(value, inner)
    if one.kind is not Kind.SCRIPT_FUNCTION and told.get("name") == old:
        yield one.entity_id, one.path, Spot((inner, "name")), Splice(0, len(old), new)
    full = told.get("fullyQualifiedName")
    if isinstance(full, str) and re.match(rf"{re.escape(old)}(?=\.|$)", full):
        spot = Spot((inner, "fullyQualifiedName"))
        yield one.entity_id, one.path, spot, Splice(0, len(old), new)
    for path, text in (
        (("id",), value.get("id")),
        ((inner, "collectionId"), told.get("collectionId")),
    ):
        if (at := _in_id(section, text, old)) >= 0:
            yield one.entity_id, one.path, Spot(path), Splice(at, at + len(old), new)


def _on_load(section: Section, page: Entity, entity: Entity, new: str) -> Iterator[Found]:
    """What runs when the page opens is listed with the page."""
    old = entity.name
    value = exact_json(section.files[page.path])
    layouts = part(value, "unpublishedPage").get("layouts")
    for n, layout in enumerate(layouts if isinstance(layouts, list) else []):
        rounds = layout.get("layoutOnLoadActions") if isinstance(layout, dict) else None
        for m, actions in enumerate(rounds if isinstance(rounds, list) else []):
            for k, action in enumerate(actions if isinstance(actions, list) else []):
                if not isinstance(action, dict):
                    continue
                way: Path = ("unpublishedPage", "layouts", n, "layoutOnLoadActions", m, k)
                name = action.get("name")
                if isinstance(name, str) and re.match(rf"{re.escape(old)}(?=\.|$)", name):
                    spot = Spot((*way, "name"))
                    yield page.entity_id, page.path, spot, Splice(0, len(old), new)
                for key in ("id", "collectionId"):
                    if (at := _in_id(section, action.get(key), old)) >= 0:
                        splice = Splice(at, at + len(old), new)
                        yield page.entity_id, page.path, Spot((*way, key)), splice


def _in_id(section: Section, text: object, old: str) -> int:
    """Where the name begins in `Page_Name` or `Page_Script.function`; -1 when it is no such id."""
    start = f"{section.page}_"
    if isinstance(text, str) and re.match(rf"{re.escape(start + old)}(?=\.|$)", text):
        return len(start)
    return -1


def moved_paths(section: Section, entity: Entity, new: str) -> dict[str, str]:
    """Files that have the name in theirs, with what they are to be called."""
    if entity.kind is Kind.WIDGET:
        moved = _widget_paths(section, entity, new)
    else:
        moved = {path: _with_parts(path, entity.name, new, 3) for path in entity.paths}
        for one in section.entities:
            if entity.kind is Kind.SCRIPT and one.parent_id == entity.entity_id:
                for path in one.paths:
                    moved[path] = _with_start(path, entity.name, new)
    return {path: there for path, there in moved.items() if there != path}


def _widget_paths(section: Section, entity: Entity, new: str) -> dict[str, str]:
    """Its own file, and when it has a folder of its own, all that is in there."""
    if section.has_trees:
        return {}
    folder, _, file = entity.path.rpartition("/")
    if file != f"{entity.name}.json":
        return {}
    moved = {entity.path: f"{folder}/{new}.json"}
    outer, _, last = folder.rpartition("/")
    if last == entity.name and outer.count("/") >= 2:
        for path in section.files:
            if path.startswith(folder + "/"):
                inside = moved.get(path, path)
                moved[path] = f"{outer}/{new}/{inside.removeprefix(folder + '/')}"
    return moved


def _with_parts(path: str, old: str, new: str, first: int) -> str:
    """Parts of a path from `first` on that are the name, with or without an ending."""
    parts = path.split("/")
    endings = ("", *_ENDINGS)
    for n in range(first, len(parts)):
        for ending in endings:
            if parts[n] == old + ending:
                parts[n] = new + ending
                break
    return "/".join(parts)


def _with_start(path: str, old: str, new: str) -> str:
    """`Script-function` as folder and file of a function."""
    return re.sub(rf"(?<=/){re.escape(old)}(?=-)", lambda _: new, path)
