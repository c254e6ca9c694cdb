"""Rename a page: its folder, its files, the ids made of it; and texts elsewhere that name it."""

import re
from collections.abc import Iterator
from dataclasses import replace

from services.studio.appsmith import App, EditRefused, EditRule, Entity, Kind, Section
from services.studio.appsmith.app import APPLICATION, page_ids
from services.studio.appsmith.compare import Path
from services.studio.appsmith.edit_rules import check_is_name
from services.studio.appsmith.entities import Object, part
from services.studio.appsmith.on_load import entries_of
from services.studio.appsmith.page_files import page_file_name
from services.studio.appsmith.paths import file_name
from services.studio.appsmith.sections import APP_SECTION, PAGE_PREFIX
from services.studio.appsmith.sources import WITH_BODY, exact_json
from services.studio.appsmith.templates import slug
from services.studio.references.bindings import bindings_in, maybe_saying
from services.studio.references.javascript import Goal, Names
from services.studio.references.renames.own_names import Found, part_at
from services.studio.references.renames.plan import (
    Plan,
    Renamed,
    Wanted,
    check_unmentioned,
    moved,
)
from services.studio.references.splice import Splice, Spot
from services.studio.references.syntax import BY_PAGE_NAME

_UNSAYABLE = re.compile(r"""['"`\\{}\r\n\u2028\u2029]""")
_TWINS = ("unpublishedPage", "publishedPage")
_ACTIONS = (
    "unpublishedAction",
    "unpublishedCollection",
    "publishedAction",
    "publishedCollection",
)


def rename_page(app: App, entity: Entity, name: str, *, with_mentions: bool) -> Renamed:
    """The app has all its pages here, and its `app` section. Raises EditRefused."""
    section, level = app.sections[entity.section], app.sections[APP_SECTION]
    own = _Own(section, entity, name)
    _check(app, own, name)
    plans = {one.name: Plan(one, with_mentions) for one in (level, section)}
    for one in app.sections.values():
        if mentions := maybe_saying(one, BY_PAGE_NAME):
            plan = plans.setdefault(one.name, Plan(one, with_mentions))
            read = list(bindings_in(one, mentions))
            plan.code(read, _Follow(entity.name, name))
            if with_mentions:
                _check_sayable(name, plan)
                check_unmentioned(one, read, _Follow(name, entity.name))
    plans[level.name].own(own.in_application(level))
    plans[section.name].own(own.in_page())
    return _carried_out(plans, own, entity)


def _carried_out(plans: dict[str, Plan], own: "_Own", entity: Entity) -> Renamed:
    plan = plans.pop(own.section.name)
    name = PAGE_PREFIX + own.new_folder
    after, ids = moved(plan.files(), own.paths(), own.section, name)
    others = [one.section.with_files(one.files()) for one in plans.values() if one.changes]
    for other in plans.values():
        plan.changes += other.changes
        plan.mentions += other.mentions
    return replace(plan.renamed(after, entity.entity_id, ids), others=tuple(others))


class _Follow:
    """Texts that `navigateTo` takes for the page's name."""

    def __init__(self, old: str, new: str) -> None:
        self._old = old
        self._new = new

    def __call__(self, code: str, goal: Goal, names: Names, own: str) -> Wanted:
        found = [
            Splice(one.start, one.end, self._new)
            for one in names.mentions
            if one.name == self._old and one.function == BY_PAGE_NAME
        ]
        return Wanted(mentions=found)


