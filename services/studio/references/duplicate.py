"""Copy an entity: the copy and all that is in it get names and ids of their own, and code in the
copy that means something copied with it means the copy."""

from collections.abc import Container as Contains
from collections.abc import Sequence
from dataclasses import dataclass

from services.studio.appsmith import App, EditRefused, EditRule, Entity, Kind, Section
from services.studio.appsmith.containers import child_at, tree_ways, with_child
from services.studio.appsmith.edit import entity_of, with_inside
from services.studio.appsmith.entities import NAMED
from services.studio.appsmith.on_load import entry_texts, runs, with_entries
from services.studio.appsmith.paths import occupied
from services.studio.appsmith.sources import exact_json
from services.studio.references.bindings import Binding, bindings_in
from services.studio.references.carried import (
    Document,
    Place,
    below,
    documents,
    fresh_ids,
    ids_on,
    outer_folder,
    paths_for,
    recast_document,
    stays_put,
)
from services.studio.references.copy_names import CopyNames
from services.studio.references.page_copies import duplicate_page
from services.studio.references.recast import (
    PageNames,
    Recast,
    action_contents,
    action_paths,
    entry_spots,
    folder_of,
    nodes_of,
    rewritten,
)
from services.studio.references.rename import rename


@dataclass(frozen=True, slots=True)
class Duplicated:
    """The app with the copy in it. `added`: ids of all that is new, the copy's own first."""

    app: App
    entity: Entity
    added: tuple[str, ...]


def duplicate(app: App, entity_id: str, name: str = "") -> Duplicated:
    """Copy a widget, query, script (each with what is inside) or page. `name`: the copy's; a free
    one when empty. The app may hold just the entity's section and `app`. Raises EditRefused."""
    entity = entity_of(app, entity_id)
    section = app.sections[entity.section]
    given = app.given
    if entity.kind is Kind.PAGE:
        after, copy_id = duplicate_page(app, section, entity, name)
        copied = after.sections[f"page:{copy_id.rpartition('/')[2]}"]
        added = [copy_id, *(e.entity_id for e in copied.entities if e.entity_id != copy_id)]
        return Duplicated(after, copied.by_id[copy_id], tuple(added))
    if entity.kind is Kind.WIDGET:
        section, copy_id = _widget(section, entity, given)
    elif entity.kind in (Kind.QUERY, Kind.SCRIPT):
        section, copy_id = _action(section, entity, given)
    else:
        detail = f"a {entity.kind} is no thing to have twice"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_ADDABLE, detail=detail)
    if name and name != section.by_id[copy_id].name:
        renamed = rename(section, copy_id, name, given, with_mentions=True)
        section, copy_id = renamed.section, renamed.entity_id
    copy = section.by_id[copy_id]
    ids = tuple(one.entity_id for one in with_inside(section, copy))
    return Duplicated(app.with_sections([section]), copy, ids)


def _meant(section: Section, copied: Contains[str]) -> set[str]:
    """Names by which code means something that is copied: the first that has one."""
    first: dict[str, str] = {}
    for one in section.entities:
        if one.kind in NAMED:
            first.setdefault(one.name, one.entity_id)
    return {name for name, entity_id in first.items() if entity_id in copied}


def _bindings(section: Section, inside: Sequence[Entity]) -> dict[str, list[Binding]]:
    found = bindings_in(section, {one.entity_id for one in inside})
    return {one.entity_id: bound for one, bound in found}


def _widget(section: Section, entity: Entity, given: Contains[str]) -> tuple[Section, str]:
    if stays_put(section, entity):
        detail = "a canvas belongs to the widget around it"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_ADDABLE, detail=detail)
    inside = with_inside(section, entity)
    found = documents(section, entity, inside)
    own, names = _own_names(section, found, CopyNames(section, given))
    ids = fresh_ids(_ids(found), ids_on(section), section.page, entity.name)
    page = PageNames.of(section)
    recast = Recast(page, page, names, ids)
    bindings = _bindings(section, inside)
    texts = [recast_document(one, bindings, recast, own) for one in found]
    texts[0] = below(texts[0])
    if section.has_trees:
        content = section.files[entity.path]
        *way, _, _ = tree_ways(entity.path, exact_json(content))[entity.entity_id]
        after = section.with_files({entity.path: with_child(content, tuple(way), texts[0])})
        return after, child_at(after, entity.path, tuple(way))
    owners = {one.owner.entity_id: own.get((one.owner.entity_id, ())) for one in found}
    stems = {entity_id: stem for entity_id, stem in owners.items() if stem}
    paths = paths_for(inside, outer_folder(entity), stems, section.files)
    files = {paths[one.owner.path]: text.encode() for one, text in zip(found, texts, strict=True)}
    return section.with_files(files), f"{Kind.WIDGET}:{paths[entity.path]}"


def _own_names(
    section: Section, found: Sequence[Document], names: CopyNames
) -> tuple[dict[Place, str], dict[str, str]]:
    """A name for each widget that has one, canvases too; and what code says instead of what."""
    own: dict[Place, str] = {}
    said: dict[str, str] = {}
    meant = _meant(section, {entity_id for one in found for entity_id in one.prefixes})
    for one in found:
        for path, node in nodes_of(one.value):
            old = node.get("widgetName")
            if isinstance(old, str) and old:
                own[one.owner.entity_id, path] = new = names.free(old)
                if old not in said and old in meant:
                    said[old] = new
    return own, said


def _ids(found: Sequence[Document]) -> list[str]:
    nodes = (node for one in found for _, node in nodes_of(one.value))
    ids = (node.get("widgetId") for node in nodes)
    return list(dict.fromkeys(one for one in ids if isinstance(one, str) and one))


def _action(section: Section, entity: Entity, given: Contains[str]) -> tuple[Section, str]:
    inside = with_inside(section, entity)
    new = CopyNames(section, given).free(entity.name)
    meant = _meant(section, {entity.entity_id})
    names = {entity.name: new} if entity.name in meant else {}
    own = {entity.name: new}
    page = PageNames.of(section)
    recast = Recast(page, page, names, own=own, seed=f"{section.page}.{new}")
    bindings = _bindings(section, inside)
    files, used = dict[str, bytes](), occupied(section.files)
    for one in inside:
        stem = new if one is entity else f"{new}-{one.name}"
        contents = action_contents(section, one, bindings.get(one.entity_id, ()), recast)
        paths = action_paths(one, section.page, stem, used)
        files |= {paths[path]: content for path, content in contents.items()}
        if one is entity:
            copy_id = f"{entity.kind}:{folder_of(paths[entity.path])}"
    after = section.with_files(files)
    for path in {one.path for one in section.entities if one.kind is Kind.PAGE}:
        more = {
            way: [rewritten(one, entry_spots(exact_json(one.encode()), recast)) for one in items]
            for way, items in entry_texts(after.files[path], runs(entity)).items()
        }
        after = after.with_files({path: with_entries(after.files[path], more)})
    return after, copy_id
