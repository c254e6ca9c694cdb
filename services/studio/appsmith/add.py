"""Add an entity: a page, widget, query, script or datasource, in the app's own format.

The app may hold just the sections that it is about: the page's, for a datasource `app`, for a new
page `app` and, unless it is certain that there is none, the section of a page of that folder.
"""

from typing import Any

from services.studio.appsmith.app import APPLICATION, App, page_ids
from services.studio.appsmith.canvas import canvas_nodes
from services.studio.appsmith.containers import container_of, with_child
from services.studio.appsmith.edit import Edited, entity_of
from services.studio.appsmith.edit_rules import (
    check_name,
    check_no_secrets,
    check_value,
    check_widget,
)
from services.studio.appsmith.entities import Entity, Kind, Object
from services.studio.appsmith.page_files import (
    QUERIES,
    SCRIPTS,
    is_one_file,
    page_file_name,
)
from services.studio.appsmith.paths import file_name, free_path, occupied
from services.studio.appsmith.refusals import EditRefused, EditRule
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import encode_json, exact_json, with_body
from services.studio.appsmith.templates import (
    ROOT_ID,
    SCRIPT_TEXT,
    datasource_value,
    made_id,
    merged,
    page_value,
    query_value,
    script_value,
    widget_value,
)
from services.studio.appsmith.widgets import own_ids


def add_entity(
    app: App,
    kind: Kind,
    *,
    name: str,
    page: str = "",
    parent_id: str = "",
    value: dict[str, Any] | None = None,  # the entity's own JSON
    text: str | None = None,
) -> Edited:
    """Add one entity. `page` is the folder of its page; `parent_id` the widget around a widget,
    empty for the page's canvas. `value` is merged over what such an entity needs at least; the
    name wins over a name in there. Raises EditRefused."""
    given = {} if value is None else value
    check_value(given)
    if kind is Kind.PAGE:
        return _add_page(app, name, given)
    if kind is Kind.DATASOURCE:
        return _add_datasource(app, name, given)
    if kind not in (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT):
        raise EditRefused(field="kind", rule=EditRule.NOT_ADDABLE, detail=f"a {kind}")
    section = app.sections.get(PAGE_PREFIX + page)
    if section is None:
        raise EditRefused(field="page", rule=EditRule.PAGE_UNKNOWN, detail=page)
    check_name(section, kind, name)
    if kind is Kind.WIDGET and section.has_trees:
        return _add_node(app, section, name, parent_id, given)
    if kind is Kind.WIDGET:
        return _add_widget(app, section, name, parent_id, given)
    return _add_folder(app, section, kind, name, given, text)


def _add_page(app: App, name: str, given: Object) -> Edited:
    level = app.sections[APP_SECTION]
    old = level.files[APPLICATION]
    application = exact_json(old)
    folder = file_name(name)
    taken = page_ids(application)
    if name in taken or folder in taken or PAGE_PREFIX + folder in app.sections:
        raise EditRefused(field="name", rule=EditRule.NAME_TAKEN, detail=name)
    check_name(level, Kind.PAGE, name)
    listed = application.get("pages")
    pages = listed if isinstance(listed, list) else []
    application["pages"] = [*pages, {"id": folder, "isDefault": not pages}]
    level = level.with_files({APPLICATION: encode_json(application, old)})
    page = merged(page_value(name, app.format_version), given)
    page = merged(page, {"unpublishedPage": {"name": name}})
    path = f"pages/{folder}/{page_file_name(folder, app.format_version)}"
    section = Section(PAGE_PREFIX + folder, app.format_version, {path: encode_json(page)})
    return _added(app, f"{Kind.PAGE}:pages/{folder}", section, level)


def _add_datasource(app: App, name: str, given: Object) -> Edited:
    section = app.sections[APP_SECTION]
    check_name(section, Kind.DATASOURCE, name)
    value = {**datasource_value(name), **given, "name": name}
    check_no_secrets(value)
    path = free_path(occupied(section.files), "datasources/", name, ".json")
    return _added(app, f"{Kind.DATASOURCE}:{path}", section.with_files({path: encode_json(value)}))


