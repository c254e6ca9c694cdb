"""What must be true of every planned app; each raises AssertionError with what is wrong."""

from collections.abc import Iterator, Mapping

from services.studio.appsmith import App, Section, parse
from services.studio.references import Doubt, PageGraph, readings_in
from services.studio.references.graph import Dangling, Reference
from services.studio.references.rename import rename
from tests.services.studio.generated.plans import Page, Plan
from tests.services.studio.generated.written import (
    Planted,
    files_of,
    id_of,
    planted_in,
    spelled_with_escape,
)

NEW = "Renommé_9"
TOLD_MAX = 5
SHOWN = 80


def check_references(plan: Plan, told: str) -> int:
    """What is found is what was planted. How many references that were."""
    app = parse(files_of(plan))
    count = 0
    for page in plan.pages:
        planted, found = planted_in(plan, page), found_in(_section(app, page))
        missed, wrong = {*planted} - {*found}, {*found} - {*planted}
        lines = [f"missed {one}" for one in sorted(missed)]
        lines += [f"wrong {one}" for one in sorted(wrong)]
        assert not lines, f"{told}: " + "\n".join(lines[:TOLD_MAX])
        assert len(planted) == len(found), f"{told}: something is found twice"
        count += len(planted)
    return count


def check_renames(plan: Plan, told: str) -> int:
    """A rename of what is referred to gives the app that was planned with the other name, to the
    byte; the one back gives the first. How many were renamed."""
    files = files_of(plan)
    app = parse(files)
    count = 0
    for page in plan.pages:
        section = _section(app, page)
        broken = broken_in(section)
        for key in _used(plan, page):
            where = f"{told}, {page.folder}, {page.names[key]}"
            done = rename(section, id_of(plan, page, key), NEW)
            after = app.with_sections([done.section])
            expected = files_of(plan, (page.folder, key, NEW))
            assert dict(after.files) == expected, f"{where}:\n{_difference(expected, after.files)}"
            check_whole(after, done.section, broken)
            back = rename(done.section, done.entity_id, page.names[key])
            if not _respelled(section.files, page.names[key]):
                same = dict(back.section.files) == dict(section.files)
                assert same, f"{where}, back:\n{_difference(section.files, back.section.files)}"
            count += 1
    return count


def check_whole(app: App, section: Section, broken_before: int) -> None:
    """It is read again exactly, and no code of the section is broken that was not."""
    again = parse(app.tree())
    assert again.files == app.files
    assert list(again) == list(app)
    assert broken_in(section) <= broken_before


def broken_in(section: Section) -> int:
    """Pieces of code that are no JavaScript."""
    readings = readings_in(section, section.by_id.keys()).values()
    return sum(one.doubt is Doubt.BROKEN for reading in readings for one in reading.unclear)


def found_in(section: Section) -> list[Planted]:
    """The references that the product finds on a page, as they would have been planted."""
    readings = readings_in(section, section.by_id.keys())
    graph = PageGraph(section.entities, readings)
    found = [_planted(one, one.target_id) for one in graph.references]
    return found + [_planted(one, "") for one in graph.dangling()]


def _planted(one: Reference | Dangling, target_id: str) -> Planted:
    use = one.use
    place = (one.source_id, use.path, use.start, use.end)
    trigger = use.how.value == "trigger"
    return Planted(*place, use.name, use.members, trigger, use.shorthand, target_id)


def _section(app: App, page: Page) -> Section:
    return app.sections[f"page:{page.folder}"]


def _used(plan: Plan, page: Page) -> list[str]:
    used = {one.name for one in planted_in(plan, page)}
    return [key for key, name in page.names.items() if name in used]


def _respelled(files: Mapping[str, bytes], name: str) -> bool:
    """Whether a use is spelled with escapes: a rename spells it plainly, and so does the one
    back."""
    escaped = spelled_with_escape(name).encode()[1:]
    return any(escaped in content for content in files.values())


def _difference(expected: Mapping[str, bytes], files: Mapping[str, bytes]) -> str:
    lines = [f"not there: {path}" for path in expected.keys() - files.keys()]
    lines += [f"too much: {path}" for path in files.keys() - expected.keys()]
    for path in sorted(expected.keys() & files.keys()):
        lines += _lines(path, expected[path].decode(), files[path].decode())
    return "\n".join(lines[: 4 * TOLD_MAX])


def _lines(path: str, expected: str, found: str) -> Iterator[str]:
    if expected != found:
        pairs = enumerate(zip(expected, found, strict=False))
        at = next((n for n, (one, other) in pairs if one != other), len(expected))
        around = slice(max(0, at - SHOWN), at + SHOWN)
        yield f"{path}: expected {expected[around]!r}, found {found[around]!r}"
