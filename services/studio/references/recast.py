"""Give entities other names, ids or another page: what to change in their files, string by string.

For what goes to another page, and for copies: code says the new names of what goes along, and
everything that is made of a name, an id or the page's name follows.
"""

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.studio.appsmith import Entity, Kind, Section
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import Object, part
from services.studio.appsmith.page_files import METADATA
from services.studio.appsmith.paths import free_path, occupied
from services.studio.appsmith.sources import BODY_AT, WITH_BODY, body_path, exact_json, is_whole
from services.studio.references.bindings import TEXT, Binding, texts_in
from services.studio.references.javascript import Goal, names_in
from services.studio.references.renames.entity import splice_of
from services.studio.references.renames.own_names import PATH_LISTS, path_keys
from services.studio.references.splice import Splice, Spot, spliced, spliced_json
from services.studio.references.syntax import BY_PAGE_NAME

Spots = dict[Spot, list[Splice]]

_TEMPLATE = "template."


@dataclass(frozen=True, slots=True)
class PageNames:
    """A page as it stands in ids and texts: by its name, or by its folder's."""

    folder: str
    name: str

    @classmethod
    def of(cls, section: Section) -> "PageNames":
        pages = (one.name for one in section.entities if one.kind is Kind.PAGE)
        return cls(section.page, next(pages, section.page))


@dataclass(frozen=True, slots=True)
class Recast:
    """`names`: what code says instead of what. `ids`: widgets' ids. `own`: names of queries and
    scripts, which their ids are made of. `seed`: for a copy, which has sync ids of its own; empty:
    the same."""

    page: PageNames
    to_page: PageNames
    names: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    seed: str = ""

    def id_of(self, old: object) -> str | None:
        """What `Page_Name` or `Page_Script.function` becomes; None for anything else."""
        for page, to_page in self._pages if isinstance(old, str) else ():
            if str(old).startswith(f"{page}_"):
                name, dot, function = str(old).removeprefix(f"{page}_").partition(".")
                return f"{to_page}_{self.own.get(name, name)}{dot}{function}"
        return None

    def page_id_of(self, old: object) -> str | None:
        """What stands for the page afterwards; None for anything else."""
        return next((to_page for page, to_page in self._pages if old == page), None)

    @property
    def _pages(self) -> tuple[tuple[str, str], ...]:
        names = self.page.name, self.to_page.name
        return names, (self.page.folder, self.to_page.folder)

    def sync_id_of(self, old: object) -> str | None:
        """What a copy is told apart by; the same seed gives the same."""
        if not isinstance(old, str) or not self.seed or not old:
            return None
        made = hashlib.sha256(f"{self.seed}\0{old}".encode("utf-8", "replace")).hexdigest()[:24]
        app, line, _ = old.rpartition("_")
        return f"{app}{line}{made}"


def new_spots() -> Spots:
    return defaultdict(list)


def put(spots: Spots, path: Path, old: object, new: str | None) -> None:
    """A whole string becomes another, if it is one and that is another."""
    if new is not None and isinstance(old, str) and old != new:
        spots[Spot(path)] = [Splice(0, len(old), new)]


def rewritten(text: str, spots: Spots) -> str:
    """A JSON text with all that changed."""
    wanted = {spot: splices for spot, splices in spots.items() if splices}
    return spliced_json(text, wanted) if wanted else text


def code_splices(binding: Binding, names: Mapping[str, str]) -> list[Splice]:
    """Names that code takes, and texts that a function takes for a name."""
    found = []
    for one in binding.expressions:
        code, at = binding.text[one.start : one.end], one.start
        wanted = [
            splice_of(code, use, names[use.name]) for use in one.names.found if use.name in names
        ]
        wanted += [
            Splice(said.start, said.end, names[said.name])
            for said in one.names.mentions
            if said.name in names and said.function != BY_PAGE_NAME
        ]
        found += [Splice(at + splice.start, at + splice.end, splice.new) for splice in wanted]
    return found


def widget_spots(value: Object, recast: Recast) -> Spots:
    """Of a widget with all that is in its JSON; its code and own names left out."""
    spots = new_spots()
    for path, text in _ids_in(value):
        put(spots, path, text, recast.ids.get(text))
    for path, node in nodes_of(value):
        template = part(node, "template")
        for old in template.keys() & recast.names.keys():
            new = recast.names[old]
            spots[Spot((*path, "template", old), is_key=True)] = [Splice(0, len(old), new)]
            if part(template, old).get("widgetName") == old:
                put(spots, (*path, "template", old, "widgetName"), old, new)
        for name in PATH_LISTS:
            listed = node.get(name)
            for n, entry in enumerate(listed if isinstance(listed, list) else []):
                key = entry.get("key") if isinstance(entry, dict) else None
                if isinstance(key, str) and key.startswith(_TEMPLATE):
                    old, _, rest = key.removeprefix(_TEMPLATE).partition(".")
                    if old in recast.names and rest:
                        new = f"{_TEMPLATE}{recast.names[old]}.{rest}"
                        put(spots, (*path, name, n, "key"), key, new)
    return spots


