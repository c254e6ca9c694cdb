"""Copy a page: everything keeps its name in there, for names are a page's own."""

from services.studio.appsmith import (
    APP_SECTION,
    PAGE_PREFIX,
    App,
    EditRefused,
    EditRule,
    Entity,
    Kind,
    Section,
)
from services.studio.appsmith.app import APPLICATION, page_ids
from services.studio.appsmith.edit_rules import check_name
from services.studio.appsmith.entities import part
from services.studio.appsmith.on_load import entries
from services.studio.appsmith.page_files import page_file_name
from services.studio.appsmith.paths import file_name
from services.studio.appsmith.raw_json import item_at, with_item, with_value
from services.studio.appsmith.sources import encode_json, exact_json
from services.studio.appsmith.templates import slug
from services.studio.references.recast import (
    PageNames,
    Recast,
    action_spots,
    entry_spots,
    new_spots,
    put,
    rewritten,
)
from services.studio.references.splice import Spot

_ACTIONS = (Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION)


def duplicate_page(app: App, section: Section, page: Entity, name: str) -> tuple[App, str]:
    """The app with the copy, and the copy's entity id. Raises EditRefused."""
    level = app.sections[APP_SECTION]
    content = level.files[APPLICATION]
    name = _named(app, level, page, name)
    folder = file_name(name)
    names = PageNames(page.page, page.name), PageNames(folder, name)
    recast = Recast(*names, seed=f"page.{folder}")
    level = level.with_files({APPLICATION: _listing(content, page, folder)})
    copied = _copied(section, page, name, folder, recast)
    return app.with_sections([level, copied]), f"{Kind.PAGE}:pages/{folder}"


def _listing(content: bytes, page: Entity, folder: str) -> bytes:
    """`application.json` with the copy as its last page, listed as the original is."""
    text, application = content.decode(), exact_json(content)
    item = encode_json({"id": folder, "isDefault": False}).decode()
    pages = application.get("pages")
    if not isinstance(pages, list):
        return encode_json({**application, "pages": [{"id": folder}]}, content)
    ids = [one.get("id") if isinstance(one, dict) else None for one in pages]
    old_id = page.page if page.page in ids else page.name
    if old_id in ids:
        item = item_at(text, ("pages", ids.index(old_id)))
        spots = new_spots()
        put(spots, ("id",), old_id, folder)
        item = rewritten(item, spots)
        if "isDefault" in exact_json(item.encode()):
            item = with_value(item, ("isDefault",), "false")
    return with_item(text, ("pages",), item).encode()


def _named(app: App, level: Section, page: Entity, name: str) -> str:
    taken = {*page_ids(exact_json(level.files[APPLICATION]))}
    taken |= {one.name for one in app if one.kind is Kind.PAGE}
    taken |= {section.removeprefix(PAGE_PREFIX) for section in app.sections}
    if name:
        check_name(level, Kind.PAGE, name)
        if name in taken or file_name(name) in taken:
            raise EditRefused(field="name", rule=EditRule.NAME_TAKEN, detail=name)
        return name
    base, count = f"{page.name[:150]} Copy", 0
    while (name := f"{base}{count or ''}") in taken or file_name(name) in taken:
        count += 1
    return name


def _copied(section: Section, page: Entity, name: str, folder: str, recast: Recast) -> Section:
    changed: dict[str, bytes] = {page.path: _own(section, page, name, recast)}
    for one in section.entities:
        if one.kind in _ACTIONS:
            text = section.files[one.path].decode()
            changed[one.path] = rewritten(text, action_spots(section, one, recast)).encode()
    start = f"pages/{section.page}/"
    files = {}
    for path, content in {**section.files, **changed}.items():
        inner = path.removeprefix(start)
        if path == page.path:
            inner = page_file_name(folder, section.format_version)
        files[f"pages/{folder}/{inner}"] = content
    return Section(PAGE_PREFIX + folder, section.format_version, files)


def _own(section: Section, page: Entity, name: str, recast: Recast) -> bytes:
    """The page's own file: its name, what is made of it, and what it runs."""
    content = section.files[page.path]
    value = exact_json(content)
    inner = part(value, "unpublishedPage")
    spots = new_spots()
    put(spots, ("gitSyncId",), value.get("gitSyncId"), recast.sync_id_of(value.get("gitSyncId")))
    put(spots, ("unpublishedPage", "name"), inner.get("name"), name)
    put(spots, ("unpublishedPage", "slug"), inner.get("slug"), slug(name))
    layouts = inner.get("layouts")
    for n, layout in enumerate(layouts if isinstance(layouts, list) else []):
        if isinstance(layout, dict):
            old = layout.get("id")
            put(spots, ("unpublishedPage", "layouts", n, "id"), old, recast.page_id_of(old))
    for way, action in entries(content):
        for spot, splices in entry_spots(action, recast).items():
            spots[Spot((*way, *spot.path), spot.is_key)] = splices
    return rewritten(content.decode(), spots).encode()
