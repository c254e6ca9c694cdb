"""Pages that one side renamed have the same folder, name and ids on all sides.

A page's name is its folder's, and stands in the ids of its queries and in `application.json`.
Other pages may say it in a string (`navigateTo('Orders')`): strings stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.studio.appsmith.app import APPLICATION
from services.studio.appsmith.canvas import layouts_of
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import Entity, Kind, Object, part, text
from services.studio.appsmith.match import page_pairs
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.merge.turned import Turned
from services.studio.appsmith.page_files import page_file_name
from services.studio.appsmith.refusals import ImportRefused
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import WITH_BODY, exact_json
from services.studio.references.splice import Splice, Spot, spliced_json

NAME_AT: Path = ("unpublishedPage", "name")

Turn = dict[str, Turned]
"""A side's sections, by the names that they have on all sides."""


@dataclass(frozen=True, slots=True)
class _Label:
    """What a page is called: its folder, its name, its part of addresses."""

    folder: str
    name: str
    slug: str


@dataclass
class _Plan:
    """By side, the sections' names and what each page is to be called. `bare`: only its files, so
    that what the other side renamed and this one has no more counts as changed."""

    labels: tuple[dict[str, _Label], dict[str, _Label], dict[str, _Label]] = field(
        default_factory=lambda: ({}, {}, {})
    )
    bare: set[str] = field(default_factory=set)


def same_pages(turns: tuple[Turn, Turn, Turn], referee: Referee) -> tuple[Turn, Turn, Turn]:
    """The sides with the same names for the same pages; as they were when that can't be."""
    apart = referee.apart()
    plan = _plan(turns, apart)
    if not any(plan.labels):
        return turns
    try:
        found = [_turned(turn, plan.labels[n], plan.bare) for n, turn in enumerate(turns)]
    except (ImportRefused, RecursionError, ValueError, KeyError):
        return turns
    if any(len(new) < len(old) for new, old in zip(found, turns, strict=True)):
        return turns  # another page has the folder
    referee.take(apart)
    return found[0], found[1], found[2]


def _plan(turns: tuple[Turn, Turn, Turn], referee: Referee) -> _Plan:
    base, ours, theirs = ({n: one.section for n, one in turn.items()} for turn in turns)
    mine, yours = page_pairs(base, ours), page_pairs(base, theirs)
    plan = _Plan()
    for name, section in base.items():
        names = (name, mine.get(name, ""), yours.get(name, ""))
        if not name.startswith(PAGE_PREFIX) or {*names[1:]} <= {name, ""}:
            continue
        there = (section, ours.get(names[1]), theirs.get(names[2]))
        label = _label_of(there, names, referee)
        if label is None:
            continue
        if not (names[1] and names[2]):
            plan.bare.add(name)
        for n, one in enumerate(names):
            if one and one != PAGE_PREFIX + label.folder:
                plan.labels[n][one] = label
    return plan


def _label_of(
    sections: tuple[Section | None, Section | None, Section | None],
    names: tuple[str, str, str],
    referee: Referee,
) -> _Label | None:
    was, now, then = (_page(one) if one else None for one in sections)
    wanted = now or then
    if now and then and names[2] != names[0]:
        wanted = then
        if names[1] not in (names[0], names[2]):
            values = (was.name if was else "", now.name, then.name)
            side = referee.decide(now, NAME_AT, Clash.CHANGED, values)
            wanted = now if side is Side.OURS else then
    if wanted is None or was is None:
        return None
    return _Label(wanted.page, wanted.name, text(wanted.fields.get("slug")))


def _page(section: Section) -> Entity | None:
    return next((e for e in section.entities if e.kind is Kind.PAGE), None)


def _turned(turn: Turn, labels: Mapping[str, _Label], bare: set[str]) -> Turn:
    found: Turn = {}
    listed: dict[str, str] = {}
    for name, one in turn.items():
        label = labels.get(name)
        page = _page(one.section)
        if label is None or page is None:
            found[name] = one
            continue
        listed |= {page.page: label.folder, page.name: label.name}
        called = one
        if name not in bare:
            called = one.to(_called(one.section, page, label), {})
        there = called.with_paths(_paths(one.section, label.folder), PAGE_PREFIX + label.folder)
        found[PAGE_PREFIX + label.folder] = there
    if listed and APP_SECTION in found:
        level = found[APP_SECTION]
        found[APP_SECTION] = level.to(_listed(level.section, listed), {})
    return found


