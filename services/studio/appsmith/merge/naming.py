"""What the things of a page are called after a merge, when one side or both renamed some."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.studio.appsmith.compare import MISSING, Path
from services.studio.appsmith.entities import NAMED, Entity, Kind
from services.studio.appsmith.match import Pairs
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.merge.turned import Trio
from services.studio.appsmith.sections import Section

NAME_AT: Mapping[Kind, Path] = {
    Kind.WIDGET: ("widgetName",),
    Kind.QUERY: ("unpublishedAction", "name"),
    Kind.SCRIPT: ("unpublishedCollection", "name"),
    Kind.SCRIPT_FUNCTION: ("unpublishedAction", "name"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A thing's name after the merge. `ids`: on each side, empty where it is not. `names`: what it
    is called there. `by`: whose name it is."""

    ids: tuple[str, str, str]
    names: tuple[str, str, str]
    name: str
    by: Side | None

    @property
    def as_it_was(self) -> "Wish":
        return replace(self, name=self.names[0], by=None)


QUARRELS_MAX = 100
"""Of two things for a name, in a page; with more of them the names are left as they are."""


@dataclass
class Names:
    """What is to be called how: `wishes` of things that all sides have, and by side and id the
    numbered names of new things that give way. `known`: by side, what the base has, too."""

    known: tuple[frozenset[str], frozenset[str], frozenset[str]]
    wishes: dict[str, Wish] = field(default_factory=dict)
    others: tuple[dict[str, str], dict[str, str], dict[str, str]] = field(
        default_factory=lambda: ({}, {}, {})
    )

    def of(self, n: int) -> dict[str, str]:
        """Of a side: names by its ids."""
        return {one.ids[n]: one.name for one in self.wishes.values()} | self.others[n]

    @property
    def change_nothing(self) -> bool:
        wishes = self.wishes.values()
        return not any(self.others) and all({*one.names} == {one.name} for one in wishes)


def names_after(
    sides: Trio, paired: tuple[Pairs, Pairs], dropped: set[str], referee: Referee
) -> Names:
    """The name that a side alone gave is the name; of two it is as decided. `paired`: the base's
    things with ours, and with theirs. `dropped`: of the base's, what is left as it is."""
    base, ours, theirs = (one.section for one in sides)
    mine, yours = paired
    known = (frozenset(base.by_id), frozenset(mine.values()), frozenset(yours.values()))
    names = Names(known)
    for one in base.entities:
        if one.kind in NAME_AT and one.entity_id not in dropped:
            wish = _wish(one, (base, ours, theirs), mine, yours, referee)
            if wish is not None:
                names.wishes[one.entity_id] = wish
    for _ in range(QUARRELS_MAX):
        if names.change_nothing or not _settled(sides, names, referee):
            return names
    return Names(known)


def _wish(
    one: Entity, sections: tuple[Section, Section, Section], mine: Pairs, yours: Pairs, to: Referee
) -> Wish | None:
    base_id = one.entity_id
    ids = (base_id, mine.get(base_id, ""), yours.get(base_id, ""))
    if not (ids[1] and ids[2]):
        return None
    now, then = sections[1].by_id[ids[1]], sections[2].by_id[ids[2]]
    names = (one.name, now.name, then.name)
    if names[1] in (names[0], names[2]):
        by = None if names[2] == names[0] else Side.THEIRS
        return Wish(ids, names, names[2], by)
    if names[2] == names[0]:
        return Wish(ids, names, names[1], Side.OURS)
    by = to.decide(now, NAME_AT[one.kind], Clash.CHANGED, names)
    return Wish(ids, names, names[1] if by is Side.OURS else names[2], by)


def _settled(sides: Trio, names: Names, referee: Referee) -> bool:
    """Settle one quarrel of two things for a name; False when there is none."""
    for n in (1, 2, 0):
        final = names.of(n)
        holders: dict[str, Entity] = {}
        for one in sides[n].section.entities:
            if one.kind not in NAMED:
                continue
            name = final.get(one.entity_id, one.name)
            twin = holders.setdefault(name, one)
            if twin is not one and one.name != twin.name:
                newcomer, holder = (one, twin) if one.name != name else (twin, one)
                _settle(n, newcomer, holder, sides, names, referee)
                return True
    return False


def _settle(
    n: int, newcomer: Entity, holder: Entity, sides: Trio, names: Names, referee: Referee
) -> None:
    """On side `n` the newcomer would get the name that the holder has there."""
    by_id = {one.ids[n]: one for one in names.wishes.values()}
    wish, rival = by_id.get(newcomer.entity_id), by_id.get(holder.entity_id)
    if wish is None:
        names.others[n].pop(newcomer.entity_id, None)
        return
    side = (None, Side.OURS, Side.THEIRS)[n]
    renamed = rival is not None and rival.by is side
    added = rival is None and holder.entity_id not in names.known[n]
    if side is None or wish.by in (None, side) or not (renamed or added):
        del names.wishes[wish.ids[0]]
        return
    values: list[object] = list(rival.names) if rival else [MISSING, MISSING, MISSING]
    values[n] = holder.name
    at = NAME_AT[holder.kind]
    decided = referee.decide(holder, at, Clash.NAME_TAKEN, (values[0], values[1], values[2]))
    if decided is side:
        names.wishes[wish.ids[0]] = wish.as_it_was
    elif rival is not None:
        names.wishes[rival.ids[0]] = rival.as_it_was
    else:
        names.others[n][holder.entity_id] = _numbered(holder.name, sides, names)


def _numbered(name: str, sides: Trio, names: Names) -> str:
    taken = {e.name for one in sides for e in one.section.entities}
    taken |= {x for n in range(3) for x in names.of(n).values()}
    count = 2
    while f"{name}{count}" in taken:
        count += 1
    return f"{name}{count}"
