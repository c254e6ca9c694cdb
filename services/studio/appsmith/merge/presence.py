"""Which entities of a page (or of the app level) a merge keeps.

What one side removed goes, with all inside, unless the other side changed something of it or put
something into it: then the two clash, as one conflict about the outermost thing that was removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.studio.appsmith.compare import MISSING, sources
from services.studio.appsmith.entities import Entity, Kind
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import Source

NAMED = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT)
"""Share one namespace in a page."""


@dataclass(frozen=True)
class State:
    """One side's entities by id, and what each is inside of (an id, or empty)."""

    section: Section
    entities: Mapping[str, Entity]
    around: Mapping[str, str]

    def shown(self, one: str) -> object:
        """The entity as a conflict shows it; MISSING where it is not."""
        if one not in self.entities:
            return MISSING
        source = self._sources[one]
        if source.value is None:
            return source.text
        return source.value if source.text is None else {**source.value, "text": source.text}

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return sources({self.section.name: self.section}, self.entities.values())


@dataclass(frozen=True)
class Kept:
    """Ids by where they are taken from."""

    both: frozenset[str]
    ours: frozenset[str]
    theirs: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.both | self.ours | self.theirs


def presence(base: State, ours: State, theirs: State, referee: Referee) -> Kept:
    """Decide for each entity whether it stays."""
    both = ours.entities.keys() & theirs.entities.keys()
    mine = _kept(base, ours, theirs, referee, Side.OURS)
    yours = _kept(base, theirs, ours, referee, Side.THEIRS)
    mine, yours = _without_twins(base, ours, theirs, mine, yours, referee)
    return Kept(frozenset(both), frozenset(mine), frozenset(yours))


def _kept(base: State, side: State, other: State, referee: Referee, whose: Side) -> set[str]:
    """Of what only `side` has, what stays."""
    kept: set[str] = set()
    gone: dict[str, list[str]] = {}  # the outermost thing that the other side removed: its inside
    for one in side.entities:
        if one in other.entities:
            continue
        top = _outermost_removed(one, base, side, other)
        if top:
            gone.setdefault(top, []).append(one)
        else:
            kept.add(one)
    for top, inside in gone.items():
        if not any(_touched(one, base, side) for one in inside) and not _filled(inside, base, side):
            continue
        was, now = base.shown(top), side.shown(top)
        ours, theirs = (now, MISSING) if whose is Side.OURS else (MISSING, now)
        decided = referee.decide(side.entities[top], (), Clash.REMOVED, (was, ours, theirs))
        if decided is whose:
            kept.update(inside)
    return kept


def _outermost_removed(one: str, base: State, side: State, other: State) -> str:
    found, at, seen = "", one, set[str]()
    while at and at in side.entities and at not in other.entities and at not in seen:
        seen.add(at)
        if at in base.entities:
            found = at
        at = side.around.get(at, "")
    return found


def _touched(one: str, base: State, side: State) -> bool:
    was = base.entities.get(one)
    if was is None or was.digest != side.entities[one].digest:
        return True
    return base.around.get(one, "") != side.around.get(one, "")


def _filled(inside: list[str], base: State, side: State) -> bool:
    """Whether the side moved something into what the other side removed."""
    held = set(inside)
    return any(
        outer in held and one not in held and base.around.get(one, "") != outer
        for one, outer in side.around.items()
    )


def _without_twins(
    base: State,
    ours: State,
    theirs: State,
    mine: set[str],
    yours: set[str],
    referee: Referee,
) -> tuple[set[str], set[str]]:
    """Of two new things of one name only one can stay."""
    added = {
        ours.entities[one].name: one
        for one in sorted(mine)
        if one not in base.entities and ours.entities[one].kind in NAMED
    }
    for one in sorted(yours):
        entity = theirs.entities[one]
        twin = added.get(entity.name)
        if twin is None or one in base.entities or entity.kind not in NAMED:
            continue
        if one not in yours or twin not in mine:
            continue
        values = (MISSING, ours.shown(twin), theirs.shown(one))
        if referee.decide(entity, (), Clash.NAME_TAKEN, values) is Side.OURS:
            yours = yours - _inside(one, theirs)
        else:
            mine = mine - _inside(twin, ours)
    return mine, yours


def _inside(one: str, state: State) -> set[str]:
    held: dict[str, list[str]] = {}
    for inner, outer in state.around.items():
        held.setdefault(outer, []).append(inner)
    found: set[str] = set()
    pending = [one]
    while pending:
        at = pending.pop()
        if at not in found:
            found.add(at)
            pending += held.get(at, [])
    return found
