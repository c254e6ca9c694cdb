"""Rename an entity of a page: all that refers to it follows, and not a character more changes."""

from collections import defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from services.studio.appsmith import EditRefused, EditRule, Entity, Kind, Section
from services.studio.appsmith.compare import Path, path_text
from services.studio.appsmith.edit_rules import check_name
from services.studio.appsmith.sources import (
    BODY_AT,
    WITH_BODY,
    body_path,
    exact_json,
    is_whole,
)
from services.studio.references.bindings import TEXT, Binding, bindings_in
from services.studio.references.graph import NAMED
from services.studio.references.javascript import Goal, Name, names_in
from services.studio.references.own_names import moved_paths, node_paths, own_spots, path_keys
from services.studio.references.platform import PLATFORM
from services.studio.references.readings import Reading, reading_of
from services.studio.references.scopes import WORDS
from services.studio.references.splice import Splice, Spot, spliced, spliced_json


@dataclass(frozen=True, slots=True)
class Changed:
    """A place that a rename changes: in which entity, where, and what it becomes. `path` as people
    write it; empty for a text."""

    entity_id: str
    path: str
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """The section afterwards. `entity_id`: the entity's id now. `moved`: ids that changed with
    their files' names, old to new. `mentions`: texts that are the name, and left as they were."""

    section: Section
    entity_id: str
    changes: tuple[Changed, ...]
    moved: dict[str, str]
    mentions: tuple[Changed, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What is to be spliced, by file. `with_mentions`: texts that are the name, too. `follows`:
    code means this entity by the name, and not another one that has it, too."""

    old: str
    new: str
    with_mentions: bool
    follows: bool
    documents: dict[str, dict[Spot, list[Splice]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    texts: dict[str, list[Splice]] = field(default_factory=lambda: defaultdict(list))
    changes: list[Changed] = field(default_factory=list)
    mentions: list[Changed] = field(default_factory=list)


def rename(
    section: Section,
    entity_id: str,
    name: str,
    given: Container[str] = (),
    *,
    with_mentions: bool = False,
) -> Renamed:
    """Give a widget, query or script of a page another name. `given`: names that the app's
    libraries bring. `with_mentions`: change texts that functions take for the name, too. Raises
    EditRefused, which names the rule and the place."""
    entity = section.by_id.get(entity_id)
    if entity is None:
        raise EditRefused(field="entity_id", rule=EditRule.UNKNOWN_ENTITY, detail=entity_id)
    if entity.kind not in NAMED:
        detail = f"a {entity.kind} has no name that code calls it by"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_RENAMABLE, detail=detail)
    if name == entity.name:
        return Renamed(section, entity_id, (), {})
    read = {one.entity_id: (one, bound) for one, bound in bindings_in(section)}
    before = {one_id: reading_of(bound) for one_id, (_, bound) in read.items()}
    _check(section, entity, name, given, before)
    meant = next(e for e in section.entities if e.kind in NAMED and e.name == entity.name)
    plan = _Plan(entity.name, name, with_mentions, follows=meant is entity)
    prefixes = node_paths(section)
    for one, bound in read.values() if plan.follows else ():
        for binding in bound:
            _plan_binding(plan, section, one, binding, prefixes.get(one.entity_id, ()))
        _plan_path_keys(plan, section, one)
    for owner_id, path, spot, splice in own_spots(section, entity, name, prefixes):
        plan.documents[path][spot].append(splice)
        shown = path_text(spot.path)
        plan.changes.append(Changed(owner_id, shown, splice.start, entity.name, splice.new))
    return _carried_out(plan, section, entity, name, before)


def _check(
    section: Section,
    entity: Entity,
    name: str,
    given: Container[str],
    readings: dict[str, Reading],
) -> None:
    check_name(section, entity.kind, name)
    if not name.replace("$", "_").isidentifier():
        detail = "letters, digits, _ and $, and no digit first: code must be able to say it"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)
    if name in WORDS or name in PLATFORM or name in given:
        detail = f"{name} means something else in code already"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)
    for entity_id, reading in readings.items():
        for use in reading.uses:
            if use.name == name:
                where = f"{entity_id} {path_text(use.path)} uses {name}, which nothing has yet"
                raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=where)


def _plan_binding(
    plan: _Plan, section: Section, entity: Entity, binding: Binding, prefix: Path
) -> None:
    splices = [
        splice_of(binding.text, one.start, use, plan.new)
        for one in binding.expressions
        for use in one.names.found
        if use.name == plan.old
    ]
    mentions = [
        Splice(one.start + text.start, one.start + text.end, plan.new)
        for one in binding.expressions
        for text in one.names.mentions
        if text.name == plan.old
    ]
    if plan.with_mentions:
        splices += mentions
    else:
        plan.mentions += [_changed(entity, binding.path, binding.text, one) for one in mentions]
    if splices:
        _put(plan, section, entity, binding, prefix, splices)


def _put(
    plan: _Plan,
    section: Section,
    entity: Entity,
    binding: Binding,
    prefix: Path,
    splices: list[Splice],
) -> None:
    body = body_path(entity) if entity.kind in WITH_BODY else ""
    whole = is_whole(entity)
    if binding.path == TEXT and not whole:
        plan.texts[body] += splices
    else:
        inner = (*BODY_AT[entity.kind], "body") if entity.kind in WITH_BODY else TEXT
        path = inner if binding.path == TEXT else binding.path
        spot = Spot((*prefix, *path))
        plan.documents[entity.path][spot] += splices
        twin = section.files.get(body) if path == inner and not whole else None
        if twin is not None and twin.decode("utf-8", "replace") == binding.text:
            plan.texts[body] += splices  # a query's text stands in its metadata too
    plan.changes += [_changed(entity, binding.path, binding.text, one) for one in splices]


def _changed(entity: Entity, path: Path, text: str, one: Splice) -> Changed:
    before = text[one.start : one.end]
    return Changed(entity.entity_id, path_text(path), one.start, before, one.new)


def splice_of(text: str, code_start: int, use: Name, new: str) -> Splice:
    """`{Old}` becomes `{Old: New}`, and `{New: Old}` becomes `{New}`, so that a rename and the one
    back end where they began."""
    start, end = code_start + use.start, code_start + use.end
    if use.shorthand:
        return Splice(start, end, f"{use.name}: {new}")
    if use.key_start is not None and text[code_start + use.key_start : start] == f"{new}: ":
        return Splice(code_start + use.key_start, end, new)
    return Splice(start, end, new)


def _plan_path_keys(plan: _Plan, section: Section, entity: Entity) -> None:
    """Appsmith's own lists of a query's expressions; a page has them too, of what it runs."""
    if entity.kind not in (Kind.PAGE, Kind.QUERY, Kind.SCRIPT_FUNCTION):
        return
    content = section.files[entity.path]
    if b"jsonPathKeys" not in content:
        return
    for path, code in path_keys(exact_json(content)):
        for use in names_in(code, Goal.DATA).found:
            if use.name == plan.old:
                splice = splice_of(code, 0, use, plan.new)
                plan.documents[entity.path][Spot(path)].append(splice)
                plan.changes.append(_changed(entity, path, code, splice))


def _carried_out(
    plan: _Plan, section: Section, entity: Entity, name: str, before: dict[str, Reading]
) -> Renamed:
    files = dict(section.files)
    for path, wanted in plan.documents.items():
        files[path] = spliced_json(files[path].decode(), wanted).encode()
    for path, splices in plan.texts.items():
        files[path] = spliced(files[path].decode(), splices).encode()
    paths = moved_paths(section, entity, name)
    if taken := sorted(paths[path] for path in paths if paths[path] in files):
        detail = f"the file {taken[0]} is there"
        raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=detail)
    files = {paths.get(path, path): content for path, content in files.items()}
    after = Section(section.name, section.format_version, dict(sorted(files.items())))
    moved = dict(_moved_ids(section, after, paths))
    _check_nothing_captured(plan, before, after, moved)
    entity_id = moved.get(entity.entity_id, entity.entity_id)
    return Renamed(after, entity_id, tuple(plan.changes), moved, tuple(plan.mentions))


def _moved_ids(
    section: Section, after: Section, paths: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """An entity keeps its place among those of its file."""
    now: dict[str, list[str]] = defaultdict(list)
    for one in after.entities:
        now[one.path].append(one.entity_id)
    for one in section.entities:
        new_id = now[paths.get(one.path, one.path)].pop(0)
        if new_id != one.entity_id:
            yield one.entity_id, new_id


def _check_nothing_captured(
    plan: _Plan, before: dict[str, Reading], after: Section, moved: dict[str, str]
) -> None:
    """What used something else still does, and what used it uses it still: a local of that name
    would have taken a reference, or a reference the place of a local."""
    now = {one.entity_id: reading_of(bound) for one, bound in bindings_in(after)}
    for entity_id, reading in before.items():
        was = [
            (plan.new if plan.follows and u.name == plan.old else u.name, u.how, u.members)
            for u in reading.uses
        ]
        found = [(u.name, u.how, u.members) for u in now[moved.get(entity_id, entity_id)].uses]
        if was != found:
            detail = f"a variable in {entity_id} has the name {plan.new}"
            raise EditRefused(field="name", rule=EditRule.NAME_CAPTURED, detail=detail)
