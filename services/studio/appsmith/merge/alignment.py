"""The three sides of a merge, with the same names for the same things.

Ids follow names and files: where a side renamed or moved something, the merge would see something
gone and something new. So the other sides are turned first, as if it had been called so and had
been there all the time: pages, then names with all that refers to them, then files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith.app import App
from services.studio.appsmith.app_level import names_given
from services.studio.appsmith.merge.conflicts import Referee
from services.studio.appsmith.merge.page_names import same_pages
from services.studio.appsmith.merge.places import same_places
from services.studio.appsmith.merge.renames import Renamer, same_names
from services.studio.appsmith.merge.turned import Trio, Turned
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX

Sides = tuple[App, App, App]
Turns = tuple[dict[str, Turned], dict[str, Turned], dict[str, Turned]]


@dataclass(frozen=True, slots=True)
class Aligned:
    """`was`: the ids that things had before they were turned, the base's first; what is the same
    is left out."""

    sides: Sides
    was: Mapping[str, str]


def align(sides: Sides, referee: Referee) -> Aligned:
    """Turn the sides to one another. Never fails: what can't be turned stays as it is."""
    turns = same_pages(_turns(sides), referee)
    levels = [side.sections[APP_SECTION] for side in sides if APP_SECTION in side.sections]
    renamer = Renamer(names_given(one for level in levels for one in level.entities))
    referee.was = dict(_was(turns))
    for name in sorted(turns[0].keys() & turns[1].keys() & turns[2].keys()):
        trio = (turns[0][name], turns[1][name], turns[2][name])
        if not _both_changed(trio):
            continue
        if name.startswith(PAGE_PREFIX):
            trio = same_names(trio, referee, renamer)
        for turn, turned in zip(turns, same_places(trio), strict=True):
            turn[name] = turned
    was = dict(_was(turns))
    found = [_app(app, turn) for app, turn in zip(sides, turns, strict=True)]
    return Aligned((found[0], found[1], found[2]), was)


def _turns(sides: Sides) -> Turns:
    base, ours, theirs = ({n: Turned(s) for n, s in one.sections.items()} for one in sides)
    return base, ours, theirs


def _both_changed(trio: Trio) -> bool:
    base, ours, theirs = (one.section.files for one in trio)
    return base != ours and base != theirs and ours != theirs


def _was(turns: Turns) -> Iterator[tuple[str, str]]:
    base, ours, theirs = turns
    for name in ours.keys() | theirs.keys():
        known = base[name].section.by_id if name in base else {}
        for turn in (ours, theirs):
            was = turn[name].was if name in turn else {}
            yield from ((one, old) for one, old in was.items() if one not in known)
    for turned in base.values():
        yield from turned.was.items()


def _app(app: App, turn: Mapping[str, Turned]) -> App:
    if all(app.sections.get(name) is one.section for name, one in turn.items()):
        return app
    sections = {one.section.name: one.section for one in turn.values()}
    return App(app.format_version, {name: sections[name] for name in sorted(sections)})
