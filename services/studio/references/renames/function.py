"""Rename a function of a script: a member that code calls by its script, or by `this` in there."""

from collections.abc import Iterable

from services.studio.appsmith import EditRefused, EditRule, Entity, Section
from services.studio.appsmith.edit_rules import check_is_name
from services.studio.appsmith.entities import NAMED, part
from services.studio.appsmith.sources import exact_json
from services.studio.references.bindings import Binding, bindings_in
from services.studio.references.javascript import Doubt, Goal, Names
from services.studio.references.readings import Reading, Use, reading_of
from services.studio.references.renames.entity import check_identifier
from services.studio.references.renames.members import Member, member_uses
from services.studio.references.renames.own_names import moved_paths, own_spots
from services.studio.references.renames.plan import Plan, Renamed, Wanted, moved

_OF_SCRIPTS = frozenset(("__proto__", "constructor", "body", "actionId", "ENTITY_TYPE"))
"""Members that every object, or every script of Appsmith, has anyway."""

_UNREAD = (Doubt.BROKEN, Doubt.TOO_LARGE)

Read = list[tuple[Entity, list[Binding]]]


def rename_function(section: Section, entity: Entity, name: str) -> Renamed:
    """Raises EditRefused."""
    script = section.by_id.get(entity.parent_id)
    if script is None:
        detail = f"the script of {entity.name} is not there"
        raise EditRefused(field="entity_id", rule=EditRule.NOT_RENAMABLE, detail=detail)
    read = list(bindings_in(section))
    meant = next(e for e in section.entities if e.kind in NAMED and e.name == script.name)
    _check(section, script, name, read)
    named = meant is script
    taken = Member(script.name, name, entity.name)
    _check_unused(section, read, _Unused(taken, script.entity_id, named=named))
    member = Member(script.name, entity.name, name)
    plan = Plan(section, with_mentions=False)
    plan.code(read, _Follow(member, script.entity_id, named=named))
    plan.own(own_spots(section, entity, name, {}, script.name))
    files = moved_paths(section, entity, name, script.name)
    after, ids = moved(plan.files(), files, section)
    _check_nothing_captured(plan, {e.entity_id: reading_of(b) for e, b in read}, after, ids, member)
    return plan.renamed(after, entity.entity_id, ids)


class _Follow:
    """How code follows a function's name. `named`: code means its script by that one's name."""

    def __init__(self, member: Member, script_id: str, *, named: bool) -> None:
        self._member = member
        self._script_id = script_id
        self._named = named

    def __call__(self, code: str, goal: Goal, names: Names, own: str) -> Wanted:
        mine = own == self._script_id
        found = member_uses(code, goal, self._member, own=mine, named=self._named)
        return Wanted(found.splices, [], found.unclear)


class _Unused(_Follow):
    """The same of a name that hardly stands anywhere: most code need not be parsed for it."""

    def __call__(self, code: str, goal: Goal, names: Names, own: str) -> Wanted:
        if self._member.old not in code and "\\u" not in code:
            return Wanted()
        return super().__call__(code, goal, names, own)


def _check(section: Section, script: Entity, name: str, read: Read) -> None:
    check_is_name(name)
    check_identifier(name, _OF_SCRIPTS)
    taken = {e.name for e in section.entities if e.parent_id == script.entity_id}
    listed = part(exact_json(section.files[script.path]), "unpublishedCollection").get("variables")
    for one in listed if isinstance(listed, list) else []:
        taken |= {str(one.get("name"))} if isinstance(one, dict) else set()
    for entity, bindings in read:
        for binding in bindings if entity.entity_id == script.entity_id else ():
            for code in binding.expressions:
                taken |= {member.name for member in code.names.members}
                if any(one.doubt in _UNREAD for one in code.names.doubts):
                    detail = f"the code of {script.name} cannot be read"
                    raise EditRefused(field="entity_id", rule=EditRule.NOT_RENAMABLE, detail=detail)
    if name in taken:
        raise EditRefused(field="name", rule=EditRule.NAME_TAKEN, detail=name)


def _check_unused(section: Section, read: Read, follow: _Follow) -> None:
    """Nobody may use the name already: what is nobody's today would mean this function then."""
    plan = Plan(section, with_mentions=False)
    plan.code(read, follow)
    for one in plan.changes:
        where = f"{one.entity_id} {one.path} uses {one.before}, which nothing has yet"
        raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=where)


def _check_nothing_captured(
    plan: Plan, before: dict[str, Reading], after: Section, ids: dict[str, str], member: Member
) -> None:
    """Only the member's own name may differ in what changed code uses."""
    then = {ids.get(one, one): one for one in plan.recoded}
    for entity, bound in bindings_in(after, then):
        entity_id = then[entity.entity_id]
        was = _told(before[entity_id].uses, member)
        if was != _told(reading_of(bound).uses, member):
            detail = f"code of {entity_id} would use something else"
            raise EditRefused(field="name", rule=EditRule.NAME_CAPTURED, detail=detail)


def _told(uses: Iterable[Use], member: Member) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for use in uses:
        members = use.members
        if use.name == member.script and members[:1] == (member.old,):
            members = (member.new, *members[1:])
        found.append((use.name, use.how, members))
    return found
