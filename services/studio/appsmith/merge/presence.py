"""Which entities of a page (or of the app level) a merge keeps.

What one side removed goes, with all inside, unless the other side changed something of it or put
something into it: then the two clash, as one conflict about the outermost thing that was removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.studio.appsmith.compare import MISSING, sources
from services.studio.appsmith.entities import NAMED, Entity
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.sections import Section
from services.studio.appsmith.sources import Source
from services.studio.appsmith.templates import CANVAS

DEPTH_MAX = 1_000
"""Of what is inside of what; deeper things only come in another order."""


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

    def within(self, one: str) -> set[str]:
        """The thing itself and all inside of it."""
        found: set[str] = set()
        pending = [one]
        while pending:
            at = pending.pop()
            if at not in found:
                found.add(at)
                pending += self._inside.get(at, [])
        return found

    @cached_property
    def _inside(self) -> dict[str, list[str]]:
        held: dict[str, list[str]] = {}
        for inner, outer in self.around.items():
            held.setdefault(outer, []).append(inner)
        return held

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
    _drop_twins(ours, theirs, mine, yours, referee)
    return Kept(frozenset(both), frozenset(mine), frozenset(yours))


def _kept(base: State, side: State, other: State, referee: Referee, whose: Side) -> set[str]:
    """Of what only `side` has, what stays."""
    kept: set[str] = set()
    known: dict[str, str] = {}
    gone: dict[str, list[str]] = {}  # the outermost thing that the other side removed: its inside
    for one in side.entities:
        if one in other.entities:
            continue
        top = _outermost_removed(one, base, side, other, known)
        if top:
            gone.setdefault(top, []).append(one)
        else:
            kept.add(one)
    moved = (outer for one, outer in side.around.items() if base.around.get(one, "") != outer)
    filled = {known.get(outer, "") for outer in moved}
    for top, inside in gone.items():
        if top not in filled and not any(_touched(one, base, side) for one in inside):
            continue
        was, now = base.shown(top), side.shown(top)
        ours, theirs = (now, MISSING) if whose is Side.OURS else (MISSING, now)
        decided = referee.decide(side.entities[top], (), Clash.REMOVED, (was, ours, theirs))
        if decided is whose:
            kept.update(inside)
    return kept


def _outermost_removed(
    one: str, base: State, side: State, other: State, known: dict[str, str]
) -> str:
    """Of what a thing is inside of, itself included, the outermost that the other side removed."""
    way: list[str] = []
    at, seen = one, set[str]()
    while at in side.entities and at not in other.entities and at not in seen and at not in known:
        seen.add(at)
        way.append(at)
        at = side.around.get(at, "")
    found = known.get(at, "")
    for step in reversed(way):
        found = found or (step if step in base.entities else "")
        known[step] = found
    return known.get(one, "")


def _touched(one: str, base: State, side: State) -> bool:
    was = base.entities.get(one)
    if was is None or was.digest != side.entities[one].digest:
        return True
    return base.around.get(one, "") != side.around.get(one, "")


def _drop_twins(
    ours: State, theirs: State, mine: set[str], yours: set[str], referee: Referee
) -> None:
    """Of two things of one name that only one side has each, only one can stay."""
    named = {ours.entities[one].name: one for one in sorted(mine) if _is_named(one, ours)}
    for one in sorted(yours, key=lambda one: (_depth(one, theirs), one)):
        twin = named.get(theirs.entities[one].name)
        if twin is None or not _is_named(one, theirs) or one not in yours or twin not in mine:
            continue
        left, right = _holder(twin, ours, mine), _holder(one, theirs, yours)
        values = (MISSING, ours.shown(left), theirs.shown(right))
        side = referee.decide(theirs.entities[right], (), Clash.NAME_TAKEN, values)
        if side is Side.OURS:
            yours.difference_update(theirs.within(right))
        else:
            mine.difference_update(ours.within(left))


def _is_named(one: str, state: State) -> bool:
    return state.entities[one].kind in NAMED


def _holder(one: str, state: State, there: set[str]) -> str:
    """The widget that a bare canvas belongs to, or the thing itself: neither is whole alone."""
    outer = state.around.get(one, "")
    bare = state.entities[one].fields.get("type") == CANVAS
    return outer if bare and outer in there else one


def _depth(one: str, state: State) -> int:
    depth, seen = 0, set[str]()
    while one and one not in seen and depth < DEPTH_MAX:
        seen.add(one)
        one = state.around.get(one, "")
        depth += 1
    return depth
