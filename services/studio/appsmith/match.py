"""What is the same thing in two revisions, though its name, its file or its folder is another.

Ids follow files' names, so a rename looks like something gone and something new. What stays is what
Appsmith itself goes by: a widget's `widgetId` in its page, the `gitSyncId` of queries, scripts,
functions, pages and datasources. A query or script that has none (those made here have none until
Appsmith takes them over) is matched by what is in it, as git matches files. What is there twice is
not matched so: it would be a guess.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith.compare import sources
from services.studio.appsmith.entities import Entity, Kind, load_object, part, text
from services.studio.appsmith.manifest import Change, Difference, diff
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import BODY_AT, Source

LIKENESS = 0.6
"""Of the words of two bodies, the part that is the same, from which on they may be one."""

GUESSES_MAX = 2_500
"""Pairs of things without an id that are compared, gone ones with new ones."""

BODY_CHARS_MAX = 20_000
"""Of a body, so much is compared."""

_MARKED = (Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION, Kind.DATASOURCE)
_GUESSED = (Kind.QUERY, Kind.SCRIPT)
_WORD = re.compile(r"\w+|[^\w\s]")

Pairs = dict[str, str]
"""Entity ids (or sections' names) before, and what they are called after."""


def pairs(before: Section, after: Section) -> Pairs:
    """The entities that both have: a page, or the app level, before and after."""
    old, new = before.by_id, after.by_id
    found = {i: i for i, one in old.items() if i in new and new[i].digest == one.digest}
    marks = _marks(after, found.values())
    for mark, one in _marks(before, found).items():
        if one and (other := marks.get(mark)):
            found[one] = other
    _add(found, {i: i for i in old if i in new})
    pages = [
        next((e.entity_id for e in s.entities if e.kind is Kind.PAGE), "") for s in (before, after)
    ]
    _add(found, {pages[0]: pages[1]} if all(pages) else {})
    gone, come = _left(before, found), _left(after, found.values())
    if gone and come:
        _add(found, _alike(before, gone, after, come))
        _add(found, _functions(before, after, found))
    return found


def page_pairs(before: Mapping[str, Section], after: Mapping[str, Section]) -> Pairs:
    """The pages that both have, by the names of their sections."""
    old, new = _page_marks(before), _page_marks(after)
    there = {mark: name for name, mark in new.items() if mark}
    found = {
        name: there[mark]
        for name, mark in old.items()
        if mark in there and _once(mark, old) and _once(mark, new)
    }
    _add(found, {name: name for name in old if name in new})
    return found


def matched_diff(
    before: Mapping[str, Section], after: Mapping[str, Section]
) -> Iterator[Difference]:
    """The differences of some sections in order of id, with what was renamed or moved as one."""
    plain = list(diff(_entities(before), _entities(after)))
    gone = {one.entity.entity_id: one.before for one in plain if one.change is Change.REMOVED}
    come = {one.entity.entity_id for one in plain if one.change is Change.ADDED}
    was: dict[str, Entity | None] = {}
    if gone and come:
        for name, other in {**page_pairs(before, after), APP_SECTION: APP_SECTION}.items():
            if name in before and other in after:
                for one, twin in pairs(before[name], after[other]).items():
                    if one in gone and twin in come:
                        was[twin] = gone.pop(one)
    for each in plain:
        entity_id = each.entity.entity_id
        if each.change is Change.ADDED and entity_id in was:
            yield Difference(Change.CHANGED, was[entity_id], each.after)
        elif each.change is not Change.REMOVED or entity_id in gone:
            yield each


def _entities(sections: Mapping[str, Section]) -> Iterator[Entity]:
    for section in sections.values():
        yield from section.entities


def _add(found: Pairs, more: Pairs) -> None:
    """What is matched stays so, on either side."""
    taken = set(found.values())
    for one, other in more.items():
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)


def _marks(section: Section, known: Iterable[str]) -> dict[tuple[Kind, str], str]:
    """What tells things apart for ever, of those not known yet; an empty id where two have it."""
    skipped = set(known)
    found: dict[tuple[Kind, str], str] = {}
    for one in section.entities:
        if one.entity_id not in skipped and (mark := _mark(section, one)):
            key = (one.kind, mark)
            found[key] = "" if key in found else one.entity_id
    return found


