"""Merge whole apps: page by page, entity by entity; each page is checked before it is believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.studio.appsmith.app import App
from services.studio.appsmith.compare import MISSING
from services.studio.appsmith.entities import Entity, Kind
from services.studio.appsmith.merge.alignment import align
from services.studio.appsmith.merge.conflicts import (
    Clash,
    Conflict,
    Named,
    Referee,
    Side,
    Whole,
    pick,
)
from services.studio.appsmith.merge.loose import LooseEnd, loose_ends
from services.studio.appsmith.merge.pages import list_pages
from services.studio.appsmith.merge.safety import Unfit
from services.studio.appsmith.merge.sections import merge_section
from services.studio.appsmith.paths import check_no_file_is_a_folder
from services.studio.appsmith.refusals import ImportRefused
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section, split

Sections = dict[str, Section]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged app, and where the sides disagreed, in order of entity and place. `more`: there
    are more conflicts than are listed. `unknown`: choices that belong to no conflict. `loose`: uses
    of names that only the merge left without owner."""

    app: App
    conflicts: tuple[Conflict, ...]
    more: bool = False
    unknown: tuple[str, ...] = ()
    loose: tuple[LooseEnd, ...] = ()


def merge(base: App, ours: App, theirs: App, choices: Mapping[str, Side] | None = None) -> Merged:
    """What both sides made of the base. Where they disagree it is ours, unless `choices` (side by
    conflict's id) says otherwise. The apps may hold just the sections in which they differ, and
    the app level; all three the same. The result always parses."""
    sides = (base, ours, theirs)
    referee = Referee(choices or {})
    loose: tuple[LooseEnd, ...] = ()
    if len({side.format_version for side in sides}) > 1:
        merged = _as_one(sides, Clash.FORMAT, referee)
    else:
        apart = referee.apart()
        try:
            aligned = align(sides, apart)
            apart.was = aligned.was
            merged = _merged(aligned.sides, apart)
            loose = loose_ends(merged, aligned.sides)
            referee.take(apart)
        except Unfit:
            merged = _as_one(sides, Clash.STRUCTURE, referee)
    found = sorted(referee.conflicts, key=lambda one: (one.entity.entity_id, one.line))
    unknown = referee.choices.keys() - {one.conflict_id for one in found}
    if unknown:  # a choice may put an end to another conflict: that one was there all the same
        unknown -= {one.conflict_id for one in merge(base, ours, theirs).conflicts}
    return Merged(merged, tuple(found), referee.more, tuple(sorted(unknown)), loose)


def _merged(sides: tuple[App, App, App], referee: Referee) -> App:
    base, ours, theirs = (_parted(side) for side in sides)
    kept: Sections = {}
    for name in sorted({*base, *ours, *theirs}):
        found = _section(name, (base.get(name), ours.get(name), theirs.get(name)), referee)
        if found is not None:
            kept[name] = found
    for side, app in ((ours, sides[1]), (theirs, sides[2])):
        if kept == side:
            return app
    kept[APP_SECTION] = list_pages(kept[APP_SECTION], kept, (base, ours, theirs), referee)
    return _whole(sides[1], kept)


def _whole(ours: App, kept: Sections) -> App:
    """The sections put together, and read again: nothing is believed unread."""
    files = {path: content for one in kept.values() for path, content in one.files.items()}
    sections = split(files, ours.format_version)
    try:
        check_no_file_is_a_folder(files)
        for name, section in sections.items():
            was = ours.sections.get(name)
            if was is not None and _same(was, section):
                sections[name] = was  # read already
            _ = sections[name].entities
    except ImportRefused as refusal:
        raise Unfit(str(refusal)) from None
    return App(ours.format_version, sections)


def _section(
    name: str, sides: tuple[Section | None, Section | None, Section | None], referee: Referee
) -> Section | None:
    """A page, or the app level, merged; None when it is gone."""
    base, ours, theirs = sides
    if _same(ours, theirs) or _same(base, theirs):
        return ours
    if _same(base, ours):
        return theirs
    if ours is None or theirs is None:
        clash = Clash.REMOVED
    else:
        apart = referee.apart()
        try:
            merged = merge_section(base, ours, theirs, apart)
            referee.take(apart)
        except Unfit:
            clash = Clash.STRUCTURE
        else:
            return merged
    values = tuple(_shown(side) for side in sides)
    entity = _entity_of(name, ours, theirs, base)
    side = referee.decide(entity, (), clash, (values[0], values[1], values[2]))
    return ours if side is Side.OURS else theirs


def _as_one(sides: tuple[App, App, App], clash: Clash, referee: Referee) -> App:
    base, ours, theirs = sides
    if base.files == theirs.files or ours.files == theirs.files:
        return ours
    if base.files == ours.files:
        return theirs
    about = Whole(f"{Kind.APP}:application.json", Kind.APP, "app")
    side = referee.decide(about, (), clash, (MISSING, MISSING, MISSING))
    found = pick(side, ours, theirs)
    assert isinstance(found, App), "one of two apps"
    return found


def _parted(app: App) -> Sections:
    """The pages, and all that is beside them as one section: a file that has grown large is the
    same file."""
    level: dict[str, bytes] = {}
    pages: Sections = {}
    for name, section in app.sections.items():
        if name.startswith(PAGE_PREFIX):
            pages[name] = section
        else:
            level |= section.files
    return {**pages, APP_SECTION: Section(APP_SECTION, app.format_version, level)}


def _same(one: Section | None, other: Section | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.files == other.files


def _entity_of(name: str, *sides: Section | None) -> Named:
    """The page that a section is, or the app."""
    entities: Iterable[Entity] = (e for side in sides if side for e in side.entities)
    kind = Kind.PAGE if name.startswith(PAGE_PREFIX) else Kind.APP
    found = next((e for e in entities if e.kind is kind), None)
    page = name.removeprefix(PAGE_PREFIX)
    return found or Whole(f"{kind}:pages/{page}", kind, page, page)


def _shown(section: Section | None) -> object:
    """A page in a conflict: how many there are of each kind of entity in it."""
    if section is None:
        return MISSING
    counts: dict[str, int] = {}
    for one in section.entities:
        counts[one.kind.value] = counts.get(one.kind.value, 0) + 1
    return counts