def _paths(section: Section, folder: str) -> dict[str, str]:
    start = f"pages/{section.page}/"
    own = start + page_file_name(section.page, section.format_version)
    moved = {path: f"pages/{folder}/{path.removeprefix(start)}" for path in section.files}
    if own in moved:
        moved[own] = f"pages/{folder}/{page_file_name(folder, section.format_version)}"
    return moved


def _called(section: Section, page: Entity, label: _Label) -> Section:
    """The page's name changed wherever it stands outside of code."""
    files: dict[str, bytes] = {}
    for one in section.entities:
        if one is not page and one.kind not in WITH_BODY:
            continue
        value = exact_json(section.files[one.path])
        spots: dict[Spot, list[Splice]] = {}
        for path, old, new in _spots(value, one, page, label):
            spots[Spot(path)] = [Splice(0, len(old), new)]
        if spots:
            files[one.path] = spliced_json(section.files[one.path].decode(), spots).encode()
    return section.with_files(files)


def _spots(
    value: Object, one: Entity, page: Entity, label: _Label
) -> Iterator[tuple[Path, str, str]]:
    """Where a page's name, or its folder's, is or begins a string; with what it becomes."""
    names = {page.name: label.name, page.page: label.folder}
    if one is page:
        inner = part(value, "unpublishedPage")
        for key, new in (("name", label.name), ("slug", label.slug)):
            if isinstance(old := inner.get(key), str):
                yield ("unpublishedPage", key), old, new
        ids = list(_on_load(value))
        for n, layout in enumerate(_layouts(value)):
            if isinstance(old := layout.get("id"), str) and old in names:
                yield ("unpublishedPage", "layouts", n, "id"), old, names[old]
    else:
        inner_key = "unpublishedCollection" if one.kind is Kind.SCRIPT else "unpublishedAction"
        inner = part(value, inner_key)
        if isinstance(old := inner.get("pageId"), str) and old in names:
            yield (inner_key, "pageId"), old, names[old]
        ids = [(("id",), value.get("id")), ((inner_key, "collectionId"), inner.get("collectionId"))]
    for path, found in ids:
        for old, new in names.items():
            if isinstance(found, str) and found.startswith(f"{old}_"):
                yield path, old, new
                break


def _on_load(value: Object) -> Iterator[tuple[Path, object]]:
    for n, layout in enumerate(_layouts(value)):
        rounds = layout.get("layoutOnLoadActions")
        for m, actions in enumerate(rounds if isinstance(rounds, list) else []):
            for k, action in enumerate(actions if isinstance(actions, list) else []):
                for key in ("id", "collectionId"):
                    found = action.get(key) if isinstance(action, dict) else None
                    way: Path = ("unpublishedPage", "layouts", n, "layoutOnLoadActions", m, k, key)
                    yield way, found


def _layouts(value: Object) -> list[Object]:
    """None where their numbers would not be those in the file."""
    listed = part(value, "unpublishedPage").get("layouts")
    found = layouts_of(value)
    return found if isinstance(listed, list) and len(found) == len(listed) else []


def _listed(level: Section, names: Mapping[str, str]) -> Section:
    """`application.json` with the pages' new folders."""
    if APPLICATION not in level.files:
        return level
    listed = exact_json(level.files[APPLICATION]).get("pages")
    spots: dict[Spot, list[Splice]] = {}
    for n, one in enumerate(listed if isinstance(listed, list) else []):
        old = one.get("id") if isinstance(one, dict) else None
        if isinstance(old, str) and old in names:
            spots[Spot(("pages", n, "id"))] = [Splice(0, len(old), names[old])]
    if not spots:
        return level
    content = spliced_json(level.files[APPLICATION].decode(), spots).encode()
    return level.with_files({APPLICATION: content})
