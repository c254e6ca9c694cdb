"""Rename a widget, a query or a script: a name that code of its page calls."""

import re
from collections.abc import Container, Mapping

from services.studio.appsmith import EditRefused, EditRule, Entity, Section
from services.studio.appsmith.compare import path_text
from services.studio.appsmith.edit_rules import check_name
from services.studio.appsmith.entities import NAMED
from services.studio.references.bindings import bindings_in
from services.studio.references.javascript import Doubt, Goal, Name, Names
from services.studio.references.platform import PLATFORM
from services.studio.references.readings import Reading, reading_of
from services.studio.references.renames.own_names import moved_paths, node_paths, own_spots
from services.studio.references.renames.plan import (
    Plan,
    Renamed,
    Wanted,
    check_unmentioned,
    moved,
)
from services.studio.references.scopes import WORDS
from services.studio.references.splice import Splice
from services.studio.references.syntax import BY_PAGE_NAME


def rename_entity(
    section: Section, entity: Entity, name: str, given: Container[str], *, with_mentions: bool
) -> Renamed:
    """`given`: names that the app's libraries bring. Raises EditRefused."""
    read = list(bindings_in(section))
    before = {one.entity_id: reading_of(bound) for one, bound in read}
    _check(section, entity, name, given, before)
    meant = next(e for e in section.entities if e.kind in NAMED and e.name == entity.name)
    follows = meant is entity
    plan = Plan(section, with_mentions)
    if follows:
        plan.code(read, _Follow(entity.name, name))
        if with_mentions:
            check_unmentioned(section, read, _Follow(name, entity.name))
    plan.own(own_spots(section, entity, name, node_paths(section)))
    after, ids = moved(plan.files(), moved_paths(section, entity, name), section)
    old = entity.name if follows else name
    _check_nothing_captured(plan, before, after, ids, old, name)
    return plan.renamed(after, entity.entity_id, ids)


def check_identifier(name: str, *taken: Container[str]) -> None:
    """Raise EditRefused when code could not say the name, or means something else by it."""
    if not name.replace("$", "_").isidentifier():
        detail = "letters, digits, _ and $, and no digit first: code must be able to say it"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)
    if name in WORDS or any(name in names for names in taken):
        detail = f"{name} means something else in code already"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)


class _Follow:
    """How code follows an entity's name."""

    def __init__(self, old: str, new: str) -> None:
        self._old = old
        self._new = new
        self._stands = re.compile(rf"(?<![\w$]){re.escape(old)}(?![\w$])")

    def __call__(self, code: str, goal: Goal, names: Names, own: str) -> Wanted:
        old, new = self._old, self._new
        unclear = [d for d in names.doubts if d.doubt is not Doubt.COMPUTED]
        return Wanted(
            [splice_of(code, use, new) for use in names.found if use.name == old],
            [
                Splice(one.start, one.end, new)
                for one in names.mentions
                if one.name == old and one.function != BY_PAGE_NAME
            ],
            [(one.start, one.end) for one in unclear if self._stands.search(code)],
        )


def splice_of(code: str, use: Name, new: str) -> Splice:
    """`{Old}` becomes `{Old: New}`, and `{New: Old}` becomes `{New}`, so that a rename and the one
    back end where they began."""
    if use.shorthand:
        return Splice(use.start, use.end, f"{use.name}: {new}")
    if use.key_start is not None and code[use.key_start : use.start] == f"{new}: ":
        return Splice(use.key_start, use.end, new)
    return Splice(use.start, use.end, new)


def _check(
    section: Section,
    entity: Entity,
    name: str,
    given: Container[str],
    readings: Mapping[str, Reading],
) -> None:
    check_name(section, entity.kind, name)
    check_identifier(name, PLATFORM, given)
    for entity_id, reading in readings.items():
        for use in reading.uses:
            if use.name == name:
                where = f"{entity_id} {path_text(use.path)} uses {name}, which nothing has yet"
                raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=where)


def _check_nothing_captured(
    plan: Plan,
    before: Mapping[str, Reading],
    after: Section,
    ids: Mapping[str, str],
    old: str,
    new: str,
) -> None:
    """What used something else still does, and what used it uses it still: a local of that name
    would have taken a reference, or a reference the place of a local."""
    then = {ids.get(one, one): one for one in plan.recoded}
    for entity, bound in bindings_in(after, then):
        entity_id = then[entity.entity_id]
        was = [(new if u.name == old else u.name, u.how, u.members) for u in before[entity_id].uses]
        now = reading_of(bound)
        if _too_large(now) > _too_large(before[entity_id]):
            detail = f"code of {entity_id} would be too long to be looked into"
            raise EditRefused(field="name", rule=EditRule.CODE_TOO_LONG, detail=detail)
        if was != [(u.name, u.how, u.members) for u in now.uses]:
            detail = f"a variable in {entity_id} has the name {new}"
            raise EditRefused(field="name", rule=EditRule.NAME_CAPTURED, detail=detail)


def _too_large(reading: Reading) -> int:
    return sum(one.doubt is Doubt.TOO_LARGE for one in reading.unclear)
