"""Random JavaScript for hypothesis: few names, so that they meet; many shapes to hide in."""

import re
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from tests.realapps.grammar import DEEPER, GRAMMAR, NEW_NAMES
from tests.realapps.referee import Case

DEPTH_MAX = 5
MANY_MAX = 3
HOLE = re.compile(r"«([a-z ]+)([?*;]?)(?:(:)([a-z,]*)|\+([a-z]+))?»")


@dataclass(frozen=True)
class Place:
    """Where a piece of code will stand: what is allowed there, which names are declared already."""

    depth: int = 0
    flags: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)


@st.composite
def programs(draw: st.DrawFn) -> Case:
    """A case of any goal; some are refused by a strict parser (a name declared twice, say)."""
    goal = draw(st.sampled_from(("data", "trigger", "script")))
    return Case(_made(draw, goal, Place()), goal)


def _made(draw: st.DrawFn, rule: str, place: Place) -> str:
    """Code for a rule of the grammar."""
    if rule == "fresh":
        return _fresh(draw, place)
    if rule in NEW_NAMES:
        place = replace(place, taken=set())
    if rule in DEEPER:
        place = replace(place, depth=place.depth + 1)
    alternatives = [(text.rpartition(" ¦ ")) for text in GRAMMAR[rule]]
    allowed = [text for flag, _, text in alternatives if not flag or flag in place.flags]
    text = draw(st.sampled_from(allowed)) if _is_flat(rule, place) else allowed[0]
    return HOLE.sub(lambda hole: _filled(draw, hole, place), text)


def _is_flat(rule: str, place: Place) -> bool:
    """Whether any alternative may be taken: not too deep, or where none leads deeper."""
    return place.depth < DEPTH_MAX or not any("«" in text for text in GRAMMAR[rule])


def _filled(draw: st.DrawFn, hole: re.Match[str], place: Place) -> str:
    rule, how_many, function, flags, more = hole.groups()
    if function:
        place = replace(place, flags=frozenset(flags.split(",")))
    if more:
        place = replace(place, flags=place.flags | {more})
    if not how_many:
        return _made(draw, rule, place)
    most = 1 if how_many == "?" else MANY_MAX
    count = draw(st.integers(0, most)) if place.depth < DEPTH_MAX else 0
    between = {"*": ", ", ";": "\n", "?": ""}[how_many]
    return between.join(_made(draw, rule, place) for _ in range(count))


def _fresh(draw: st.DrawFn, place: Place) -> str:
    """A name that is not declared yet where it would be refused twice."""
    name = draw(st.sampled_from(GRAMMAR["binding"]))
    while name in place.taken:
        name += "1"
    place.taken.add(name)
    return name
