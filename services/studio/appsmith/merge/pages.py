"""After a merge `application.json` lists the pages that there are, and one of them opens first."""

from collections.abc import Mapping

from services.studio.appsmith.app import APPLICATION, page_ids
from services.studio.appsmith.entities import Entity, Kind, Object, load_object, text
from services.studio.appsmith.merge.conflicts import Clash, Referee, Side
from services.studio.appsmith.merge.safety import Unfit
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX, Section
from services.studio.appsmith.sources import encode_json, exact_json, same_json

Sections = Mapping[str, Section]
Sides = tuple[Sections, Sections, Sections]


def list_pages(merged: Section, kept: Sections, sides: Sides, referee: Referee) -> Section:
    """The app level with its list of pages set right. Raises Unfit when no page is left."""
    _, ours, theirs = sides
    old = merged.files[APPLICATION]
    application = exact_json(old)
    listed = application.get("pages")
    if not isinstance(listed, list):
        return merged
    there = _names(kept)
    gone = (_names(ours) | _names(theirs)) - there
    pages = [one for one in listed if _id(one) not in gone]
    known = {_id(one) for one in pages}
    for side in (ours, theirs):  # a page that one side removed, and that stays
        for one in _listed(side):
            if _id(one) in there and _id(one) not in known and _is_dropped(one, ours, theirs):
                pages.append(one)
                known.add(_id(one))
    if not pages and _listed(ours) and _listed(theirs):
        raise Unfit("no page would be left")
    pages = _one_default(pages, merged, sides, referee)
    if same_json(pages, listed):
        return merged
    return merged.with_files({APPLICATION: encode_json({**application, "pages": pages}, old)})


def _is_dropped(one: object, ours: Sections, theirs: Sections) -> bool:
    """Whether a side no longer has the page: not merely unlisted it."""
    return any(_id(one) not in _names(side) for side in (ours, theirs))


def _one_default(
    pages: list[object], merged: Section, sides: Sides, referee: Referee
) -> list[object]:
    """Both sides may have chosen another page to open first, or the one that did is gone."""
    found = [_id(one) for one in pages]
    count = sum(_is_default(one) for one in pages)
    was, first, second = (_defaults(side) for side in sides)
    if count == 0 and (first or second):
        return _with_default(pages, next((one for one in found if one), ""))
    if count < 2 or len(first) > 1 or len(second) > 1:
        return pages
    mine, yours = (first or [""])[0], (second or [""])[0]
    if [mine] == was or mine not in found:
        return _with_default(pages, yours if yours in found else mine)
    if mine == yours or [yours] == was or yours not in found:
        return _with_default(pages, mine)
    entity = next((e for e in merged.entities if e.kind is Kind.APP), None)
    assert entity is not None, "the app level has application.json"
    values = ((was or [""])[0], mine, yours)
    side = referee.decide(entity, ("pages", "isDefault"), Clash.CHANGED, values)
    return _with_default(pages, mine if side is Side.OURS else yours)


def _with_default(pages: list[object], wanted: str) -> list[object]:
    return [
        {**one, "isDefault": _id(one) == wanted} if isinstance(one, dict) else one for one in pages
    ]


def _defaults(side: Sections) -> list[str]:
    return [_id(one) for one in _listed(side) if _is_default(one)]


def _is_default(one: object) -> bool:
    return isinstance(one, dict) and one.get("isDefault") is True


def _id(one: object) -> str:
    found = one.get("id") if isinstance(one, dict) else None
    return found if isinstance(found, str) else ""


def _listed(side: Sections) -> list[object]:
    level = side.get(APP_SECTION)
    if level is None or APPLICATION not in level.files:
        return []
    application: Object = load_object(APPLICATION, level.files[APPLICATION])
    listed = application.get("pages")
    return listed if isinstance(listed, list) and page_ids(application) else []


def _names(sections: Sections) -> set[str]:
    """The folders and names of pages: `application.json` lists them by either."""
    found: set[str] = set()
    for name, section in sections.items():
        if name.startswith(PAGE_PREFIX):
            pages: list[Entity] = [e for e in section.entities if e.kind is Kind.PAGE]
            found |= {page.page for page in pages} | {text(page.name) for page in pages}
    return found
