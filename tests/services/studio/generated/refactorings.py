"""Moves, copies and deletions audited: what each must leave, and what undoes it.

Each audit carries one out on an app and tells what is wrong with it, a line each; nothing
when all is well. What is read here is read anew from the files that it made.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from services.studio.appsmith import App, EditRefused, Entity, Kind, Section, parse
from services.studio.appsmith.containers import container_of, tree_ways
from services.studio.appsmith.edit import with_inside
from services.studio.appsmith.on_load import entries
from services.studio.appsmith.sections import split
from services.studio.appsmith.sources import exact_json
from services.studio.references import PageGraph, Use, readings_in
from services.studio.references.breaks import Effect
from services.studio.references.delete import delete
from services.studio.references.duplicate import duplicate
from services.studio.references.move import Target, move

NAMED = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT)
CANVAS = "CANVAS_WIDGET"
INSIDE = "what is copied along"

Meant = dict[tuple[str, Use], str]


@dataclass
class Audit:
    """Operations on one app. `figures`: how many of which, and what they broke."""

    app: App
    figures: Counter[str] = field(default_factory=Counter)
    _meant: dict[int, Meant] = field(default_factory=dict)

    @cached_property
    def libraries(self) -> set[str]:
        return {one.name for one in self.app if one.kind is Kind.LIBRARY}

    def is_as_before(self, app: App) -> bool:
        """Whether it has the same files. Sections that no edit touched are the same objects."""
        before = self.app.sections
        return app.sections.keys() == before.keys() and all(
            one is before[name] or dict(one.files) == dict(before[name].files)
            for name, one in app.sections.items()
        )

    def whole(self, app: App) -> Iterator[str]:
        """It is an app, and comes back from its files as it is; what no edit touched does."""
        before = self.app.sections
        touched = {n: one for n, one in app.sections.items() if one is not before.get(n)}
        if app.sections.keys() != before.keys():
            parse(app.tree())
        files = {path: content for one in touched.values() for path, content in one.files.items()}
        for name, again in split(files, app.format_version).items():
            if name not in touched or list(again.entities) != list(touched[name].entities):
                yield "not the same when read again"

    def duplicate(self, entity: Entity) -> Iterator[str]:
        """A copy, and the copy deleted."""
        done = duplicate(self.app, entity.entity_id)
        self.figures["duplicated"] += 1
        self.figures["duplicated, with what is inside"] += len(done.added)
        yield from self.whole(done.app)
        before = {one.entity_id: one.digest for one in self.app}
        after = {one.entity_id: one.digest for one in done.app}
        if after.keys() - before.keys() != {*done.added}:
            yield "what is new is not what is told"
        level = "app:application.json" if entity.kind is Kind.PAGE else f"page:pages/{entity.page}"
        if changed := [i for i in before if after.get(i) != before[i] and i != level]:
            yield f"changed: {changed[:3]}"
        yield from self._misplaced(done.app.sections[done.entity.section], entity)
        if entity.kind is not Kind.PAGE:
            yield from self._meaning(done.app, entity, {*done.added})
        gone = delete(done.app, done.entity.entity_id)
        if not self.is_as_before(gone.app):
            yield "deleted again, it is not as before"

    def move(self, entity: Entity, target: Target) -> Iterator[str]:
        """To a container or page, and back. A refusal is fine: it is counted."""
        source = self.app.sections[entity.section]
        across = target.page not in ("", source.page)
        try:
            done = move(self.app, entity.entity_id, target)
        except EditRefused as refused:
            self.figures[f"refused to move: {refused.rule}"] += 1
            return
        self.figures["moved to another page" if across else "moved within its page"] += 1
        for one in done.breaks:
            self.figures[f"broken by moves: {one.effect}"] += 1
        yield from self.whole(done.app)
        if done.app.counts != self.app.counts:
            yield "there is more or less than before"
        other = done.app.sections[f"page:{target.page or source.page}"]
        yield from self._misplaced(other, entity)
        pages = [source.name, other.name]
        ids = {one.entity_id for name in pages for one in self.app.sections[name].entities}
        broken = {(b.entity_id, b.path, b.start) for b in done.breaks if b.effect != Effect.MENTION}
        was, now = self._of_pages(self.app, pages), self._of_pages(done.app, pages)
        yield from differing(was, now, done.ids, broken, ids)
        if broken and not across:
            yield "something broke within the page"
        yield from self._back(entity, done.app, done.entity)

    def delete(self, entity: Entity) -> Iterator[str]:
        """What is gone is gone with what is inside, and what used it is told."""
        try:
            done = delete(self.app, entity.entity_id)
        except EditRefused as refused:
            self.figures[f"refused to delete: {refused.rule}"] += 1
            return
        self.figures["deleted"] += 1
        for one in done.breaks:
            self.figures[f"broken by deletions: {one.effect}"] += 1
        yield from self.whole(done.app)
        before = {one.entity_id for one in self.app}
        if before - {one.entity_id for one in done.app} != {*done.gone}:
            yield "what went is not what is told"
        if entity.kind is not Kind.PAGE and entity.page:
            pages = [entity.section]
            was, now = self._of_pages(self.app, pages), self._of_pages(done.app, pages)
            broken = {
                (b.entity_id, b.path, b.start) for b in done.breaks if b.effect != Effect.MENTION
            }
            yield from differing(was, now, {}, broken, before - {*done.gone})

    def _misplaced(self, section: Section, entity: Entity) -> Iterator[str]:
        """No two have one name or id, and everybody is in something; unless that was so before."""
        known: set[str] = set()
        for name in (section.name, entity.section):
            if was := self.app.sections.get(name):
                known |= {*twice(was), *lost(was)}
        if found := {*twice(section), *lost(section)} - known:
            yield f"names or ids that two have, or widgets that are nowhere: {sorted(found)[:3]}"

    def _back(self, entity: Entity, app: App, moved: Entity) -> Iterator[str]:
        home = home_of(self.app, entity)
        back = move(app, moved.entity_id, home).app
        if self.is_as_before(back):
            self.figures["moved back, the same"] += 1
            return
        reasons = why_not_the_same(self.app, back, entity)
        self.figures[f"moved back, but for {reasons or 'UNEXPLAINED'}"] += 1
        if not reasons:
            yield "moved back, it is not as before"

    def _meaning(self, app: App, entity: Entity, added: Container[str]) -> Iterator[str]:
        """Whoever used something uses it still; the copy uses the copies of what went along."""
        section = self.app.sections[entity.section]
        was = self._of_pages(self.app, [section.name])
        now = self._of_pages(app, [section.name])
        if any(now.get(place) != target for place, target in was.items()):
            yield "something else than the copy means something else"
        inside = {one.entity_id for one in with_inside(section, entity)}
        mine = Counter(INSIDE if t in inside else t for (s, _), t in was.items() if s in inside)
        copied = Counter(INSIDE if t in added else t for (s, _), t in now.items() if s in added)
        if mine != copied:
            yield f"the copy uses {copied - mine}, the original {mine - copied}"
        self.figures["references in copies, to copies"] += copied[INSIDE]
        self.figures["references in copies, to others"] += copied.total() - copied[INSIDE]

    def _of_pages(self, app: App, names: Iterable[str]) -> Meant:
        found: Meant = {}
        for name in names:
            section = app.sections.get(name)
            if section is None:
                continue
            if app is not self.app:
                found |= meant(section, self.libraries)
            else:
                if id(section) not in self._meant:
                    self._meant[id(section)] = meant(section, self.libraries)
                found |= self._meant[id(section)]
        return found


def meant(section: Section, libraries: Container[str]) -> Meant:
    """Who is meant by each use; empty for a use of nobody."""
    readings = readings_in(section, section.by_id.keys())
    graph = PageGraph(section.entities, readings, libraries)
    found = {(source, use): "" for source, one in readings.items() for use in one.uses}
    return found | {(one.source_id, one.use): one.target_id for one in graph.references}


def differing(
    was: Meant,
    now: Meant,
    ids: Mapping[str, str],
    told: Container[tuple[str, tuple[str | int, ...], int]],
    stay: Container[str],
) -> Iterator[str]:
    """Uses that mean something else than before, and are not told; and those told that do not."""
    for (source, use), target in was.items():
        if source in stay:
            expected = ids.get(target, target)
            found = now.get((ids.get(source, source), use))
            if found is None:
                yield f"lost: {use.name} in {source}"
            elif (found != expected) != ((source, use.path, use.start) in told):
                yield f"{use.name} in {source} means {found!r}, was {target!r}"


def twice(section: Section) -> Iterator[str]:
    """Names and ids of widgets that two have."""
    names = Counter(one.name for one in section.entities if one.kind in NAMED)
    ids = (one.fields.get("widget_id") for one in section.entities if one.kind is Kind.WIDGET)
    for found in (names, Counter(map(str, ids))):
        yield from (name for name, count in found.items() if count > 1)


def lost(section: Section) -> Iterator[str]:
    """Widgets whose container is not there."""
    for one in section.entities:
        if one.kind is Kind.WIDGET and not section.has_trees and not one.parent_id:
            parent_id = exact_json(section.files[one.path]).get("parentId")
            yield from () if parent_id == "0" else (one.entity_id,)


def home_of(app: App, entity: Entity) -> Target:
    """Where an entity is."""
    section = app.sections[entity.section]
    if entity.kind is not Kind.WIDGET:
        return Target(page=entity.page)
    value = exact_json(section.files[entity.path])
    if section.has_trees:
        place = tree_ways(entity.path, value)[entity.entity_id][-1]
        assert isinstance(place, int)
        return Target(entity.page, entity.parent_id, place=place)
    canvas = str(value.get("parentId")) if entity.parent_id else ""
    return Target(entity.page, entity.parent_id, canvas)


def why_not_the_same(app: App, back: App, entity: Entity) -> str:
    """What a move and the one back may leave: the order of what a page runs, and names and ids of
    canvases that had to give way on the other page."""
    page = next(e.path for e in app.sections[entity.section].entities if e.kind is Kind.PAGE)
    differ = {
        p for p in app.files.keys() | back.files.keys() if app.files.get(p) != back.files.get(p)
    }
    if entity.kind is not Kind.WIDGET:
        was, now = (Counter(map(str, actions(one.files[page]))) for one in (app, back))
        return "the order of what the page runs" if differ == {page} and was == now else ""
    here = {one.path for one in with_inside(app.sections[entity.section], entity)}
    made = {path for path in back.files if path not in app.files}
    return "names and ids that were taken" if differ <= here | made else ""


def actions(content: bytes) -> list[object]:
    """What a page runs."""
    return [action for _, action in entries(content)]


def targets(app: App, kind: Kind) -> list[Target]:
    """Where something may be moved to: all pages, and for a widget their containers."""
    found = []
    for section in app.sections.values():
        if not section.page:
            continue
        found.append(Target(section.page))
        widgets = [one for one in section.entities if one.kind is Kind.WIDGET]
        if kind is Kind.WIDGET:
            boxes = [one for one in widgets if is_container(section, one)]
            found += [Target(section.page, one.entity_id) for one in boxes]
    return found


def is_container(section: Section, one: Entity) -> bool:
    """Whether there is a canvas to put widgets on."""
    try:
        container_of(section, one.entity_id)
    except EditRefused:
        return False
    return True


def movable(app: App) -> list[Entity]:
    """What may be moved and copied, in order: no canvas by itself."""
    return [one for one in app if one.kind in NAMED and one.fields.get("type") != CANVAS]
