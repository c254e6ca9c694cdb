"""Uses: what an entity takes by name, to be stored beside it; whom a name means is looked up later.

A use depends on the entity's own source alone. So an edit changes the uses of what it edits and of
nothing else, whoever comes, goes or is renamed around it.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.studio.appsmith import Section
from services.studio.appsmith.compare import Path
from services.studio.references.bindings import Binding, Expression, bindings_in
from services.studio.references.javascript import Name


class How(StrEnum):
    """What a use is for."""

    DATA = "data"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Use:
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


def uses_in(section: Section, entity_ids: Collection[str]) -> dict[str, list[Use]]:
    """The uses of some of a section's entities, by id. Each file is read once."""
    return {e.entity_id: uses_of(b) for e, b in bindings_in(section, entity_ids)}


def uses_of(bindings: Iterable[Binding]) -> list[Use]:
    """All uses of some bindings, in their order."""
    return [
        _use(binding, expression, name)
        for binding in bindings
        for expression in binding.expressions
        for name in expression.names.found
    ]


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


def stored(uses: Iterable[Use]) -> str:
    """Uses as JSON text, fields in order. All ASCII: a stranger's keys may hold what neither UTF-8
    nor a database takes."""
    rows = [(u.name, u.how, u.path, u.start, u.end, u.members, u.inside, u.shorthand) for u in uses]
    return json.dumps(rows, separators=(",", ":"))


def restored(text: str) -> list[Use]:
    """What `stored` made."""
    return [
        Use(name, How(how), tuple(path), start, end, tuple(members), inside, shorthand)
        for name, how, path, start, end, members, inside, shorthand in json.loads(text)
    ]
