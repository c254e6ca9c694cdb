"""A page as a browser needs it: one document, with nothing of what queries do."""

from collections.abc import Mapping

from services.studio.appsmith.canvas import layouts_of
from services.studio.appsmith.entities import Entity, Kind, Object, load_object, part, text
from services.studio.appsmith.refusals import NotPublishable
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import body_of, body_path

_PAGE_FIELDS = ("name", "slug", "customSlug", "isHidden", "icon")
_ON_LOAD_FIELDS = (
    "id",
    "name",
    "collectionId",
    "pluginType",
    "confirmBeforeExecute",
    "timeoutInMillisecond",
)


def page_document(section: Section, page: Entity) -> Object:
    """The page's public JSON. Raises NotPublishable when its widgets don't form a tree."""
    value = load_object(page.path, section.files[page.path])
    inner = part(value, "unpublishedPage")
    layouts = layouts_of(value)
    if not section.has_trees:
        _put_widgets(section, layouts)
    return {
        **{key: inner[key] for key in _PAGE_FIELDS if key in inner},
        "layouts": [{"dsl": layout.get("dsl"), "onLoad": _on_load(layout)} for layout in layouts],
        "queries": [_query(entity) for entity in section.entities if entity.kind is Kind.QUERY],
        "scripts": _scripts(section),
    }


def _put_widgets(section: Section, layouts: list[Object]) -> None:
    """Hang every widget file below the canvas that it names; strays go to the page's root."""
    root = next((dsl for x in layouts if isinstance(dsl := x.get("dsl"), dict)), None)
    widgets = [e for e in section.entities if e.kind is Kind.WIDGET]
    if root is None:
        if widgets:
            raise NotPublishable(f"page {section.page}: it has widgets but no canvas")
        return
    values = [(load_object(e.path, section.files[e.path]), e) for e in widgets]
    holders: dict[str, tuple[Object, int]] = {}
    for layout in layouts:
        _collect(layout.get("dsl"), -1, holders)
    for index, (value, _) in enumerate(values):
        _collect(value, index, holders)
    owners: list[int] = []
    for value, _ in values:
        holder, owner = holders.get(text(value.get("parentId")), (root, -1))
        owners.append(owner)
        children = holder.get("children")
        if not isinstance(children, list):
            children = holder["children"] = []
        children.append(value)
    _check_no_ring(section, [entity for _, entity in values], owners)


def _collect(value: object, owner: int, holders: dict[str, tuple[Object, int]]) -> None:
    """Note who brings along which widget ids: the first to claim an id has it."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if widget_id := text(node.get("widgetId")):
                holders.setdefault(widget_id, (node, owner))
            children = node.get("children")
            if isinstance(children, list):
                pending.extend(reversed(children))


def _check_no_ring(section: Section, widgets: list[Entity], owners: list[int]) -> None:
    """Widgets that hold each other would never be reached from the root."""
    grounded = {-1}
    for start in range(len(owners)):
        way: set[int] = set()
        at = start
        while at not in grounded:
            if at in way:
                name = widgets[at].name
                raise NotPublishable(f"page {section.page}: {name!r} is inside of itself")
            way.add(at)
            at = owners[at]
        grounded |= way


def _on_load(layout: Object) -> list[list[Object]]:
    rounds = layout.get("layoutOnLoadActions")
    return [
        [_named(action) for action in actions if isinstance(action, dict)]
        for actions in (rounds if isinstance(rounds, list) else [])
        if isinstance(actions, list)
    ]


def _named(action: Mapping[str, object]) -> Object:
    return {
        key: action[key] for key in _ON_LOAD_FIELDS if isinstance(action.get(key), str | int | bool)
    }


def _query(entity: Entity) -> Object:
    return {
        "name": entity.name,
        "plugin": entity.fields.get("plugin", ""),
        "onLoad": entity.fields.get("on_load", False),
    }


def _scripts(section: Section) -> list[Object]:
    functions: dict[str, list[Object]] = {}
    for entity in section.entities:
        if entity.kind is Kind.SCRIPT_FUNCTION:
            own = functions.setdefault(entity.parent_id, [])
            own.append({"name": entity.name, "onLoad": entity.fields.get("on_load", False)})
    return [
        {
            "name": entity.name,
            "path": f"pages/{section.page}/scripts/{body_path(entity).rpartition('/')[2]}",
            "functions": functions.get(entity.entity_id, []),
        }
        for entity in section.entities
        if entity.kind is Kind.SCRIPT and body_of(section, entity) is not None
    ]
