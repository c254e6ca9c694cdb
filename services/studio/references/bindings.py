"""Bindings: where an entity's source has code, and what names that code takes from outside."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.studio.appsmith import Entity, Kind, Section, Source
from services.studio.appsmith.compare import Path, sources
from services.studio.appsmith.sources import BODY_AT, body_in
from services.studio.references.javascript import Goal, Names, names_in
from services.studio.references.moustache import is_bound, segments

TEXT: Path = ()
"""The path of an entity's text: a query's or script's body, which is no part of its JSON."""

PATH_KEYS = "jsonPathKeys"
"""Appsmith's own lists of a query's expressions, without their braces: what stands between braces
in one of them is a text of that code."""

_SHORT = 2000
_ON = re.compile(r"on[A-Z]")


@dataclass(frozen=True, slots=True)
class Expression:
    """Code at `text[start:end]` of its binding; places in `names` count from `start`. `whole`: its
    braces do not match (see moustache.Segment)."""

    start: int
    end: int
    names: Names
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A text with code in it. `path`: the keys and list places that lead to it in the entity's
    JSON; TEXT for the entity's body. `trigger`: it runs when something happens, and gives no
    value. A listed trigger without braces has no expressions: nobody can tell what it is."""

    path: Path
    trigger: bool
    text: str
    expressions: tuple[Expression, ...]


def bindings_in(
    section: Section, only: Container[str] | None = None
) -> Iterator[tuple[Entity, list[Binding]]]:
    """Every entity of a section with its bindings, each file read once. `only`: of these ids."""
    entities = [e for e in section.entities if only is None or e.entity_id in only]
    read = sources({section.name: section}, entities)
    for entity in entities:
        yield entity, bindings_of(entity, read[entity.entity_id])


def maybe_saying(section: Section, word: str) -> set[str]:
    """Ids of entities whose code may have a word in it: others need not be read for it."""
    files = {
        path
        for path, content in section.files.items()
        if word.encode() in content or b"\\u" in content
    }
    return {e.entity_id for e in section.entities if not files.isdisjoint(e.paths)}


def bindings_of(entity: Entity, source: Source) -> list[Binding]:
    """The bindings of one entity, in the order of its source."""
    found = []
    if entity.kind in (Kind.PAGE, Kind.WIDGET, Kind.QUERY):  # a page's: its root canvas
        found = list(_in_value(entity, source.value or {}))
    if entity.kind is Kind.SCRIPT and source.text is not None:
        found.append(Binding(TEXT, False, source.text, (_whole(source.text, Goal.SCRIPT),)))
    if entity.kind is Kind.SCRIPT_FUNCTION:
        body = source.text or body_in(entity, source.value or {})
        if body and body.strip():
            path = TEXT if source.text else (*BODY_AT[entity.kind], "body")
            found.append(Binding(path, False, body, (_whole(body, Goal.DATA),)))
    if entity.kind is Kind.QUERY and source.text is not None and is_bound(source.text):
        known = body_in(entity, source.value or {}) == source.text
        if not known:
            found.append(Binding(TEXT, False, source.text, _expressions(source.text, Goal.DATA)))
    return found


def _in_value(entity: Entity, value: dict[str, Any]) -> Iterator[Binding]:  # the entity's own JSON
    listed = _listed_triggers(value)
    pending: list[tuple[Path, object]] = [((), value)]
    while pending:
        path, inner = pending.pop()
        if path[-1:] == (PATH_KEYS,) and entity.kind is not Kind.WIDGET:
            continue
        if isinstance(inner, dict):
            pending += [((*path, key), one) for key, one in reversed(inner.items())]
        elif isinstance(inner, list):
            places = range(len(inner) - 1, -1, -1)
            pending += [((*path, place), inner[place]) for place in places]
        elif isinstance(inner, str):
            trigger = entity.kind is Kind.WIDGET and (
                path in listed or _ON.match(str(path[-1])) is not None
            )
            if is_bound(inner):
                goal = Goal.TRIGGER if trigger else Goal.DATA
                yield Binding(path, trigger, inner, _expressions(inner, goal))
            elif path in listed and inner.strip():
                yield Binding(path, True, inner, ())


def _listed_triggers(value: dict[str, Any]) -> set[Path]:  # the entity's own JSON
    """What Appsmith itself noted as triggers."""
    listed = value.get("dynamicTriggerPathList")
    entries = listed if isinstance(listed, list) else []
    keys = [entry.get("key") for entry in entries if isinstance(entry, dict)]
    return {keys_of(key) for key in keys if isinstance(key, str)}


def keys_of(path: str) -> Path:
    """The keys of a path as Appsmith writes it.

    >>> keys_of("a[0].b.1")
    ('a', 0, 'b', 1)
    """
    keys = re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    return tuple(int(key) if key.isdecimal() else key for key in keys)


def _expressions(text: str, goal: Goal) -> tuple[Expression, ...]:
    return tuple(
        Expression(one.start, one.end, _names(text[one.start : one.end], goal), one.whole)
        for one in segments(text)
    )


def _whole(text: str, goal: Goal) -> Expression:
    return Expression(0, len(text), _names(text, goal))


def _names(code: str, goal: Goal) -> Names:
    return _known(code, goal) if len(code) <= _SHORT else names_in(code, goal)


_known = lru_cache(maxsize=4096)(names_in)
"""The same short code stands in many widgets: themes, defaults."""
