"""Widgets with all that is inside them, taken somewhere: another name, container or page."""

from collections.abc import Container as Contains
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.studio.appsmith import Entity, Kind, Section
from services.studio.appsmith.canvas import canvas_nodes
from services.studio.appsmith.compare import Path
from services.studio.appsmith.containers import tree_ways
from services.studio.appsmith.entities import Object
from services.studio.appsmith.page_files import has_own_folder
from services.studio.appsmith.paths import free_path, occupied
from services.studio.appsmith.raw_json import item_at, with_value
from services.studio.appsmith.sources import encode_json, exact_json
from services.studio.appsmith.templates import CANVAS, made_id
from services.studio.references.bindings import Binding
from services.studio.references.recast import (
    Recast,
    code_splices,
    new_spots,
    nodes_of,
    put,
    rewritten,
    widget_spots,
)
from services.studio.references.splice import Spot

ROWS = (
    ("topRow", "bottomRow"),
    ("mobileTopRow", "mobileBottomRow"),
    ("originalTopRow", "originalBottomRow"),
)

Place = tuple[str, Path]
"""A widget by its document's entity and its path in there."""


@dataclass(frozen=True, slots=True)
class Document:
    """A widget's JSON: of one widget (and its canvases), or of a whole tree. `prefixes`: where the
    entities are in it."""

    owner: Entity
    text: str
    value: Object
    prefixes: Mapping[str, Path]


def documents(section: Section, entity: Entity, inside: Sequence[Entity]) -> list[Document]:
    """Those of a widget and all that is inside it; its own first."""
    if not section.has_trees:
        texts = {one.entity_id: section.files[one.path] for one in inside}
        return [
            Document(
                one,
                texts[one.entity_id].decode(),
                exact_json(texts[one.entity_id]),
                {one.entity_id: ()},
            )
            for one in inside
        ]
    content = section.files[entity.path]
    ways = tree_ways(entity.path, exact_json(content))
    outer = ways[entity.entity_id]
    prefixes = {one.entity_id: ways[one.entity_id][len(outer) :] for one in inside}
    text = item_at(content.decode(), outer)
    return [Document(entity, text, exact_json(text.encode()), prefixes)]


def recast_document(
    document: Document,
    bindings: Mapping[str, Sequence[Binding]],
    recast: Recast,
    own: Mapping[Place, str],
) -> str:
    """Its text with other names and ids."""
    spots = widget_spots(document.value, recast)
    for path, node in nodes_of(document.value):
        put(
            spots,
            (*path, "widgetName"),
            node.get("widgetName"),
            own.get((document.owner.entity_id, path)),
        )
    for entity_id, prefix in document.prefixes.items():
        for binding in bindings.get(entity_id, ()):
            spots[Spot((*prefix, *binding.path))] += code_splices(binding, recast.names)
    return rewritten(document.text, spots)


def inside_of(text: str, canvas_id: str) -> str:
    """A widget that names another canvas as its parent."""
    value = exact_json(text.encode())
    if not isinstance(value.get("parentId"), str):
        return encode_json({**value, "parentId": canvas_id}, text.encode()).decode()
    old = value["parentId"]
    spots = new_spots()
    put(spots, ("parentId",), old, canvas_id)
    return rewritten(text, spots)


def below(text: str) -> str:
    """A widget right below where it is, if it takes room at all."""
    value = exact_json(text.encode())
    if value.get("detachFromLayout") is True:
        return text
    for top, bottom in ROWS:
        first, last = value.get(top), value.get(bottom)
        if not (_is_number(first) and _is_number(last)) or last <= first:  # type: ignore[operator]
            continue
        raw = {top: last, bottom: last + last - first}  # type: ignore[operator]
        for key, row in raw.items():
            text = with_value(text, (key,), encode_json(row).decode())
    return text


def paths_for(
    inside: Sequence[Entity], folder: str, stems: Mapping[str, str], taken: Iterable[str]
) -> dict[str, str]:
    """Where the files of a widget (the first) and of what is inside it go. `folder`: the
    outermost's. `stems`: names of files, by entity id; others keep theirs."""
    outer = {outer_folder(inside[0]): folder}
    here, there = ("/".join(path.split("/")[:2]) + "/" for path in (inside[0].path, folder))
    used, paths = occupied(taken), dict[str, str]()
    for one in sorted(inside, key=lambda e: (e is not inside[0], e.path.count("/"), e.path)):
        base = outer.get(outer_folder(one), there + outer_folder(one).removeprefix(here))
        stem = stems.get(one.entity_id, _stem(one))
        path = free_path(used, base, stem, "" if has_own_folder(one.path) else ".json")
        if has_own_folder(one.path):
            outer[one.path.rpartition("/")[0] + "/"] = path + "/"
            path = f"{path}/{path.rpartition('/')[2]}.json"
        used |= occupied([path])
        paths[one.path] = path
    return paths


def fresh_ids(found: Iterable[str], taken: Contains[str], *seeds: str) -> dict[str, str]:
    """New ids for those of some widgets; the same seeds give the same."""
    made: dict[str, str] = {}
    used: set[str] = set()
    for old in found:
        attempt = 0
        while (new := made_id(*seeds, old, str(attempt))) in taken or new in used:
            attempt += 1
        made[old] = new
        used.add(new)
    return made


def is_canvas(node: Object) -> bool:
    """Whether it is what a widget, or a page, has its widgets on."""
    return node.get("type") == CANVAS


def is_canvas_entity(entity: Entity) -> bool:
    """Whether it is a canvas, where those are entities: a page's root, or of a widget."""
    return entity.fields.get("type") == CANVAS


def stays_put(section: Section, entity: Entity) -> bool:
    """Whether it belongs to what is around it: a canvas, or a page's root, whatever its type is."""
    is_root = section.has_trees and entity.kind is Kind.WIDGET and not entity.parent_id
    return is_root or is_canvas_entity(entity)


def ids_on(section: Section) -> set[str]:
    """The ids of all widgets of a page, canvases included."""
    return {
        widget_id
        for node in nodes_on(section)
        if isinstance(widget_id := node.get("widgetId"), str)
    }


def nodes_on(section: Section) -> Iterator[Object]:
    """All widgets of a page, canvases included."""
    for path in dict.fromkeys(e.path for e in section.entities if e.kind is Kind.WIDGET):
        value = exact_json(section.files[path])
        if section.has_trees:
            yield from (node.value for node in canvas_nodes(path, value))
        else:
            yield from (node for _, node in nodes_of(value))


def outer_folder(entity: Entity) -> str:
    """The folder that a widget's file, or its own folder, is in; with its slash."""
    folder = entity.path.rpartition("/")[0]
    return (folder.rpartition("/")[0] if has_own_folder(entity.path) else folder) + "/"


def _stem(entity: Entity) -> str:
    return entity.path.rpartition("/")[2].removesuffix(".json")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
