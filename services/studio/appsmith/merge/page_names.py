"""Pages that one side renamed have the same folder, name and ids on all sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith.app import APPLICATION, App
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import Entity, Kind
from services.studio.appsmith.match import page_pairs
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.merge.renames import REFUSALS, quoted
from services.studio.appsmith.merge.turned import Turned
from services.studio.appsmith.page_files import page_file_name
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import encode_json, exact_json
from services.studio.references.renames.page import rename_page

NAME_AT: Path = ("unpublishedPage", "name")

Turn = dict[str, Turned]
"""A side's sections by their names."""

Turns = tuple[Turn, Turn, Turn]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a page is to be called. `names`: of its section on each side, empty where it is not.
    `by`: the side whose name it is."""

    names: tuple[str, str, str]
    folder: str
    name: str
    by: int

    @property
    def section(self) -> str:
        return PAGE_PREFIX + self.folder


def same_pages(turns: Turns, referee: Referee) -> Turns:
    """The sides with the same names for the same pages. One that can't be renamed on a side, for
    another has the name there, stays what it is on each."""
    for names in _renamed(turns):
        apart = referee.apart()
        wish = _wish(turns, names, apart)
        if wish is None:
            continue
        try:
            mentions = _with_mentions(turns, wish)
            base, ours, theirs = (
                _turned(turn, name, wish, mentions=mentions)
                for turn, name in zip(turns, names, strict=True)
            )
        except REFUSALS:
            continue
        turns = base, ours, theirs
        referee.take(apart)
    return turns


def _renamed(turns: Turns) -> Iterator[tuple[str, str, str]]:
    base, ours, theirs = ({n: one.section for n, one in turn.items()} for turn in turns)
    mine, yours = page_pairs(base, ours), page_pairs(base, theirs)
    for name in base:
        names = (name, mine.get(name, ""), yours.get(name, ""))
        if name.startswith(PAGE_PREFIX) and not {*names[1:]} <= {name, ""}:
            yield names


def _wish(turns: Turns, names: tuple[str, str, str], referee: Referee) -> _Wish | None:
    pages = [
        _page(turn[name].section) if name else None for turn, name in zip(turns, names, strict=True)
    ]
    was, now, then = pages
    by = 1 if now else 2
    if now and then and names[2] != names[0]:
        by = 2
        if names[1] not in (names[0], names[2]):
            values = (was.name if was else "", now.name, then.name)
            by = 1 if referee.decide(now, NAME_AT, Clash.CHANGED, values) is Side.OURS else 2
    page = pages[by]
    return _Wish(names, page.page, page.name, by) if was and page else None


def _page(section: Section) -> Entity | None:
    return next((e for e in section.entities if e.kind is Kind.PAGE), None)


def _turned(turn: Turn, name: str, wish: _Wish, *, mentions: bool) -> Turn:
    """One side, with the page called as it is to be. Where a side has it no more, the base gets
    only the folder: so that what the other side renamed counts as changed. Raises a refusal."""
    page = _page(turn[name].section) if name else None
    if page is None:
        return turn
    found = dict(turn)
    one = found.pop(name)
    if all(wish.names) and page.name != wish.name:
        app = App(one.section.format_version, {n: each.section for n, each in turn.items()})
        done = rename_page(app, page, wish.name, with_mentions=mentions)
        one = one.to(done.section, done.moved)
        for other in done.others:
            found[other.name] = found[other.name].to(other, {})
    if wish.section in found:
        raise KeyError(wish.section)
    if one.section.name != wish.section:
        old = one.section.page
        one = one.with_paths(_paths(one.section, wish.folder), wish.section)
        found[APP_SECTION] = _listed(found[APP_SECTION], {old: wish.folder, page.name: wish.name})
    return {**found, wish.section: one}


def _paths(section: Section, folder: str) -> dict[str, str]:
    start = f"pages/{section.page}/"
    own = start + page_file_name(section.page, section.format_version)
    moved = {path: f"pages/{folder}/{path.removeprefix(start)}" for path in section.files}
    if own in moved:
        moved[own] = f"pages/{folder}/{page_file_name(folder, section.format_version)}"
    return moved


def _listed(level: Turned, names: Mapping[str, str]) -> Turned:
    """`application.json` with the page's new folder, or name."""
    old = level.section.files[APPLICATION]
    application = exact_json(old)
    pages = application.get("pages")
    listed = [
        {**one, "id": names[one["id"]]}
        if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"] in names
        else one
        for one in (pages if isinstance(pages, list) else [])
    ]
    if listed == pages:
        return level
    content = encode_json({**application, "pages": listed}, old)
    return level.to(level.section.with_files({APPLICATION: content}), {})


def _with_mentions(turns: Turns, wish: _Wish) -> bool:
    """Whether whoever gave the name changed texts that are the name, too."""
    sections = {n: one.section for n, one in turns[0].items()}
    page = _page(sections[wish.names[0]])
    if page is None or page.name == wish.name or not all(wish.names):
        return False
    theirs = (one.section for one in turns[wish.by].values())
    less = sum(quoted(one, page.name) for one in sections.values())
    less -= sum(quoted(one, page.name) for one in theirs)
    if less <= 0:
        return False
    app = App(sections[wish.names[0]].format_version, sections)
    mentions = rename_page(app, page, wish.name, with_mentions=False).mentions
    return 0 < len(mentions) <= less