def action_spots(section: Section, entity: Entity, recast: Recast) -> Spots:
    """Of a query, a script or a function; its code left out, but for Appsmith's own lists of it."""
    spots = new_spots()
    value = exact_json(section.files[entity.path])
    inner = "unpublishedCollection" if entity.kind is Kind.SCRIPT else "unpublishedAction"
    told = part(value, inner)
    put(spots, ("id",), value.get("id"), recast.id_of(value.get("id")))
    put(spots, ("gitSyncId",), value.get("gitSyncId"), recast.sync_id_of(value.get("gitSyncId")))
    collection = told.get("collectionId")
    put(spots, (inner, "collectionId"), collection, recast.id_of(collection))
    page = told.get("pageId")
    put(spots, (inner, "pageId"), page, recast.page_id_of(page))
    name, full = told.get("name"), told.get("fullyQualifiedName")
    if entity.kind is not Kind.SCRIPT_FUNCTION and isinstance(name, str):
        put(spots, (inner, "name"), name, recast.own.get(name))
    if isinstance(full, str):
        first, dot, rest = full.partition(".")
        if first in recast.own:
            put(spots, (inner, "fullyQualifiedName"), full, f"{recast.own[first]}{dot}{rest}")
    listed_spots(value, recast.names, spots)
    return spots


def listed_spots(value: object, names: Mapping[str, str], spots: Spots) -> None:
    """Expressions in the lists that Appsmith keeps of them."""
    for path, code, _ in path_keys(value) if names else ():
        for use in names_in(code, Goal.DATA).found:
            if use.name in names:
                spots[Spot(path)].append(splice_of(code, use, names[use.name]))


def entry_spots(action: Object, recast: Recast) -> Spots:
    """Of an action in the list of what a page runs."""
    spots = new_spots()
    for key in ("id", "collectionId"):
        put(spots, (key,), action.get(key), recast.id_of(action.get(key)))
    name = action.get("name")
    if isinstance(name, str):
        first, dot, rest = name.partition(".")
        put(spots, ("name",), name, f"{recast.own.get(first, first)}{dot}{rest}")
    listed_spots(action, recast.names, spots)
    return spots


def action_contents(
    section: Section, entity: Entity, bindings: Sequence[Binding], recast: Recast
) -> dict[str, bytes]:
    """The files of a query, a script or a function, by their old paths."""
    spots, text = action_spots(section, entity, recast), list[Splice]()
    body = body_path(entity) if entity.kind in WITH_BODY else ""
    whole = is_whole(entity)
    inside = (*BODY_AT[entity.kind], "body")
    for binding in bindings:
        splices = code_splices(binding, recast.names)
        path = inside if binding.path == TEXT else binding.path
        if binding.path == TEXT and not whole:
            text += splices
            continue
        spots[Spot(path)] += splices
        twin = section.files.get(body) if path == inside and not whole else None
        if twin is not None and twin.decode("utf-8", "replace") == binding.text:
            text += splices
    files = {path: section.files[path] for path in entity.paths}
    files[entity.path] = rewritten(files[entity.path].decode(), spots).encode()
    if text:
        files[body] = spliced(files[body].decode(), text).encode()
    return files


def action_paths(entity: Entity, page: str, stem: str, used: set[str]) -> dict[str, str]:
    """Where the files of a query, a script or a function go on a page. `used`: what is taken, as
    `occupied` tells; from now on these are, too."""
    paths = _action_paths(entity, page, stem, used)
    used |= occupied(paths.values())
    return paths


def _action_paths(entity: Entity, page: str, stem: str, used: Container[str]) -> dict[str, str]:
    parent = entity.path.split("/")[2]
    if is_whole(entity):
        return {entity.path: free_path(used, f"pages/{page}/{parent}/", stem, ".json")}
    old = entity.path.rpartition("/")[0]
    new = free_path(used, f"pages/{page}/{parent}/", stem, "")
    paths = {}
    for path in entity.paths:
        file = path.rpartition("/")[2]
        if path != entity.path:
            file = new.rpartition("/")[2] + file.removeprefix(old.rpartition("/")[2])
        paths[path] = f"{new}/{file}"
    return paths


def folder_of(path: str) -> str:
    """What stands for a query or script in its id: its folder, or its file's name."""
    if path.endswith(f"/{METADATA}"):
        return path.rpartition("/")[0]
    return path.removesuffix(".json")


def nodes_of(value: Object) -> Iterator[tuple[Path, Object]]:
    """A widget and all widgets that are in its JSON, parents first."""
    pending: list[tuple[Path, Object]] = [((), value)]
    while pending:
        path, node = pending.pop()
        yield path, node
        children = node.get("children")
        inner = list(enumerate(children)) if isinstance(children, list) else []
        pending += [((*path, "children", n), x) for n, x in reversed(inner) if isinstance(x, dict)]


def _ids_in(value: Object) -> Iterator[tuple[Path, str]]:
    """Texts where ids of widgets stand."""
    for way, text in texts_in(value):
        if way[-1] == "id" or str(way[-1]).endswith("Id"):
            yield tuple(way), text
