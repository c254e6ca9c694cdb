"""Where an entity's own name stands outside of code: its name fields, ids made of it, its files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.studio.appsmith import Entity, Kind, Section
from services.studio.appsmith.compare import Path
from services.studio.appsmith.containers import tree_ways
from services.studio.appsmith.entities import part
from services.studio.appsmith.folders import strangers_in
from services.studio.appsmith.on_load import entries_of
from services.studio.appsmith.page_files import has_own_folder
from services.studio.appsmith.sources import exact_json
from services.studio.references.bindings import PATH_KEYS, texts_in
from services.studio.references.splice import Splice, Spot

PATH_LISTS = ("dynamicBindingPathList", "dynamicTriggerPathList", "dynamicPropertyPathList")
_ENDINGS = (".json", ".txt", ".js")

Found = tuple[str, str, Spot, str, Splice]
"""Entity id, file, string in it, the old name, what to change."""


def node_paths(section: Section) -> dict[str, Path]:
    """Where each widget of a page's tree is in its file, by entity id; empty without trees."""
    found: dict[str, Path] = {}
    trees = {one.path for one in section.entities if one.kind is Kind.WIDGET}
    for path in trees if section.has_trees else ():
        found |= tree_ways(path, exact_json(section.files[path]))
    return found


def path_keys(value: object) -> Iterator[tuple[Path, str, str]]:
    """The texts of all lists called `jsonPathKeys`, which are expressions without braces, and the
    name that the object around such a list has, or an empty text."""
    for way, text in texts_in(value):
        if way[-2:-1] == [PATH_KEYS] and isinstance(way[-1], int):
            around: Any = value  # JSON as it came
            for key in way[:-2]:
                around = around[key]
            name = around.get("name")
            yield tuple(way), text, name if isinstance(name, str) else ""


def own_spots(
    section: Section, entity: Entity, new: str, prefixes: dict[str, Path], script: str = ""
) -> Iterator[Found]:
    """The strings that are, or are made of, the entity's name. `script`: the name of a function's
    script."""
    if entity.kind is Kind.WIDGET:
        yield from _of_widget(section, entity, new, prefixes)
        return
    pages = [one.name for one in section.entities if one.kind is Kind.PAGE]
    before = f"{script}." if script else ""
    own = _Own(section, (section.page, *pages), before, entity.name, new)
    yield from own.in_action(entity, renamed=True)
    for one in section.entities:
        if entity.kind is Kind.SCRIPT and one.parent_id == entity.entity_id:
            yield from own.in_action(one, renamed=False)
        elif one.kind is Kind.PAGE:
            yield from own.in_page(one)


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
        yield entity.entity_id, entity.path, spot, old, Splice(0, len(old), new)
    for one in section.entities:  # a list keeps the names of the widgets that it repeats
        if one.kind is not Kind.WIDGET:
            continue
        start = prefixes.get(one.entity_id, ())
        value = part_at(documents[one.path], start)
        if old in part(value, "template"):
            spot = Spot((*start, "template", old), is_key=True)
            yield one.entity_id, one.path, spot, old, Splice(0, len(old), new)
        if part(value, "template", old).get("widgetName") == old:
            spot = Spot((*start, "template", old, "widgetName"))
            yield one.entity_id, one.path, spot, old, Splice(0, len(old), new)
        for name in PATH_LISTS:
            listed = value.get(name)
            for n, entry in enumerate(listed if isinstance(listed, list) else []):
                key = entry.get("key") if isinstance(entry, dict) else None
                if isinstance(key, str) and key.startswith(f"template.{old}."):
                    spot = Spot((*start, name, n, "key"))
                    at = len("template.")
                    yield one.entity_id, one.path, spot, old, Splice(at, at + len(old), new)


def part_at(value: dict[str, object], path: Path) -> dict[str, object]:
    """The object at a path; an empty one when something else is there."""
    here: object = value
    for key in path:
        if isinstance(here, dict):
            here = here.get(str(key))
        else:
            here = here[int(key)] if isinstance(here, list) else None
    return here if isinstance(here, dict) else {}


