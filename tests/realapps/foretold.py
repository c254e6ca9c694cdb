"""What a dry run says a rename would change, against what it changed in the files.

Files are compared string by string as they stand there; what was foretold is made in the entities'
sources as they were, by what the listing alone says: a value's path, a place in it, two texts.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.studio.appsmith import App, Entity, Kind
from services.studio.appsmith.compare import Path, path_text
from services.studio.appsmith.sources import BODY_AT, Source, body_path, is_whole
from tests.realapps.doors import Place
from tests.realapps.records import sources_of
from tests.realapps.renames import LITERAL

WITH_BODY = tuple(BODY_AT)
Change = tuple[str, str, str]  # file, a string in it, what it becomes


class NotThere(Exception):
    """A listed place is none; the text says which."""


@dataclass(slots=True)
class Held:
    """An entity's strings by their paths, as a listing writes paths."""

    entity: Entity
    strings: dict[str, str]
    body: str
    """The file that its text is in."""


class Foreteller:
    """Judges listings of one app's renames."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._files = app.files
        self._held: dict[str, Held] = {}
        self._read: set[str] = set()

    def differences(
        self, after: Mapping[str, bytes], old: str, new: str, places: Iterable[tuple[Entity, Place]]
    ) -> list[str]:
        """How a listing and the files after a rename differ, a line each. `new` stands nowhere in
        the app before: so a file's path before is its path after with `old` instead."""
        try:
            told = Counter(self._told(places))
        except NotThere as error:
            return [str(error)]
        real = Counter(made(self._files, {p.replace(new, old): c for p, c in after.items()}))
        lines = [f"foretold, and did not happen: {_shown(one)}" for one in told - real]
        untold = (one for one in real - told if not _is_twin(one, told))
        return [*lines, *(f"happened, and was not foretold: {_shown(one)}" for one in untold)]

    def _told(self, places: Iterable[tuple[Entity, Place]]) -> Iterator[Change]:
        by_value: dict[tuple[str, str], list[Place]] = defaultdict(list)
        for entity, place in places:
            by_value[entity.entity_id, place.path].append(place)
            self._read_section(entity)
        for (entity_id, path), listed in by_value.items():
            held = self._held[entity_id]
            if path not in held.strings:
                raise NotThere(f"foretold, and not there: {entity_id} {path}")
            text = changed = held.strings[path]
            for one in sorted(listed, key=lambda place: place.start, reverse=True):
                end = one.start + len(one.before)
                if text[one.start : end] != one.before:
                    raise NotThere(f"foretold, and not there: {entity_id} {path} {one.before!r}")
                changed = changed[: one.start] + one.after + changed[end:]
            yield held.entity.path if path else held.body, text, changed

    def _read_section(self, entity: Entity) -> None:
        if entity.section in self._read:
            return
        self._read.add(entity.section)
        for one, source in sources_of(self._app.sections[entity.section]):
            body = body_path(one) if one.kind in WITH_BODY and not is_whole(one) else one.path
            self._held[one.entity_id] = Held(one, strings_of(one, source), body)


def strings_of(entity: Entity, source: Source) -> dict[str, str]:
    """By path: the values that are strings; where something else is, its key."""
    found = {}
    pending: list[tuple[Path, object]] = [((), source.value)]
    while pending:
        keys, value = pending.pop()
        if keys:
            found[path_text(keys)] = value if isinstance(value, str) else str(keys[-1])
        if isinstance(value, dict):
            pending += [((*keys, key), one) for key, one in value.items()]
        elif isinstance(value, list):
            pending += [((*keys, place), one) for place, one in enumerate(value)]
    if entity.kind in WITH_BODY or entity.kind is Kind.FILE:
        found[""] = source.text or ""
    return found


def made(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[Change]:
    """Every string of the files that is another one now; a file that can't be told string by
    string is a change as a whole."""
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path, b""), after.get(path, b"")
        if was == now:
            continue
        one, other = was.decode("utf-8", "replace"), now.decode("utf-8", "replace")
        if not path.endswith(".json") or LITERAL.sub("", one) != LITERAL.sub("", other):
            yield path, one, other
            continue
        for mine, yours in zip(LITERAL.findall(one), LITERAL.findall(other), strict=True):
            if mine != yours:
                yield path, json.loads(mine), json.loads(yours)


def _is_twin(change: Change, told: Counter[Change]) -> bool:
    """A query's text stands in its metadata, too, and is listed once."""
    path, before, after = change
    folder = path.rpartition("/")[0]
    return any(
        (before, after) == one[1:] and one[0].rpartition("/")[0] == folder and one[0] != path
        for one in told
    )


def _shown(change: Change) -> str:
    path, before, after = change
    return f"{path}: {before[:120]!r} to {after[:120]!r}"