def _mark(section: Section, one: Entity) -> str:
    if one.kind is Kind.WIDGET:
        return text(one.fields.get("widget_id"))
    if one.kind not in _MARKED:
        return ""
    return text(load_object(one.path, section.files[one.path]).get("gitSyncId"))


def _page_marks(sections: Mapping[str, Section]) -> dict[str, str]:
    found = {}
    for name, section in sections.items():
        if name.startswith(PAGE_PREFIX):
            page = next((e for e in section.entities if e.kind is Kind.PAGE), None)
            value = load_object(page.path, section.files[page.path]) if page else {}
            found[name] = text(value.get("gitSyncId"))
    return found


def _once(mark: str, marks: Mapping[str, str]) -> bool:
    return sum(one == mark for one in marks.values()) == 1


def _left(section: Section, known: Iterable[str]) -> list[Entity]:
    skipped = set(known)
    return [e for e in section.entities if e.kind in _GUESSED and e.entity_id not in skipped]


def _alike(before: Section, gone: list[Entity], after: Section, come: list[Entity]) -> Pairs:
    """Those that are more like each other than like anything else."""
    if len(gone) * len(come) > GUESSES_MAX:
        return {}
    old, new = (
        {one.entity_id: _Looks.of(one, found[one.entity_id]) for one in entities}
        for found, entities in (
            (sources({before.name: before}, gone), gone),
            (sources({after.name: after}, come), come),
        )
    )
    scores: dict[tuple[str, str], float] = {}
    best: dict[str, float] = {}
    best_of_new: dict[str, float] = {}
    for one, was in old.items():
        for other, now in new.items():
            if (score := was.likeness(now)) >= LIKENESS:
                scores[one, other] = score
                best[one] = max(best.get(one, 0), score)
                best_of_new[other] = max(best_of_new.get(other, 0), score)
    tops = [
        (one, other)
        for (one, other), score in scores.items()
        if score == best[one] == best_of_new[other]
    ]
    ones, others = Counter(one for one, _ in tops), Counter(other for _, other in tops)
    return {one: other for one, other in tops if ones[one] == others[other] == 1}


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a thing without an id is told by."""

    kind: Kind
    mark: object
    plugin: object
    words: Counter[str]
    rest: dict[str, object]

    @classmethod
    def of(cls, one: Entity, source: Source) -> "_Looks":
        value = source.value or {}
        words = Counter(_WORD.findall((source.text or "")[:BODY_CHARS_MAX]))
        rest = _nameless(one.kind, value)
        return cls(one.kind, value.get("gitSyncId"), value.get("pluginId"), words, rest)

    def likeness(self, other: "_Looks") -> float:
        """From 0 to 1; of two without a body, 1 when all else than their names is the same."""
        if (self.mark and other.mark) or self.kind is not other.kind:
            return 0.0
        if self.plugin != other.plugin:
            return 0.0
        if not self.words and not other.words:
            return float(self.rest == other.rest)
        most = max(self.words.total(), other.words.total())
        return (self.words & other.words).total() / most


def _nameless(kind: Kind, value: dict[str, object]) -> dict[str, object]:
    inner = BODY_AT[kind][0]
    own = {k: v for k, v in part(value, inner).items() if k not in ("name", "pageId")}
    return {**{k: v for k, v in value.items() if k not in ("id", "gitSyncId")}, inner: own}


def _functions(before: Section, after: Section, found: Pairs) -> Pairs:
    """Functions of scripts that are matched, by their own names."""
    new = {
        (e.parent_id, e.name): e.entity_id
        for e in after.entities
        if e.kind is Kind.SCRIPT_FUNCTION and e.parent_id
    }
    return {
        one.entity_id: other
        for one in before.entities
        if one.kind is Kind.SCRIPT_FUNCTION
        and (other := new.get((found.get(one.parent_id, ""), one.name)))
    }
