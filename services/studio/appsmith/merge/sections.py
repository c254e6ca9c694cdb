"""Merge one page, or the app level, that both sides have."""

from services.studio.appsmith.entities import Entity, Kind, Object, load_object
from services.studio.appsmith.merge.conflicts import Referee
from services.studio.appsmith.merge.entity import merge_entity
from services.studio.appsmith.merge.places import regrouped
from services.studio.appsmith.merge.presence import Kept, State, presence
from services.studio.appsmith.merge.safety import Unfit, check, exact, strays
from services.studio.appsmith.merge.trees import Tree, merge_trees, read_tree
from services.studio.appsmith.merge.values import same
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import WITH_BODY, body_path, encode_json

Sides = tuple[State, State, State]
Trees = tuple[Tree, Tree, Tree]


def merge_section(
    base: Section | None, ours: Section, theirs: Section, referee: Referee
) -> Section:
    """The merged section. Raises Unfit when the two don't make a whole one."""
    base = base or Section(ours.name, ours.format_version, {})
    page = _tree_page(ours)
    trees = _trees(page, (base, ours, theirs)) if page else None
    sides = tuple(_state(side, trees is None) for side in (base, ours, theirs))
    whole: Sides = (sides[0], sides[1], sides[2])
    kept = presence(*whole, referee)
    files: dict[str, bytes] = {}
    for one in sorted(kept.all):
        entity = (whole[1] if one not in kept.theirs else whole[2]).entities[one]
        if trees and entity.path == (page.path if page else ""):
            continue
        if one in kept.both:
            files |= merge_entity(one, whole, referee)
        else:
            side = whole[1] if one in kept.ours else whole[2]
            files |= {path: side.section.files[path] for path in entity.paths}
    if trees and page:
        files[page.path] = _tree(trees, page, whole, kept, referee)
    merged = Section(ours.name, ours.format_version, files)
    if not merged.has_trees:
        merged = regrouped(_put_back(merged, ours), ours, theirs)
    check(merged, ours, theirs)
    return merged


def _tree(trees: Trees, page: Entity, sides: Sides, kept: Kept, referee: Referee) -> bytes:
    """The page's file: a side's own bytes wherever they are what comes out."""
    was, now, then = (side.section.files[page.path] for side in sides)
    for mine, other, tree in ((now, then, trees[1]), (then, now, trees[2])):
        whole = kept.all & _widgets(page, sides) == frozenset(tree.shells)
        if whole and (other in (was, mine)):
            return mine
    entities = {**sides[2].entities, **sides[1].entities}
    value = merge_trees(trees, entities, page, kept, referee)
    for content in (now, then):
        if same(exact(content), value):
            return content
    try:
        return encode_json(value, now)
    except ValueError as error:
        raise Unfit(str(error)) from None


def _widgets(page: Entity, sides: Sides) -> frozenset[str]:
    return frozenset(
        one
        for side in sides
        for one, entity in side.entities.items()
        if entity.kind is Kind.WIDGET and entity.path == page.path
    )


def _tree_page(section: Section) -> Entity | None:
    """The page, where its file holds a tree of widgets."""
    if not section.has_trees:
        return None
    return next((e for e in section.entities if e.kind is Kind.PAGE), None)


def _trees(page: Entity, sections: tuple[Section, Section, Section]) -> Trees | None:
    found = [
        read_tree(page.path, section.files[page.path])
        for section in sections
        if page.path in section.files
    ]
    whole = [tree for tree in found if tree is not None]
    return (whole[0], whole[1], whole[2]) if len(whole) == len(sections) else None


def _state(section: Section, opaque: bool) -> State:
    """`opaque`: a page's tree is a part of the page, and its widgets nothing of their own."""
    hidden = opaque and section.has_trees
    entities = {e.entity_id: e for e in section.entities if not (hidden and e.kind is Kind.WIDGET)}
    page = next((e.entity_id for e in entities.values() if e.kind is Kind.PAGE), "")
    folders = {
        body_path(e).rpartition("/")[0]: e.entity_id
        for e in entities.values()
        if e.kind in WITH_BODY
    }
    around = {}
    for one in entities.values():
        outer = one.parent_id if one.parent_id in entities else ""
        if one.kind is Kind.FILE:
            outer = folders.get(one.path.rpartition("/")[0], "")
        around[one.entity_id] = outer or (page if one.entity_id != page else "")
    return State(section, entities, around)


def _put_back(merged: Section, ours: Section) -> Section:
    """A widget that the other side moved into what is gone stays where we have it."""
    lost = [one for one in strays(merged) if one in ours.by_id and one not in strays(ours)]
    files: dict[str, bytes] = {}
    for one in lost:
        path = ours.by_id[one].path
        value, mine = exact(merged.files[path]), load_object(path, ours.files[path])
        if value is not None:
            placed: Object = {**value, "parentId": mine.get("parentId")}
            files[path] = encode_json(placed, merged.files[path])
    return merged.with_files(files) if files else merged
