"""Change or remove one entity. An app is never changed in place: edits give a new one.

The app may hold just the sections that the edit is about: the entity's own, and for a page's
coming and going the `app` section too.
"""

from dataclasses import dataclass
from typing import Any

from services.studio.appsmith.app import APPLICATION, App, page_ids
from services.studio.appsmith.canvas import canvas_nodes, layouts_of
from services.studio.appsmith.containers import tree_ways
from services.studio.appsmith.edit_rules import (
    check_name,
    check_no_secrets,
    check_value,
    check_widget,
)
from services.studio.appsmith.entities import Entity, Kind, Object, part
from services.studio.appsmith.folders import strangers_in
from services.studio.appsmith.on_load import runs, without_entries
from services.studio.appsmith.raw_json import without_item
from services.studio.appsmith.refusals import EditRefused, EditRule
from services.studio.appsmith.sections import APP_SECTION, Section
from services.studio.appsmith.sources import (
    WITH_BODY,
    body_path,
    encode_json,
    exact_json,
    is_whole,
    read_source,
    same_json,
    with_body,
)

_REMOVABLE = (
    Kind.PAGE,
    Kind.WIDGET,
    Kind.QUERY,
    Kind.SCRIPT,
    Kind.SCRIPT_FUNCTION,
    Kind.DATASOURCE,
    Kind.LIBRARY,
    Kind.FILE,
)
_NAME_AT = {
    Kind.PAGE: ("unpublishedPage", "name"),
    Kind.WIDGET: ("widgetName",),
    Kind.QUERY: ("unpublishedAction", "name"),
    Kind.SCRIPT: ("unpublishedCollection", "name"),
    Kind.DATASOURCE: ("name",),
}


@dataclass(frozen=True, slots=True)
class Edited:
    """The app after an edit, the entity as it is now (or was, when it is gone), and the ids of
    all entities that went."""

    app: App
    entity: Entity
    removed: tuple[str, ...] = ()


def entity_of(app: App, entity_id: str) -> Entity:
    """Raises EditRefused when there is none."""
    entity = app.find(entity_id)
    if entity is None:
        raise EditRefused(field="entity_id", rule=EditRule.UNKNOWN_ENTITY, detail=entity_id)
    return entity


def replace_entity(
    app: App,
    entity_id: str,
    value: dict[str, Any] | None = None,  # the entity's own JSON
    text: str | None = None,
) -> Edited:
    """Give an entity another JSON, another text, or both; None leaves it as it is.

    A query's text stands in its metadata too: both follow whichever is given. Raises EditRefused.
    """
    entity = entity_of(app, entity_id)
    section = app.sections[entity.section]
    current = read_source(section, entity)
    if text is not None and current.value is not None and is_whole(entity):
        value = current.value if value is None else value
        check_value(value)
        value, text = with_body(entity, value, text), None
    changed: dict[str, bytes] = {}
    if text is not None:
        changed |= _replace_text(entity, text)
    if value is not None or (text is not None and entity.kind is Kind.QUERY):
        changed |= _replace_value(section, entity, current.value, value, text)
    files = {path: new for path, new in changed.items() if section.files.get(path) != new}
    if not files:
        return Edited(app, entity)
    section = section.with_files(files)
    return Edited(app.with_sections([section]), section.by_id[entity_id])


def remove_entity(app: App, entity_id: str) -> Edited:
    """Take an entity out, with what is inside it. Raises EditRefused."""
    entity = entity_of(app, entity_id)
    if entity.kind not in _REMOVABLE:
        detail = f"an app needs its {entity.kind}"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_REMOVABLE, detail=detail)
    if entity.kind is Kind.PAGE:
        return _remove_page(app, entity)
    section = app.sections[entity.section]
    gone = with_inside(section, entity)
    if entity.kind is Kind.WIDGET and section.has_trees:
        section = section.with_files({entity.path: _without_node(section, entity)})
    else:
        own = [path for one in gone for path in one.paths]
        section = section.with_files({}, [*own, *strangers_in(section.files, gone)])
        section = _running_less(section, entity)
    after = app.with_sections([section]) if section.files else app.with_sections([], [section.name])
    return Edited(after, entity, tuple(one.entity_id for one in gone))


def _replace_text(entity: Entity, text: str) -> dict[str, bytes]:
    if entity.kind not in (*WITH_BODY, Kind.FILE):
        detail = f"a {entity.kind} has no text"
        raise EditRefused(field="text", rule=EditRule.NO_TEXT, detail=detail)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        detail = "not a Unicode text"
        raise EditRefused(field="text", rule=EditRule.SHAPE, detail=detail) from None
    return {entity.path if entity.kind is Kind.FILE else body_path(entity): content}


def _replace_value(
    section: Section,
    entity: Entity,
    current: Object | None,
    value: Object | None,
    text: str | None,
) -> dict[str, bytes]:
    if current is None:
        raise EditRefused(field="source", rule=EditRule.NO_JSON, detail=f"a {entity.kind}")
    value = current if value is None else value
    _check(section, entity, current, value)
    old = section.files[entity.path]
    if entity.kind is Kind.QUERY:
        value, body = _with_one_body(entity, section, current, value, text)
        same = same_json(value, current)
        return body if same else {entity.path: encode_json(value, old), **body}
    if section.has_trees and entity.kind is Kind.WIDGET:
        return {entity.path: _with_node(section, entity, value)}
    if section.has_trees and entity.kind is Kind.PAGE:
        return {entity.path: _with_trees(section, entity, value)}
    return {} if same_json(value, current) else {entity.path: encode_json(value, old)}


