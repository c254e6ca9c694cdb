"""Loose ends: names that code says in a merged page, and that only the merge left without owner.

One side removed, or renamed past what a rename can follow, what the other uses anew. That breaks no
document, so it is no conflict; but who merges wants to know. What dangled on a side before is that
side's own, and not told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.studio.appsmith.app import App
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import NAMED
from services.studio.appsmith.sections import PAGE_PREFIX, Section
from services.studio.references.readings import readings_in

LOOSE_MAX = 200
"""As many are listed."""


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """A use of a name: the entity whose code says it, where in its JSON (empty: in its text), and
    from which code point on."""

    entity_id: str
    path: Path
    start: int
    name: str


def loose_ends(merged: App, sides: tuple[App, App, App]) -> tuple[LooseEnd, ...]:
    """Page by page, in order of place. Pages that are one side's are not looked at."""
    found: list[LooseEnd] = []
    for name, section in sorted(merged.sections.items()):
        there = [one.sections[name] for one in sides if name in one.sections]
        taken = any(one.files == section.files for one in there)
        if name.startswith(PAGE_PREFIX) and not taken:
            found += islice(_of_page(section, there), LOOSE_MAX - len(found))
    return tuple(found)


def _of_page(merged: Section, sides: list[Section]) -> Iterator[LooseEnd]:
    gone = {name for one in sides for name in _names(one)} - _names(merged)
    if not gone:
        return
    known = {use for side in sides for use in _missing(side, gone - _names(side))}
    for entity_id, reading in readings_in(merged, merged.by_id.keys()).items():
        for use in reading.uses:
            if use.name in gone and (entity_id, use.name) not in known:
                yield LooseEnd(entity_id, use.path, use.start, use.name)


def _missing(side: Section, names: set[str]) -> Iterator[tuple[str, str]]:
    """Who says names on a side that nothing has there."""
    if not names:
        return
    for entity_id, reading in readings_in(side, side.by_id.keys()).items():
        yield from ((entity_id, use.name) for use in reading.uses if use.name in names)


def _names(section: Section) -> set[str]:
    return {e.name for e in section.entities if e.kind in NAMED}