def _add_folder(
    app: App, section: Section, kind: Kind, name: str, given: Object, text: str | None
) -> Edited:
    pages = (one.name for one in section.entities if one.kind is Kind.PAGE)
    page = next(pages, section.page)
    if kind is Kind.QUERY:
        parent, suffix, inner = QUERIES, ".txt", "unpublishedAction"
        value = merged(query_value(page, name, text), given)
        if text is not None:
            value = merged(value, {inner: {"actionConfiguration": {"body": text}}})
    else:
        parent, suffix, inner = SCRIPTS, ".js", "unpublishedCollection"
        value = merged(script_value(page, name), given)
        text = SCRIPT_TEXT if text is None else text
    value = merged(value, {inner: {"name": name}})
    used = occupied(section.files)
    if is_one_file(parent, section.format_version):
        path = free_path(used, f"pages/{section.page}/{parent}/", name, ".json")
        one = Entity("", kind, name, section.name, section.page, path, "")
        content = encode_json(value if text is None else with_body(one, value, text))
        place = f"{kind}:{path.removesuffix('.json')}"
        return _added(app, place, section.with_files({path: content}))
    folder = free_path(used, f"pages/{section.page}/{parent}/", name, "")
    stem = folder.rpartition("/")[2]
    files = {f"{folder}/metadata.json": encode_json(value)}
    if text is not None:
        files[f"{folder}/{stem}{suffix}"] = _bytes(text)
    return _added(app, f"{kind}:{folder}", section.with_files(files))


def _add_widget(app: App, section: Section, name: str, parent_id: str, given: Object) -> Edited:
    check_widget(given)
    container = container_of(section, parent_id)
    taken = {i for entity in section.entities for i in _ids(section, entity)} | {ROOT_ID}
    widget_id = _new_id(section, name, given, taken)
    value = widget_value(name, widget_id, container.canvas_id, given)
    used, folder = occupied(section.files), container.folder
    if value.get("children"):
        folder = free_path(used, folder, name, "") + "/"
    path = free_path(used, folder, name, ".json")
    return _added(app, f"{Kind.WIDGET}:{path}", section.with_files({path: encode_json(value)}))


def _add_node(app: App, section: Section, name: str, parent_id: str, given: Object) -> Edited:
    check_widget(given)
    container = container_of(section, parent_id)
    old = section.files[container.path]
    taken = {
        str(node.value.get("widgetId")) for node in canvas_nodes(container.path, exact_json(old))
    }
    widget_id = _new_id(section, name, given, taken)
    value = widget_value(name, widget_id, container.canvas_id, given)
    content = with_child(old, container.way, encode_json(value).decode())
    changed = section.with_files({container.path: content})
    return _added(app, f"{Kind.WIDGET}:{container.path}#{widget_id}", changed)


def _added(app: App, entity_id: str, *sections: Section) -> Edited:
    after = app.with_sections(sections)
    return Edited(after, entity_of(after, entity_id))


def _ids(section: Section, entity: Entity) -> list[str]:
    if entity.kind is not Kind.WIDGET:
        return []
    return list(own_ids(exact_json(section.files[entity.path])))


def _new_id(section: Section, name: str, given: Object, taken: set[str]) -> str:
    asked = given.get("widgetId")
    if isinstance(asked, str) and asked:
        if asked in taken:
            raise EditRefused(field="source.widgetId", rule=EditRule.ID_TAKEN, detail=asked)
        return asked
    attempt = 0
    while (made := made_id(section.page, name, str(attempt))) in taken:
        attempt += 1
    return made


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        detail = "not a Unicode text"
        raise EditRefused(field="text", rule=EditRule.SHAPE, detail=detail) from None
