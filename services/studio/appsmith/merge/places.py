"""The same things get the same files on all sides, and widgets lie where their boxes are."""

from collections.abc import Iterator
from dataclasses import replace

from services.studio.appsmith.entities import Entity, Kind
from services.studio.appsmith.match import pairs
from services.studio.appsmith.merge.turned import CONTENT, Trio, Turned
from services.studio.appsmith.page_files import WIDGETS, has_own_folder
from services.studio.appsmith.refusals import ImportRefused
from services.studio.appsmith.sections import FORMAT_FILES, Section
from services.studio.appsmith.sources import WITH_BODY, body_path, is_whole

_MOVABLE = (*CONTENT, Kind.DATASOURCE)

Move = tuple[str, tuple[dict[str, str], dict[str, str], dict[str, str]]]
"""A thing, and which of its files each side calls otherwise: from what to what."""


def same_places(sides: Trio) -> Trio:
    """What one side moved to another file is in that file on all sides; on the head's where both
    did. Where another thing has the file already, all stays as it is."""
    moves = list(_moves(sides))
    while moves:
        taken = {path for n, one in enumerate(sides) for path in _clashes(one, n, moves)}
        if not taken:
            break
        moves = [m for m in moves if not any(taken & set(x.values()) for x in m[1])]
    if not moves:
        return sides
    try:
        base, ours, theirs = (
            one.with_paths(_paths(one.section, n, moves)) for n, one in enumerate(sides)
        )
    except ImportRefused:  # a stray file in a folder would be left alone there
        return sides
    return base, ours, theirs


def _moves(sides: Trio) -> Iterator[Move]:
    base, ours, theirs = (one.section for one in sides)
    mine, yours = pairs(base, ours), pairs(base, theirs)
    for one in base.entities:
        if one.kind not in _MOVABLE or (one.kind is Kind.WIDGET and base.has_trees):
            continue
        there = [
            (0, one),
            *((1, ours.by_id[i]) for i in [mine.get(one.entity_id)] if i),
            *((2, theirs.by_id[i]) for i in [yours.get(one.entity_id)] if i),
        ]
        path = next((e.path for _, e in there if e.path != one.path), one.path)
        moved: list[dict[str, str]] = [{}, {}, {}]
        for n, entity in there:
            if entity.path != path:
                moved[n] = dict(_to(entity, path, sides[n].section))
        if any(moved):
            yield one.entity_id, (moved[0], moved[1], moved[2])


def _to(entity: Entity, path: str, section: Section) -> Iterator[tuple[str, str]]:
    yield entity.path, path
    if entity.kind in WITH_BODY and not is_whole(entity):
        body = body_path(entity)
        if body in section.files:
            yield body, body_path(replace(entity, path=path))


def _paths(section: Section, n: int, moves: list[Move]) -> dict[str, str]:
    """All that move on a side: with a box goes what only this side has put into its folder."""
    moved = {a: b for _, paths in moves for a, b in paths[n].items()}
    folders = {
        _folder(a): _folder(b) for a, b in moved.items() if has_own_folder(a) and has_own_folder(b)
    }
    for path in section.files if folders else ():
        folder = _folder(path)
        while folder and folder not in folders:
            folder = _folder(folder)
        if folder and path not in moved:
            moved[path] = folders[folder] + path.removeprefix(folder)
    return moved


def _clashes(side: Turned, n: int, moves: list[Move]) -> set[str]:
    """Paths that two files of a side would have."""
    moved = _paths(side.section, n, moves)
    found: set[str] = set()
    seen: set[str] = set()
    for path in side.section.files:
        target = moved.get(path, path)
        if target in seen:
            found.add(target)
        seen.add(target)
    return found


def regrouped(merged: Section, *sides: Section) -> Section:
    """Format 5: a widget's file lies where that of the one around it does, as it did on its side:
    what one side put into a box follows when the other side moved the box."""
    if merged.format_version != FORMAT_FILES or not merged.page:
        return merged
    odd = {e.entity_id for side in sides for e in _misplaced(side)}
    if all(e.entity_id in odd for e in _misplaced(merged)):
        return merged
    paths: dict[str, str] = {}
    for one in _outer_first(merged):
        outer = merged.by_id.get(one.parent_id)
        folder = _folder(paths.get(outer.path, outer.path)) if outer else _top(merged)
        if one.entity_id not in odd:
            file = one.path.rpartition("/")[2]
            own = f"{file.removesuffix('.json')}/" if has_own_folder(one.path) else ""
            paths[one.path] = f"{folder}/{own}{file}"
    files = {paths.get(path, path): content for path, content in merged.files.items()}
    if len(files) < len(merged.files):
        return merged
    return Section(merged.name, merged.format_version, dict(sorted(files.items())))


def _misplaced(section: Section) -> Iterator[Entity]:
    for one in section.entities:
        if one.kind is Kind.WIDGET:
            outer = section.by_id.get(one.parent_id)
            home = _folder(one.path)
            home = _folder(home) if has_own_folder(one.path) else home
            if home != (_folder(outer.path) if outer else _top(section)):
                yield one


def _outer_first(section: Section) -> Iterator[Entity]:
    """Widgets with what is around them before them; what is inside of itself is left out."""
    inside: dict[str, list[Entity]] = {}
    for one in section.entities:
        if one.kind is Kind.WIDGET:
            inside.setdefault(one.parent_id, []).append(one)
    pending = list(inside.get("", []))
    while pending:
        one = pending.pop()
        yield one
        pending += inside.get(one.entity_id, [])


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _top(section: Section) -> str:
    return f"pages/{section.page}/{WIDGETS}"
