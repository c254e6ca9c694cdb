"""What an edit breaks: names in code that afterwards mean nothing, or something else than before.

Found by looking every name up twice, before and after: an edit that moves or removes entities
changes no code, so what it breaks is all in that difference.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.studio.appsmith import App, Entity, Kind, Section
from services.studio.appsmith.app_level import names_given
from services.studio.appsmith.compare import Path
from services.studio.appsmith.entities import NAMED
from services.studio.references.bindings import Binding, bindings_in, maybe_saying
from services.studio.references.graph import PageGraph
from services.studio.references.platform import PLATFORM
from services.studio.references.readings import How, Reading, Use, reading_of
from services.studio.references.syntax import BY_PAGE_NAME

_DATASOURCE: Path = ("unpublishedAction", "datasource", "name")


class Effect(StrEnum):
    """What becomes of a place. DANGLING: its name means nothing any more. REBOUND: it means another
    entity than before, or one where it meant none. MENTION: either, of a text that is a name.
    DATASOURCE: a query's datasource is gone."""

    DANGLING = "dangling"
    REBOUND = "rebound"
    MENTION = "mention"
    DATASOURCE = "datasource"


@dataclass(frozen=True, slots=True)
class Break:
    """A place that an edit breaks, by the entity's id before it; `path`, `start` and `end` as in
    readings.Use. `name`: what is said there."""

    effect: Effect
    entity_id: str
    name: str
    path: Path
    start: int
    end: int


def breaks_between(
    before: Sequence[Section],
    after: Sequence[Section],
    given: Container[str],
    moved: Mapping[str, str],
) -> list[Break]:
    """What pages lose between two states. `given`: names that the app's libraries bring. `moved`:
    ids that are others afterwards; what is in no section any more is gone, and no loss."""
    code: dict[str, Reading] = {}
    texts: dict[str, Reading] = {}
    for section in before:
        for entity, bound in bindings_in(section):
            code[entity.entity_id] = reading_of(bound)
            if mentions := tuple(_mentions(bound)):
                texts[entity.entity_id] = Reading(mentions)
    found = list(_differing(before, after, given, moved, code))
    found += [
        Break(Effect.MENTION, one.entity_id, one.name, one.path, one.start, one.end)
        for one in _differing(before, after, given, moved, texts)
    ]
    return found


def without_datasource(app: App, datasource: Entity) -> Iterator[Break]:
    """Queries, of all pages that are here, that use a datasource."""
    for one in app:
        if one.kind is Kind.QUERY and one.fields.get("datasource") == datasource.name:
            end = len(datasource.name)
            yield Break(Effect.DATASOURCE, one.entity_id, datasource.name, _DATASOURCE, 0, end)


def without_library(app: App, library: Entity) -> Iterator[Break]:
    """Code, of all pages that are here, that takes a name which only this library brings."""
    others = names_given(one for one in app if one.entity_id != library.entity_id)
    for name in sorted(names_given([library]) - others - PLATFORM):
        for section in app.sections.values():
            if not section.page or any(e.name == name for e in section.entities if e.kind in NAMED):
                continue
            for entity, bound in bindings_in(section, maybe_saying(section, name)):
                for use in reading_of(bound).uses:
                    if use.name == name:
                        told = (use.name, use.path, use.start, use.end)
                        yield Break(Effect.DANGLING, entity.entity_id, *told)


def without_page(app: App, page: Entity) -> Iterator[Break]:
    """Texts on the other pages that are here, which `navigateTo` takes for the page's name."""
    for section in app.sections.values():
        if section.page in ("", page.page):
            continue
        for entity, bound in bindings_in(section, maybe_saying(section, BY_PAGE_NAME)):
            for use in _mentions(bound, pages=True):
                if use.name == page.name:
                    told = (use.path, use.start, use.end)
                    yield Break(Effect.MENTION, entity.entity_id, use.name, *told)


def _mentions(bindings: Iterable[Binding], *, pages: bool = False) -> Iterator[Use]:
    for binding in bindings:
        for one in binding.expressions:
            for said in one.names.mentions:
                if (said.function == BY_PAGE_NAME) is pages:
                    start, end = one.start + said.start, one.start + said.end
                    yield Use(said.name, How.DATA, binding.path, start, end)


def _differing(
    before: Sequence[Section],
    after: Sequence[Section],
    given: Container[str],
    moved: Mapping[str, str],
    readings: Mapping[str, Reading],
) -> Iterator[Break]:
    now: dict[tuple[str, Use], str] = {}
    old_ids = {new: old for old, new in moved.items()}
    there: set[str] = set()
    for section in after:
        there.update(section.by_id)
        own = {i: readings[old] for i in section.by_id if (old := old_ids.get(i, i)) in readings}
        now |= _meant(PageGraph(section.entities, own, given))
    for section in before:
        own = {i: readings[i] for i in section.by_id if i in readings}
        was = _meant(PageGraph(section.entities, own, given))
        for source, reading in own.items():
            new_source = moved.get(source, source)
            for use in reading.uses if new_source in there else ():
                target = was.get((source, use), "")
                means = now.get((new_source, use), "")
                if means != moved.get(target, target):
                    effect = Effect.REBOUND if means else Effect.DANGLING
                    yield Break(effect, source, use.name, use.path, use.start, use.end)


def _meant(graph: PageGraph) -> dict[tuple[str, Use], str]:
    return {(one.source_id, one.use): one.target_id for one in graph.references}
