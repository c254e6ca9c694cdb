"""What widgets can be put into: the page's canvas, or the canvas of a widget."""

from dataclasses import dataclass

from services.studio.appsmith.canvas import canvas_nodes
from services.studio.appsmith.entities import Entity, Kind, Object
from services.studio.appsmith.page_files import WIDGETS
from services.studio.appsmith.raw_json import Way, with_item
from services.studio.appsmith.refusals import EditRefused, EditRule
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import encode_json, exact_json
from services.studio.appsmith.templates import CANVAS, ROOT_ID


@dataclass(frozen=True, slots=True)
class Container:
    """Where a widget goes. `parent_id`: the entity around it. `canvas_id`: what it names as its
    parent. `folder`: for its file, where widgets have one each; `path` and `way`: the document and
    the canvas in it, where they stand in a tree."""

    parent_id: str
    canvas_id: str
    folder: str = ""
    path: str = ""
    way: Way = ()


def container_of(section: Section, parent_id: str, canvas_id: str = "") -> Container:
    """The container that a widget of a page is, or the page's canvas when `parent_id` is empty.
    `canvas_id`: one of its canvases, as of a tab; its first, when empty. Raises EditRefused."""
    if parent_id:
        parent = section.by_id.get(parent_id)
        if parent is None or parent.kind is not Kind.WIDGET:
            raise EditRefused(field="parent_id", rule=EditRule.UNKNOWN_ENTITY, detail=parent_id)
        return (
            _in_tree(section, parent, canvas_id)
            if section.has_trees
            else _own(section, parent, canvas_id)
        )
    if not section.has_trees:
        return Container("", ROOT_ID, f"pages/{section.page}/{WIDGETS}/")
    root = next((e for e in section.entities if e.kind is Kind.WIDGET and not e.parent_id), None)
    if root is None:
        raise EditRefused(field="page", rule=EditRule.PAGE_UNKNOWN, detail=section.page)
    return _in_tree(section, root, canvas_id)


def with_child(content: bytes, way: Way, item: str, place: int | None = None) -> bytes:
    """A tree with a widget more in the canvas at a path; its last, or at a place. Raises
    EditRefused where strangers wrote something else than a list of widgets."""
    text = content.decode()
    whole = exact_json(content)
    holder: object = whole
    for key in way:
        holder = holder[key]  # type: ignore[index]  # the path is one of this document
    assert isinstance(holder, dict), "a canvas"
    children = holder.get("children")
    if children is None:
        holder["children"] = []
        text = encode_json(whole, content).decode()
    elif not isinstance(children, list):
        detail = f"{holder.get('widgetName')} has no list of widgets"
        raise EditRefused(field="parent_id", rule=EditRule.NOT_A_CONTAINER, detail=detail)
    return with_item(text, (*way, "children"), item, place).encode()


def child_at(section: Section, path: str, way: Way, place: int | None = None) -> str:
    """The entity id of what stands in a canvas, at a place or last."""
    ways = tree_ways(path, exact_json(section.files[path]))
    found = {one[-1]: i for i, one in ways.items() if one[:-1] == (*way, "children")}
    return found[place] if place is not None and place in found else found[max(found)]


def tree_ways(path: str, value: Object) -> dict[str, Way]:
    """Where each widget of a page's tree is in its document, by entity id."""
    ways: dict[str, Way] = {}
    places: dict[int, Way] = {}  # of nodes that are to come
    layouts: dict[int, Way] = {}
    page = value.get("unpublishedPage")
    listed = page.get("layouts") if isinstance(page, dict) else None
    for n, layout in enumerate(listed if isinstance(listed, list) else []):
        layouts[id(layout)] = ("unpublishedPage", "layouts", n, "dsl")
    for node in canvas_nodes(path, value):
        way = layouts[id(node.layout)] if node.siblings is None else places.pop(id(node.value))
        ways[node.entity_id] = way
        children = node.value.get("children")
        for n, child in enumerate(children if isinstance(children, list) else []):
            places[id(child)] = (*way, "children", n)
    return ways


def canvases(value: Object) -> list[Object]:
    """The canvases of a widget, in their order."""
    children = value.get("children")
    found = children if isinstance(children, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type") == CANVAS]


def _own(section: Section, parent: Entity, canvas_id: str) -> Container:
    value = exact_json(section.files[parent.path])
    ids = [str(one.get("widgetId")) for one in canvases(value)]
    found = canvas_id or (ids[0] if ids else "")
    if found not in ids:
        raise _no_canvas(parent, canvas_id)
    return Container(parent.entity_id, found, parent.path.rpartition("/")[0] + "/")


def _in_tree(section: Section, parent: Entity, canvas_id: str) -> Container:
    value = exact_json(section.files[parent.path])
    ways = tree_ways(parent.path, value)
    holder = next(n for n in canvas_nodes(parent.path, value) if n.entity_id == parent.entity_id)
    own, way = holder.value, ways[parent.entity_id]
    if own.get("type") != CANVAS:
        found = canvases(own)
        if canvas_id:
            found = [one for one in found if one.get("widgetId") == canvas_id]
        if not found:
            raise _no_canvas(parent, canvas_id)
        children = own["children"]
        assert isinstance(children, list), "it has canvases"
        own, way = (
            found[0],
            (*way, "children", next(i for i, x in enumerate(children) if x is found[0])),
        )
    around = next(entity_id for entity_id, one in ways.items() if one == way)
    return Container(around, str(own.get("widgetId")), path=parent.path, way=way)


def _no_canvas(parent: Entity, canvas_id: str) -> EditRefused:
    what = f"no canvas {canvas_id}" if canvas_id else "no canvas to put widgets on"
    detail = f"{parent.name} has {what}"
    return EditRefused(field="parent_id", rule=EditRule.NOT_A_CONTAINER, detail=detail)
