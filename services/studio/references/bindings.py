"""Bindings: where an entity's source has code, and what names that code takes from outside."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.studio.appsmith import Entity, Kind, Section, Source
from services.studio.appsmith.compare import Path, sources
from services.studio.appsmith.sources import BODY_AT, body_in
from services.studio.references.javascript import Doubt, Goal, Names, Uncertain, names_in
from services.studio.references.moustache import is_bound, segments

TEXT: Path = ()
"""The path of an entity's text: a query's or script's body, which is no part of its JSON."""

PATH_KEYS = "jsonPathKeys"
"""Appsmith's own lists of a query's expressions, without their braces: what stands between braces
in one of them is a text of that code."""

PATHS_CHARS_MAX = 16 * 1024 * 1024
"""So long are the paths to all names in one entity's JSON, each counted; beyond, nothing of it is
looked into: a key of a megabyte above a thousand names would be a gigabyte of places."""

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
        found = _in_value(entity, source.value or {})
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


def _in_value(entity: Entity, value: dict[str, Any]) -> list[Binding]:  # the entity's own JSON
    listed, found, left = _listed_triggers(value), list[Binding](), PATHS_CHARS_MAX
    lengths = {len(path) for path in listed}
    widget = entity.kind is Kind.WIDGET
    for way, text in texts_in(value, "" if widget else PATH_KEYS):
        bound = is_bound(text)
        noted = len(way) in lengths and tuple(way) in listed
        if not bound and not (noted and text.strip()):
            continue
        path = tuple(way)
        if not bound:
            found.append(Binding(path, True, text, ()))
            continue
        trigger = widget and (noted or _ON.match(str(path[-1])) is not None)
        expressions = _expressions(text, Goal.TRIGGER if trigger else Goal.DATA)
        left -= _chars(path) * (1 + sum(len(one.names.found) for one in expressions))
        if left < 0:
            large = Names(doubts=(Uncertain(Doubt.TOO_LARGE, 0, len(text)),))
            return [Binding(path, trigger, text, (Expression(0, len(text), large),))]
        found.append(Binding(path, trigger, text, expressions))
    return found


def texts_in(value: object, besides: str = "") -> Iterator[tuple[list[str | int], str]]:
    """Every text in a JSON value, in its order, and the keys to it, of now: they change. Not what
    is under the key `besides`. Nothing is kept: a million values may be a thousand levels deep."""
    way: list[str | int] = [""]
    within = [_inside(value)]
    while within:
        for key, inner in within[-1]:
            if key == besides and besides:
                continue
            way[-1] = key
            if isinstance(inner, str):
                yield way, inner
            elif isinstance(inner, dict | list):
                within.append(_inside(inner))
                way.append("")
                break
        else:
            within.pop()
            way.pop()


def _inside(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value if isinstance(value, list) else ()))


def _chars(path: Path) -> int:
    return len(path) + sum(len(key) for key in path if isinstance(key, str))


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
