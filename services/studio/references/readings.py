"""Readings: what an entity's code takes by name, to be stored beside it.

Whom a name means is looked up later: a reading depends on the entity's own source alone. So an edit
changes that of what it edits and of nothing else, whoever comes, goes or is renamed around it.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from services.studio.appsmith import Section
from services.studio.appsmith.compare import Path, path_text
from services.studio.references.bindings import Binding, Expression, bindings_in
from services.studio.references.javascript import Doubt, Name


class How(StrEnum):
    """What a use is for."""

    DATA = "data"
    TRIGGER = "trigger"


_HOW = {one.value: one for one in How}


class Use(NamedTuple):
    """A name that an entity uses. `path`: the binding's keys in its JSON (empty: its text).
    `start`, `end`: the name's place in the binding's text, in code points. `members`: what follows
    the name. `inside`: the member of a script that the use stands in, or empty."""

    name: str
    how: How
    path: Path
    start: int
    end: int
    members: tuple[str, ...] = ()
    inside: str = ""
    shorthand: bool = False


class Unclear(NamedTuple):
    """Code that cannot be read at all, or not in full; its place as in Use."""

    doubt: Doubt
    path: Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that an entity's code says. Computed members are no doubt about who is used."""

    uses: tuple[Use, ...] = ()
    unclear: tuple[Unclear, ...] = ()


def readings_in(section: Section, entity_ids: Collection[str]) -> dict[str, Reading]:
    """Those of some of a section's entities, by id. Each file is read once."""
    return {e.entity_id: reading_of(b) for e, b in bindings_in(section, entity_ids)}


def reading_of(bindings: Iterable[Binding]) -> Reading:
    """What some bindings say, in their order."""
    uses: list[Use] = []
    unclear: list[Unclear] = []
    for binding in bindings:
        for one in binding.expressions:
            uses += [_use(binding, one, name) for name in one.names.found]
            unclear += [
                Unclear(d.doubt, binding.path, one.start + d.start, one.start + d.end)
                for d in one.names.doubts
                if d.doubt is not Doubt.COMPUTED
            ]
    return Reading(tuple(uses), tuple(unclear))


def _use(binding: Binding, expression: Expression, name: Name) -> Use:
    inside = _inside(expression, name)
    return Use(
        name.name,
        How.TRIGGER if binding.trigger else How.DATA,
        binding.path,
        expression.start + name.start,
        expression.start + name.end,
        name.path,
        inside,
        name.shorthand,
    )


def _inside(expression: Expression, name: Name) -> str:
    around = (m.name for m in expression.names.members if m.start <= name.start < m.end)
    return next(around, "")


def stored(reading: Reading) -> str:
    """As JSON text, fields in order. All ASCII: a stranger's keys may hold what neither UTF-8 nor a
    database takes."""
    uses = [
        (u.name, u.how, u.path, u.start, u.end, u.members, u.inside, u.shorthand)
        for u in reading.uses
    ]
    unclear = [(u.doubt, u.path, u.start, u.end) for u in reading.unclear]
    return json.dumps({"uses": uses, "unclear": unclear}, separators=(",", ":"))


def restored(text: str) -> Reading:
    """What `stored` made."""
    return reading_from(json.loads(text))


def reading_from(found: dict[str, list[Any]]) -> Reading:  # JSON, its fields of several types
    """What `stored` made, its JSON read."""
    return Reading(
        tuple(
            Use(name, _HOW[how], tuple(path), start, end, tuple(members), inside, shorthand)
            for name, how, path, start, end, members, inside, shorthand in found["uses"]
        ),
        tuple(
            Unclear(Doubt(doubt), tuple(path), start, end)
            for doubt, path, start, end in found["unclear"]
        ),
    )


def in_order(reading: Reading) -> Reading:
    """Its parts by place, whatever the order of an object's keys was."""
    return Reading(
        tuple(sorted(reading.uses, key=_place)), tuple(sorted(reading.unclear, key=_place))
    )


def _place(one: Use | Unclear) -> tuple[str, int, int]:
    return path_text(one.path), one.start, one.end