class _Own:
    """Where a page's name stands outside of code: by itself, and as its folder's."""

    def __init__(self, section: Section, page: Entity, new: str) -> None:
        self.section = section
        self.name = page.name
        self._new = new
        follows = section.page == file_name(page.name)
        self.new_folder = file_name(new) if follows else section.page
        self._pairs = ((self.name, new), (section.page, self.new_folder))

    def paths(self) -> dict[str, str]:
        """All its files, and what they are to be called."""
        old, new = self.section.page, self.new_folder
        start, version = f"pages/{old}/", self.section.format_version
        own = start + page_file_name(old, version)
        found = {}
        for path in self.section.files:
            rest = page_file_name(new, version) if path == own else path.removeprefix(start)
            found[path] = f"pages/{new}/{rest}"
        return {path: there for path, there in found.items() if path != there}

    def in_application(self, level: Section) -> Iterator[Found]:
        """The app lists its pages by their folders, or by their names."""
        pages = exact_json(level.files[APPLICATION]).get("pages")
        app = next(e for e in level.entities if e.path == APPLICATION)
        for n, one in enumerate(pages if isinstance(pages, list) else []):
            listed = one.get("id") if isinstance(one, dict) else None
            if listed == self.section.page != self.new_folder:
                yield self._spot(app, ("pages", n, "id"), self.section.page, self.new_folder)
            elif listed == self.name and listed != self.section.page:
                yield self._spot(app, ("pages", n, "id"), self.name, self._new)

    def in_page(self) -> Iterator[Found]:
        """Its own file, and its queries and scripts."""
        for one in self.section.entities:
            if one.kind is Kind.PAGE:
                value = exact_json(self.section.files[one.path])
                for twin in _TWINS:
                    yield from self._in_twin(one, twin, value)
            elif one.kind in WITH_BODY:
                value = exact_json(self.section.files[one.path])
                yield from self._id(one, ("id",), value)
                for inner in _ACTIONS:
                    told = part(value, inner)
                    yield from self._id(one, (inner, "collectionId"), told)
                    yield from self._same(one, (inner, "pageId"), told)

    def _in_twin(self, page: Entity, twin: str, value: Object) -> Iterator[Found]:
        told = part(value, twin)
        if told.get("name") == page.name:
            yield self._spot(page, (twin, "name"), page.name, self._new)
        if told.get("slug") == slug(page.name) != slug(self._new):
            yield self._spot(page, (twin, "slug"), slug(page.name), slug(self._new))
        layouts = told.get("layouts")
        for n in range(len(layouts) if isinstance(layouts, list) else 0):
            way: Path = (twin, "layouts", n)
            yield from self._same(page, (*way, "id"), part_at(value, way))
        for way, action in entries_of(value, twin):
            for key in ("id", "collectionId"):
                yield from self._id(page, (*way, key), action)
            yield from self._same(page, (*way, "pageId"), action)

    def _same(self, one: Entity, path: Path, holder: Object) -> Iterator[Found]:
        """The page's name, or its folder: where both are one, its name."""
        text = holder.get(str(path[-1]))
        found = next(((old, new) for old, new in self._pairs if text == old), None)
        if found is not None and found[0] != found[1]:
            yield self._spot(one, path, *found)

    def _id(self, one: Entity, path: Path, holder: Object) -> Iterator[Found]:
        """`Page_Name`, of either."""
        text = holder.get(str(path[-1]))
        pairs = self._pairs if isinstance(text, str) else ()
        found = next(((old, new) for old, new in pairs if str(text).startswith(f"{old}_")), None)
        if found is not None and found[0] != found[1]:
            yield self._spot(one, path, *found)

    def _spot(self, one: Entity, path: Path, old: str, new: str) -> Found:
        return one.entity_id, one.path, Spot(path), old, Splice(0, len(old), new)


def _check(app: App, own: _Own, name: str) -> None:
    check_is_name(name)
    application = exact_json(app.sections[APP_SECTION].files[APPLICATION])
    others = [e for e in app if e.kind is Kind.PAGE and e.section != own.section.name]
    taken = {e.name for e in others} | {e.page for e in others}
    taken |= {one for one in page_ids(application) if one not in (own.section.page, own.name)}
    if name in taken or own.new_folder in taken:
        raise EditRefused(field="name", rule=EditRule.NAME_TAKEN, detail=name)


def _check_sayable(name: str, plan: Plan) -> None:
    """A name goes into texts of code as it is."""
    if plan.changes and (found := _UNSAYABLE.search(name)):
        detail = f"{found[0]!r} would end a text of code, or begin one"
        raise EditRefused(field="name", rule=EditRule.NAME_INVALID, detail=detail)
