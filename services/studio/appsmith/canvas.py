"""Widgets of format 4: nodes of the trees in a page's `canvas.json`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith.entities import (
    ENTITIES_MAX,
    Entity,
    Kind,
    Object,
    fields_of,
    load_object,
    part,
    text,
    value_digest,
)
from services.studio.appsmith.page_files import page_entity
from services.studio.appsmith.refusals import ImportRefused, Rule

_TOTAL = ""
"""No widget's own id is empty, so the count of all can stand beside them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A widget in a tree. `siblings` is the list that holds it, None for a root."""

    entity_id: str
    parent_id: str
    value: Object
    layout: Object
    siblings: list[object] | None


def canvas_entities(section: str, page: str, path: str, files: Mapping[str, bytes]) -> list[Entity]:
    """The page and a widget for each node, roots included."""
    if not path:
        return []
    value = load_object(path, files[path])
    entities = []
    shape = []
    for node in canvas_nodes(path, value):
        entities.append(_widget(section, page, path, node))
        shape.append((node.entity_id, node.parent_id))
    digest = value_digest(path, [without_trees(value), shape])
    return [page_entity(section, page, path, value, digest), *entities]


def canvas_nodes(path: str, value: Object) -> Iterator[Node]:
    """Every widget of a page's JSON, parents first.

    The id is made of the widget's own id; the second of two that claim the same is told apart by
    `~2`. Raises ImportRefused when there are far too many.
    """
    seen: dict[str, int] = {}
    for layout in layouts_of(value):
        root = layout.get("dsl")
        pending: list[tuple[object, str, list[object] | None]] = [(root, "", None)]
        while pending:
            node, parent_id, siblings = pending.pop()
            if not isinstance(node, dict):
                continue
            entity_id = _node_id(path, node, seen)
            yield Node(entity_id, parent_id, node, layout, siblings)
            children = node.get("children")
            if isinstance(children, list):
                pending.extend((child, entity_id, children) for child in reversed(children))


def layouts_of(value: Object) -> list[Object]:
    """A page's layouts, in either format."""
    layouts = part(value, "unpublishedPage").get("layouts")
    return [x for x in layouts if isinstance(x, dict)] if isinstance(layouts, list) else []


def own_value(node: Object) -> Object:
    """A node without its children."""
    return {key: value for key, value in node.items() if key != "children"}


def without_trees(value: Object) -> Object:
    """A page's JSON without its widgets."""
    page = part(value, "unpublishedPage")
    if "layouts" not in page:
        return value
    layouts = [{k: v for k, v in x.items() if k != "dsl"} for x in layouts_of(value)]
    return {**value, "unpublishedPage": {**page, "layouts": layouts}}


def _node_id(path: str, node: Object, seen: dict[str, int]) -> str:
    own_id = text(node.get("widgetId"), "?")
    seen[own_id] = count = seen.get(own_id, 0) + 1
    seen[_TOTAL] = total = seen.get(_TOTAL, 0) + 1
    if total > ENTITIES_MAX:
        detail = f"more than {ENTITIES_MAX} widgets"
        raise ImportRefused(path=path, rule=Rule.TOO_MANY_ENTITIES, detail=detail)
    entity_id = f"{Kind.WIDGET}:{path}#{own_id}"
    return entity_id if count == 1 else f"{entity_id}~{count}"


def _widget(section: str, page: str, path: str, node: Node) -> Entity:
    value = node.value
    return Entity(
        node.entity_id,
        Kind.WIDGET,
        text(value.get("widgetName"), text(value.get("widgetId"))),
        section,
        page,
        path,
        value_digest(path, own_value(value)),
        parent_id=node.parent_id,
        paths=(path,),
        fields=fields_of(type=value.get("type"), widget_id=value.get("widgetId")),
    )
