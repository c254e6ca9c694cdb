"""What a rename is to change, gathered place by place, then made all at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.studio.appsmith import EditRefused, EditRule, Entity, Kind, Section
from services.studio.appsmith.compare import Path, path_text
from services.studio.appsmith.sections import renamed_files
from services.studio.appsmith.sources import (
    BODY_AT,
    WITH_BODY,
    body_path,
    exact_json,
    is_whole,
)
from services.studio.references.bindings import TEXT, Binding
from services.studio.references.javascript import Goal, Names, names_in
from services.studio.references.renames.own_names import Found, node_paths, path_keys
from services.studio.references.splice import Splice, Spot, spliced, spliced_json


@dataclass(frozen=True, slots=True)
class Changed:
    """A place that a rename changes: in which entity, where, and what it becomes. `path` as people
    write it; empty for a text."""

    entity_id: str
    path: str
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A place that may mean what is renamed, and stays: nobody can tell without running it."""

    entity_id: str
    path: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """The entity's section afterwards. `entity_id`: the entity's id now. `moved`: ids that changed
    with their files' names, old to new. `mentions`: texts that are the name, and left as they were.
    `others`: more sections that differ now."""

    section: Section
    entity_id: str
    changes: tuple[Changed, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    mentions: tuple[Changed, ...] = ()
    unclear: tuple[Undecided, ...] = ()
    others: tuple[Section, ...] = ()


@dataclass(slots=True)
class Wanted:
    """What a rename wants of one piece of code; places count from its start. `mentions`: texts
    that are the name."""

    splices: list[Splice] = field(default_factory=list)
    mentions: list[Splice] = field(default_factory=list)
    unclear: list[tuple[int, int]] = field(default_factory=list)


class Follow(Protocol):
    """How code follows a name. `own`: the id of the script whose text, or whose function's copy,
    the code is; else empty."""

    def __call__(self, code: str, goal: Goal, names: Names, own: str) -> Wanted: ...


@dataclass(slots=True)
class Plan:
    """Splices of one section's files. `with_mentions`: texts that are the name are spliced, too."""

    section: Section
    with_mentions: bool
    documents: dict[str, dict[Spot, list[Splice]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    texts: dict[str, list[Splice]] = field(default_factory=lambda: defaultdict(list))
    changes: list[Changed] = field(default_factory=list)
    mentions: list[Changed] = field(default_factory=list)
    unclear: list[Undecided] = field(default_factory=list)
    recoded: set[str] = field(default_factory=set)
    """Ids of entities whose code changes."""

    def own(self, found: Iterable[Found]) -> None:
        """Strings that are, or are made of, the name; told by their place in their entity, of
        which a file may have many."""
        prefixes = node_paths(self.section)
        for entity_id, path, spot, before, splice in found:
            self.documents[path][spot].append(splice)
            shown = path_text(spot.path[len(prefixes.get(entity_id, ())) :])
            self.changes.append(Changed(entity_id, shown, splice.start, before, splice.new))

    def code(self, read: Iterable[tuple[Entity, list[Binding]]], follow: Follow) -> None:
        """All code of some of the section's entities."""
        prefixes = node_paths(self.section)
        by_name: dict[str, str] = {}
        for one in self.section.entities:
            if one.kind is Kind.SCRIPT:
                by_name.setdefault(one.name, one.entity_id)
        for entity, bindings in read:
            function = entity.kind is Kind.SCRIPT_FUNCTION
            own = entity.parent_id if function else entity.entity_id
            for binding in bindings:
                wanted = _of_binding(entity, binding, follow, own)
                self._take(entity, binding.path, binding.text, wanted)
                if splices := self._splices(wanted):
                    self.recoded.add(entity.entity_id)
                    prefix = prefixes.get(entity.entity_id, ())
                    self._put(entity, binding, prefix, splices)
            for path, code, runs in self._path_keys(entity):
                script = own if function else by_name.get(runs.rpartition(".")[0], "")
                wanted = follow(code, Goal.DATA, names_in(code, Goal.DATA), script)
                self._take(entity, path, code, wanted)
                if splices := self._splices(wanted):
                    self.documents[entity.path][Spot(path)] += splices

    def files(self) -> dict[str, bytes]:
        """The section's files, spliced, under the names that they had."""
        files = dict(self.section.files)
        for path, wanted in self.documents.items():
            files[path] = spliced_json(files[path].decode(), wanted).encode()
        for path, splices in self.texts.items():
            files[path] = spliced(files[path].decode(), splices).encode()
        return files

    def renamed(self, section: Section, entity_id: str, ids: Mapping[str, str]) -> Renamed:
        """What there is to tell of it."""
        told = tuple(self.changes), ids, tuple(self.mentions), tuple(self.unclear)
        return Renamed(section, ids.get(entity_id, entity_id), *told)

    def _splices(self, wanted: Wanted) -> list[Splice]:
        return wanted.splices + (wanted.mentions if self.with_mentions else [])

    def _take(self, entity: Entity, path: Path, text: str, wanted: Wanted) -> None:
        self.changes += [_changed(entity, path, text, one) for one in self._splices(wanted)]
        if not self.with_mentions:
            self.mentions += [_changed(entity, path, text, one) for one in wanted.mentions]
        self.unclear += [
            Undecided(entity.entity_id, path_text(path), start, text[start:end])
            for start, end in wanted.unclear
        ]

    def _put(self, entity: Entity, binding: Binding, prefix: Path, splices: list[Splice]) -> None:
        body = body_path(entity) if entity.kind in WITH_BODY else ""
        whole = is_whole(entity)
        if binding.path == TEXT and not whole:
            self.texts[body] += splices
            return
        inner = (*BODY_AT[entity.kind], "body") if entity.kind in WITH_BODY else TEXT
        path = inner if binding.path == TEXT else binding.path
        self.documents[entity.path][Spot((*prefix, *path))] += splices
        twin = self.section.files.get(body) if path == inner and not whole else None
        if twin is not None and twin.decode("utf-8", "replace") == binding.text:
            self.texts[body] += splices  # a query's text stands in its metadata too

    def _path_keys(self, entity: Entity) -> Iterator[tuple[Path, str, str]]:
        """Appsmith's own lists of a query's expressions; a page has them too, of what it runs."""
        if entity.kind in (Kind.PAGE, Kind.QUERY, Kind.SCRIPT_FUNCTION):
            content = self.section.files[entity.path]
            if b"jsonPathKeys" in content:
                yield from path_keys(exact_json(content))


def check_unmentioned(
    section: Section, read: Iterable[tuple[Entity, list[Binding]]], follow: Follow
) -> None:
    """Raise EditRefused when texts are the new name already: mixed with those that will be, nobody
    could tell them apart again."""
    plan = Plan(section, with_mentions=False)
    plan.code(read, follow)
    for one in plan.mentions:
        detail = f"a text in {one.entity_id} {one.path} is {one.before} already"
        raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=detail)


def _of_binding(entity: Entity, binding: Binding, follow: Follow, own: str) -> Wanted:
    """The same in places of the binding's text."""
    found = Wanted()
    for one in binding.expressions:
        goal = Goal.TRIGGER if binding.trigger else Goal.DATA
        goal = Goal.SCRIPT if entity.kind is Kind.SCRIPT else goal
        wanted = follow(binding.text[one.start : one.end], goal, one.names, own)
        found.splices += [_further(splice, one.start) for splice in wanted.splices]
        found.mentions += [_further(splice, one.start) for splice in wanted.mentions]
        found.unclear += [(one.start + start, one.start + end) for start, end in wanted.unclear]
    return found


def _further(one: Splice, by: int) -> Splice:
    return Splice(one.start + by, one.end + by, one.new)


def _changed(entity: Entity, path: Path, text: str, one: Splice) -> Changed:
    before = text[one.start : one.end]
    return Changed(entity.entity_id, path_text(path), one.start, before, one.new)


def moved(
    files: Mapping[str, bytes], paths: Mapping[str, str], section: Section, name: str = ""
) -> tuple[Section, dict[str, str]]:
    """The section with these files, those in `paths` under other names, and under another name
    itself; and ids that changed, old to new. Raises EditRefused when a file is there already."""
    stays = files.keys() - paths.keys()
    targets = Counter(paths.values())
    if taken := sorted(there for there in targets if there in stays or targets[there] > 1):
        detail = f"the file {taken[0]} is there"
        raise EditRefused(field="name", rule=EditRule.NAME_USED, detail=detail)
    return renamed_files(section, paths, files, name)
