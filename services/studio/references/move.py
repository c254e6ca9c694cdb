"""Move an entity to another container or page: what it is stays, but who means it may not.

Within a page no name breaks. On another page names mean other things: all such places are told.
"""

from collections.abc import Container as Contains
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.studio.appsmith import App, EditRefused, EditRule, Entity, Kind, Section
from services.studio.appsmith.containers import (
    Container,
    child_at,
    container_of,
    tree_ways,
    with_child,
)
from services.studio.appsmith.edit import entity_of, with_inside
from services.studio.appsmith.entities import NAMED
from services.studio.appsmith.on_load import (
    entry_texts,
    runs,
    with_last_entries,
    without_entries,
)
from services.studio.appsmith.paths import occupied
from services.studio.appsmith.raw_json import without_item
from services.studio.appsmith.sections import PAGE_PREFIX
from services.studio.appsmith.sources import exact_json
from services.studio.references.breaks import Break, breaks_between
from services.studio.references.carried import (
    Document,
    Place,
    documents,
    fresh_ids,
    ids_on,
    inside_of,
    is_canvas,
    is_canvas_entity,
    nodes_on,
    paths_for,
    recast_document,
    stays_put,
)
from services.studio.references.copy_names import CopyNames
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

NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. `page`: its folder; the same page when empty. Of widgets: `parent_id`, the
    container (the page's canvas when empty); `canvas_id`, one of its canvases (its first when
    empty); `place` among those in there, where they have an order (the last when None)."""

    page: str = ""
    parent_id: str = ""
    canvas_id: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The app afterwards and the entity in it. `ids`: those that changed, old to new. `changed`:
    all that moved, and whose sources are others now. `breaks`: places. By ids before, both."""

    app: App
    entity: Entity
    ids: Mapping[str, str]
    changed: tuple[str, ...]
    breaks: tuple[Break, ...] = ()


def move(app: App, entity_id: str, target: Target) -> Moved:
    """Move a widget with all inside it, a query, or a script with its functions. The app may hold
    just the pages that it is about, and `app`. Raises EditRefused; with NAMES_TAKEN the detail
    lists names that the other page has already."""
    entity = entity_of(app, entity_id)
    section = app.sections[entity.section]
    if entity.kind not in NAMED or stays_put(section, entity):
        what = "canvas" if stays_put(section, entity) else entity.kind
        detail = f"a {what} stays where it is"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_MOVABLE, detail=detail)
    other = app.sections.get(PAGE_PREFIX + (target.page or section.page))
    if other is None:
        raise EditRefused(field="page", rule=EditRule.PAGE_UNKNOWN, detail=target.page)
    inside = with_inside(section, entity)
    given = app.given
    if other is not section:
        _check_names(other, inside)
    if entity.kind is Kind.WIDGET:
        sections, ids = _widget(section, other, inside, target, given)
    elif other is section:
        sections, ids = [section], {}
    else:
        sections, ids = _action(section, other, inside)
    after = app.with_sections(sections)
    breaks: Sequence[Break] = ()
    if other is not section:
        breaks = breaks_between([section, other], sections, given, ids)
    moved_ids = {old: new for old, new in ids.items() if old != new}
    found = after.sections[other.name].by_id[ids.get(entity_id, entity_id)]
    changed = [one.entity_id for one in inside] if sections != [section] else []
    changed += _changed([section, other], after, set(changed))
    return Moved(after, found, moved_ids, tuple(dict.fromkeys(changed)), tuple(breaks))


def _changed(before: Sequence[Section], after: App, moved: Contains[str]) -> list[str]:
    """Pages, above all: what they run, and what is inside of what."""
    changed = []
    for section in before:
        now = after.sections[section.name].by_id
        for one in section.entities:
            same = now.get(one.entity_id)
            if one.entity_id not in moved and (same is None or same.digest != one.digest):
                changed.append(one.entity_id)
    return changed


def _check_names(other: Section, inside: Sequence[Entity]) -> None:
    theirs = {one.name for one in other.entities if one.kind in NAMED}
    alone = [e for e in other.entities if e.kind is Kind.SCRIPT_FUNCTION and not e.parent_id]
    theirs |= {str(one.fields.get("script")) for one in alone}  # a script would take them in
    mine = [one.name for one in inside if one.kind in NAMED and not is_canvas_entity(one)]
    if taken := [name for name in mine if name in theirs]:
        detail = ", ".join(taken[:NAMES_SHOWN])
        raise EditRefused(field="page", rule=EditRule.NAMES_TAKEN, detail=detail)