def _check(section: Section, entity: Entity, current: Object, value: Object) -> None:
    check_value(value)
    if entity.kind is Kind.WIDGET:
        check_widget(value, current)
    if entity.kind is Kind.DATASOURCE:
        check_no_secrets(value)
    if keys := _NAME_AT.get(entity.kind):
        *outer, last = keys
        if (name := part(value, *outer).get(last)) != part(current, *outer).get(last):
            check_name(section, entity.kind, name, besides=entity)


def _with_one_body(
    entity: Entity, section: Section, current: Object, value: Object, text: str | None
) -> tuple[Object, dict[str, bytes]]:
    """Keep the body in the metadata and the body in its own file one and the same."""
    was = part(current, "unpublishedAction", "actionConfiguration").get("body")
    action = part(value, "unpublishedAction")
    configuration = part(action, "actionConfiguration")
    now = configuration.get("body")
    if text is not None and isinstance(now, str) and now != text:
        configuration = {**configuration, "body": text}
        action = {**action, "actionConfiguration": configuration}
        return {**value, "unpublishedAction": action}, {}
    path = body_path(entity)
    if text is None and now != was and isinstance(now, str) and path in section.files:
        return value, {path: now.encode()}
    return value, {}


def _with_node(section: Section, entity: Entity, value: Object) -> bytes:
    old = section.files[entity.path]
    whole = exact_json(old)
    for node in canvas_nodes(entity.path, whole):
        if node.entity_id == entity.entity_id:
            children = {k: v for k, v in node.value.items() if k == "children"}
            new = {**{k: v for k, v in value.items() if k != "children"}, **children}
            if same_json(new, node.value):
                return old
            node.value.clear()
            node.value.update(new)
            break
    return encode_json(whole, old)


def _with_trees(section: Section, entity: Entity, value: Object) -> bytes:
    """A page's new JSON around the widgets that it has."""
    old = section.files[entity.path]
    trees = [layout.get("dsl") for layout in layouts_of(exact_json(old))]
    layouts = part(value, "unpublishedPage").get("layouts")
    if not isinstance(layouts, list) or len(layouts) != len(trees):
        detail = f"the page has {len(trees)} layouts; their widgets are edited one by one"
        field = "source.unpublishedPage.layouts"
        raise EditRefused(field=field, rule=EditRule.SHAPE, detail=detail)
    if not all(isinstance(layout, dict) for layout in layouts):
        field = "source.unpublishedPage.layouts"
        raise EditRefused(field=field, rule=EditRule.SHAPE, detail="not all are objects")
    whole = [{**layout, "dsl": tree} for layout, tree in zip(layouts, trees, strict=True)]
    page = {**part(value, "unpublishedPage"), "layouts": whole}
    new: Object = {**value, "unpublishedPage": page}
    return old if same_json(new, exact_json(old)) else encode_json(new, old)


def _without_node(section: Section, entity: Entity) -> bytes:
    """The tree without a widget; all else stays as it is written."""
    old = section.files[entity.path]
    *way, place = tree_ways(entity.path, exact_json(old))[entity.entity_id]
    if not isinstance(place, int):
        detail = "a page needs its root"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_REMOVABLE, detail=detail)
    return without_item(old.decode(), tuple(way), place).encode()


def _running_less(section: Section, entity: Entity) -> Section:
    """The page does not run what is gone."""
    if entity.kind not in (Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION):
        return section
    paths = {one.path for one in section.entities if one.kind is Kind.PAGE}
    return section.with_files(
        {path: without_entries(section.files[path], runs(entity)) for path in paths}
    )


def with_inside(section: Section, entity: Entity) -> list[Entity]:
    """The entity and all that have it around them: widgets of a container, a script's functions."""
    inside: dict[str, list[Entity]] = {}
    for one in section.entities:
        if one.parent_id:
            inside.setdefault(one.parent_id, []).append(one)
    found: dict[str, Entity] = {}
    pending = [entity]
    while pending:
        one = pending.pop()
        if one.entity_id not in found:
            found[one.entity_id] = one
            pending += inside.get(one.entity_id, [])
    return list(found.values())


def _remove_page(app: App, entity: Entity) -> Edited:
    level = app.sections[APP_SECTION]
    old = level.files[APPLICATION]
    application = exact_json(old)
    listed = application.get("pages")
    pages = listed if isinstance(listed, list) else []
    mine = entity.page if entity.page in page_ids(application) else entity.name
    kept = [x for x in pages if not (isinstance(x, dict) and x.get("id") == mine)]
    if not kept:
        detail = "an app needs one page at least"
        raise EditRefused(field="entity_id", rule=EditRule.LAST_PAGE, detail=detail)
    if any(isinstance(x, dict) and x.get("isDefault") for x in kept):
        text = old.decode()
        for place in reversed(range(len(pages))):
            if pages[place] not in kept:
                text = without_item(text, ("pages",), place)
        content = text.encode()
    else:
        kept = [{**x, "isDefault": i == 0} for i, x in enumerate(kept) if isinstance(x, dict)]
        content = encode_json({**application, "pages": kept}, old)
    level = level.with_files({APPLICATION: content})
    gone = tuple(one.entity_id for one in app.sections[entity.section].entities)
    return Edited(app.with_sections([level], [entity.section]), entity, gone)