@dataclass(frozen=True, slots=True)
class _Own:
    """The name of a query, a script or a function. `before`: what stands in front of it in full
    names: of a function, its script and a dot."""

    section: Section
    pages: tuple[str, ...]
    before: str
    old: str
    new: str

    def in_action(self, one: Entity, *, renamed: bool) -> Iterator[Found]:
        """In the metadata of what is `renamed`, or of a function of the script that is."""
        value = exact_json(self.section.files[one.path])
        inner = "unpublishedCollection" if one.kind is Kind.SCRIPT else "unpublishedAction"
        told = part(value, inner)
        if renamed and told.get("name") == self.old:
            yield self._spot(one, (inner, "name"), 0)
        yield from self._full(one, (inner, "fullyQualifiedName"), told)
        yield from self._id(one, ("id",), value)
        yield from self._id(one, (inner, "collectionId"), told)

    def in_page(self, page: Entity) -> Iterator[Found]:
        """What runs when the page opens is listed with the page."""
        value = exact_json(self.section.files[page.path])
        for way, action in entries_of(value):
            yield from self._full(page, (*way, "name"), action)
            for key in ("id", "collectionId"):
                yield from self._id(page, (*way, key), action)

    def _full(self, one: Entity, path: Path, holder: Mapping[str, object]) -> Iterator[Found]:
        if _begins(holder.get(str(path[-1])), self.before + self.old):
            yield self._spot(one, path, len(self.before))

    def _id(self, one: Entity, path: Path, holder: Mapping[str, object]) -> Iterator[Found]:
        """`Page_Name` or `Page_Script.function`, made of the page's name or of its folder's."""
        for page in self.pages:
            start = f"{page}_{self.before}"
            if _begins(holder.get(str(path[-1])), start + self.old):
                yield self._spot(one, path, len(start))
                return

    def _spot(self, one: Entity, path: Path, at: int) -> Found:
        splice = Splice(at, at + len(self.old), self.new)
        return one.entity_id, one.path, Spot(path), self.old, splice


def _begins(text: object, name: str) -> bool:
    """Whether a text is a full name, or that of a part of it."""
    return isinstance(text, str) and (text == name or text.startswith(f"{name}."))


def moved_paths(section: Section, entity: Entity, new: str, script: str = "") -> dict[str, str]:
    """Files that have the name in theirs, with what they are to be called."""
    if entity.kind is Kind.WIDGET:
        moved = _widget_paths(section, entity, new)
    else:
        before = f"{script}-" if script else ""
        old, now = before + entity.name, before + new
        moved = {path: _with_parts(path, old, now, 3) for path in entity.paths}
        moved |= {
            path: _with_parts(path, old, now, 3, 4)
            for path in strangers_in(section.files, [entity])
        }
        inside = [e for e in section.entities if e.parent_id == entity.entity_id]
        functions = inside if entity.kind is Kind.SCRIPT else []
        for one in functions:
            moved |= {path: _with_start(path, entity.name, new) for path in one.paths}
        for path in strangers_in(section.files, functions):
            moved[path] = _with_start(path, entity.name, new, 4)
    return {path: there for path, there in moved.items() if there != path}


def _widget_paths(section: Section, entity: Entity, new: str) -> dict[str, str]:
    """Its own file, and when it has a folder of its own, all that is in there."""
    if section.has_trees:
        return {}
    folder, _, file = entity.path.rpartition("/")
    if file != f"{entity.name}.json":
        return {}
    moved = {entity.path: f"{folder}/{new}.json"}
    outer = folder.rpartition("/")[0]
    if has_own_folder(entity.path):
        for path in section.files:
            if path.startswith(folder + "/"):
                inside = moved.get(path, path)
                moved[path] = f"{outer}/{new}/{inside.removeprefix(folder + '/')}"
    return moved


def _with_parts(path: str, old: str, new: str, first: int, end: int | None = None) -> str:
    """Parts of a path from `first` on, to `end`, that are the name, with or without an ending."""
    parts = path.split("/")
    endings = ("", *_ENDINGS)
    for n in range(first, len(parts) if end is None else end):
        for ending in endings:
            if parts[n] == old + ending:
                parts[n] = new + ending
                break
    return "/".join(parts)


def _with_start(path: str, old: str, new: str, end: int | None = None) -> str:
    """`Script-function` as folder and file of a function."""
    parts = path.split("/")
    inner = slice(3, end)
    parts[inner] = [
        re.sub(rf"^{re.escape(old)}(?=-)", lambda _: new, part) for part in parts[inner]
    ]
    return "/".join(parts)