def _widget(
    section: Section,
    other: Section,
    inside: list[Entity],
    target: Target,
    given: Contains[str],
) -> tuple[list[Section], dict[str, str]]:
    entity = inside[0]
    container = container_of(other, target.parent_id, target.canvas_id)
    if container.parent_id in {one.entity_id for one in inside}:
        detail = f"{container.parent_id} is inside of it"
        raise EditRefused(field="parent_id", rule=EditRule.INSIDE_ITSELF, detail=detail)
    if other is section and target.place is None and _is_in(section, entity, container):
        return [section], {}
    found = documents(section, entity, inside)
    ids, own = dict[str, str](), dict[Place, str]()
    if other is not section:
        ids = fresh_ids(_taken_ids(found, other), ids_on(other), other.page)
        own = _canvas_names(found, other, given)
    recast = Recast(PageNames.of(section), PageNames.of(other), ids=ids)
    texts = [recast_document(one, {}, recast, own) for one in found]
    texts[0] = inside_of(texts[0], container.canvas_id)
    if section.has_trees:
        return _in_trees(section, other, inside, target, texts[0])
    by_path = {one.owner.path: text for one, text in zip(found, texts, strict=True)}
    return _in_files(section, other, inside, container.folder, by_path)


def _is_in(section: Section, entity: Entity, container: Container) -> bool:
    value = exact_json(section.files[entity.path])
    if section.has_trees:
        return tree_ways(entity.path, value)[entity.entity_id][:-2] == container.way
    return value.get("parentId") == container.canvas_id


def _taken_ids(found: Sequence[Document], other: Section) -> list[str]:
    taken = ids_on(other)
    nodes = (node for one in found for _, node in nodes_of(one.value))
    ids = (node.get("widgetId") for node in nodes)
    return [one for one in ids if isinstance(one, str) and one in taken]


def _canvas_names(
    found: Sequence[Document], other: Section, given: Contains[str]
) -> dict[Place, str]:
    """Canvases have names that nobody sees, and every page has the same ones: those give way."""
    names = CopyNames(other, given)
    theirs = {name for node in nodes_on(other) if isinstance(name := node.get("widgetName"), str)}
    own: dict[Place, str] = {}
    for one in found:
        for path, node in nodes_of(one.value):
            name = node.get("widgetName")
            if is_canvas(node) and isinstance(name, str) and name in theirs:
                own[one.owner.entity_id, path] = names.free(name)
    return own


def _in_trees(
    section: Section,
    other: Section,
    inside: Sequence[Entity],
    target: Target,
    text: str,
) -> tuple[list[Section], dict[str, str]]:
    entity = inside[0]
    content = section.files[entity.path]
    *way, at = tree_ways(entity.path, exact_json(content))[entity.entity_id]
    assert isinstance(at, int), "a root does not move"
    content = without_item(content.decode(), tuple(way), at).encode()
    left = section.with_files({entity.path: content})
    before = left if other is section else other
    container = container_of(before, target.parent_id, target.canvas_id)  # it may have shifted
    holder = before.files[container.path]
    content = with_child(holder, container.way, text, target.place)
    after = before.with_files({container.path: content})
    outer = child_at(after, container.path, container.way, target.place)
    arrived = with_inside(after, after.by_id[outer])
    ids = {old.entity_id: one.entity_id for old, one in zip(inside, arrived, strict=True)}
    return ([after] if other is section else [left, after]), ids


def _in_files(
    section: Section,
    other: Section,
    inside: Sequence[Entity],
    folder: str,
    texts: Mapping[str, str],
) -> tuple[list[Section], dict[str, str]]:
    left = section.with_files({}, [one.path for one in inside])
    before = left if other is section else other
    paths = paths_for(inside, folder, {}, before.files)
    after = before.with_files({paths[path]: text.encode() for path, text in texts.items()})
    ids = {one.entity_id: f"{Kind.WIDGET}:{paths[one.path]}" for one in inside}
    return ([after] if other is section else [left, after]), ids


def _action(
    section: Section, other: Section, inside: Sequence[Entity]
) -> tuple[list[Section], dict[str, str]]:
    recast = Recast(PageNames.of(section), PageNames.of(other))
    left = section.with_files({}, [path for one in inside for path in one.paths])
    files, ids, used = dict[str, bytes](), dict[str, str](), occupied(other.files)
    for one in inside:
        stem = folder_of(one.path).rpartition("/")[2]
        paths = action_paths(one, other.page, stem, used)
        contents = action_contents(section, one, (), recast)
        files |= {paths[path]: content for path, content in contents.items()}
        ids[one.entity_id] = f"{one.kind}:{folder_of(paths[one.path])}"
    after = other.with_files(files)
    runs_it = runs(inside[0])
    entries: list[str] = []
    for path in {one.path for one in left.entities if one.kind is Kind.PAGE}:
        for items in entry_texts(left.files[path], runs_it).values():
            entries += [
                rewritten(one, entry_spots(exact_json(one.encode()), recast)) for one in items
            ]
        left = left.with_files({path: without_entries(left.files[path], runs_it)})
    for path in {one.path for one in other.entities if one.kind is Kind.PAGE}:
        after = after.with_files({path: with_last_entries(after.files[path], entries)})
    return [left, after], ids
