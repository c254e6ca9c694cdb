"""Who uses whom: the whole graph of a large app and one edit's part of it, by CPU of one core.

Against reading the same files' JSON, which nobody can do without, and against acorn with
eslint-scope on the same code, where node is at hand. Through the doors: `asked`.
"""

import gc
import json
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.studio.appsmith import App, Entity, Kind, Section, parse, read_folder, replace_entity
from services.studio.appsmith.sources import read_source
from services.studio.references import Goal, PageGraph, bindings_in
from services.studio.references.section_readings import (
    SectionReadings,
    encode,
    read_section,
)
from tests.bench.large_app import large_app
from tests.bench.table import Measurement
from tests.realapps.referee import Case, Missing, Referee

RUNS = 7
EDITS_MAX = {Kind.WIDGET: 400, Kind.SCRIPT: 100}


def an_app(folder: Path | None) -> dict[str, bytes]:
    """The files of a real app, or of one that is made like one."""
    return dict(read_folder(folder)) if folder else large_app()


def graphs(files: Mapping[str, bytes]) -> list[Measurement]:
    """The whole graph, and what each of many edits adds to the graph that is there."""
    whole = quartile([cpu_ms(lambda: whole_graph(parse(files))) for _ in range(RUNS)])
    documents = [content for path, content in files.items() if path.endswith(".json")]
    limit = quartile([cpu_ms(lambda: _loaded(documents)) for _ in range(RUNS)])
    app = parse(files)
    read = whole_graph(app)
    names = sum(len(one.graph.references) for one in read.values())
    told = f"{len(files)} files, {names} references; CPU of one core, lower quartile of {RUNS}"
    what = f"whole graph, {len(files)} files"
    largest = max(app.sections, key=lambda name: len(read[name].graph.references))
    edits = [edit for section in app.sections.values() for edit in _edits(app, section, read)]
    widgets = [edit for edit in edits if edit.kind is Kind.WIDGET]
    scripts = [edit for edit in edits if edit.kind is Kind.SCRIPT]
    return [
        Measurement(what, whole, limit, "ms", "json.loads of the same files", told),
        *_judged(app, whole, what, told),
        _summed("one edit's graph, a widget's", widgets),
        _summed(
            "one edit's graph, on the largest page", [e for e in widgets if e.section == largest]
        ),
        *([_summed("one edit's graph, a script's", scripts)] if scripts else []),
    ]


@dataclass(frozen=True, slots=True)
class Read:
    """A section's readings and their graph."""

    readings: SectionReadings
    graph: PageGraph


@dataclass(frozen=True, slots=True)
class Edit:
    """Milliseconds of CPU: of what an edit reads anew, of what is stored of it, of the page's graph
    at the next question; and of json.loads of the page's files."""

    section: str
    kind: Kind
    read_ms: float
    stored_ms: float
    graph_ms: float
    loaded_ms: float

    @property
    def all_ms(self) -> float:
        return self.read_ms + self.stored_ms + self.graph_ms


def _summed(what: str, edits: Sequence[Edit]) -> Measurement:
    every = sorted(edit.all_ms for edit in edits)
    part = {
        "read anew": quartile(edit.read_ms for edit in edits),
        "packed": quartile(edit.stored_ms for edit in edits),
        "tied": quartile(edit.graph_ms for edit in edits),
    }
    told = ", ".join(f"{name} {ms:.2f}" for name, ms in part.items())
    how = f"{len(edits)} edits; CPU: {told} ms; median {every[len(every) // 2]:.2f}"
    return Measurement(
        what,
        every[len(every) // 4],
        quartile(edit.loaded_ms for edit in edits),
        "ms",
        "json.loads of its page",
        f"{how}, p99 {every[int(len(every) * 0.99)]:.2f}",
    )


def whole_graph(app: App) -> dict[str, Read]:
    """Of every section."""
    found = {}
    for name, section in app.sections.items():
        readings = read_section(section)
        found[name] = Read(readings, tied(readings))
    return found


def tied(readings: SectionReadings) -> PageGraph:
    """The graph of one section alone."""
    return PageGraph(readings.entities.values(), readings.readings)


def _edits(app: App, section: Section, read: Mapping[str, Read]) -> Iterator[Edit]:
    """Of some of its widgets another text, of some of its scripts another line."""
    pages = [c for path, c in section.files.items() if path.endswith(".json")]
    before = read[section.name].readings
    for kind, at_most in EDITS_MAX.items():
        found = [one for one in section.entities if one.kind is kind]
        for entity in found[:: max(1, len(found) * len(app.sections) // at_most)]:
            after = _edited(app, section, entity)
            assert len(after.entities) == len(section.entities), "read before: the edit's own cost"
            began = time.thread_time()
            readings = read_section(after, before)
            anew = time.thread_time()
            encode(readings)
            packed = time.thread_time()
            tied(readings)
            done = time.thread_time()
            yield Edit(
                section.name,
                kind,
                read_ms=(anew - began) * 1000,
                stored_ms=(packed - anew) * 1000,
                graph_ms=(done - packed) * 1000,
                loaded_ms=cpu_ms(lambda: _loaded(pages)),
            )


def _edited(app: App, section: Section, entity: Entity) -> Section:
    source = read_source(section, entity)
    if entity.kind is Kind.SCRIPT:
        edited = replace_entity(app, entity.entity_id, text=f"// edited\n{source.text}")
    else:
        value = {**(source.value or {}), "text": f"{{{{ {entity.name}.text + 'edited' }}}}"}
        edited = replace_entity(app, entity.entity_id, value)
    return edited.app.sections[section.name]


def _judged(app: App, ours: float, what: str, told: str) -> list[Measurement]:
    """The same code by another parser and scope analysis; nothing where there is no node."""
    cases = [
        Case(binding.text[one.start : one.end], _goal(entity.kind, trigger=binding.trigger))
        for section in app.sections.values()
        for entity, bindings in bindings_in(section)
        for binding in bindings
        for one in binding.expressions
    ]
    try:
        referee = Referee()
    except Missing as missing:
        return [Measurement(what, ours, None, "ms", f"no acorn: {missing}", told)]
    times = []
    for _ in range(2):
        before = _children_ms()
        referee.judge(cases)
        times.append(_children_ms() - before)
    how = f"{told}; {len(cases)} pieces of code, node started once for all"
    return [Measurement(what, ours, min(times), "ms", "acorn + eslint-scope, its code", how)]


def _goal(kind: Kind, *, trigger: bool) -> str:
    if kind is Kind.SCRIPT:
        return Goal.SCRIPT.value
    return (Goal.TRIGGER if trigger else Goal.DATA).value


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU of this thread alone."""
    gc.collect(0)
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def quartile(times: Iterable[float]) -> float:
    """The lower one: of a shared machine the other times tell about its other work."""
    ordered = sorted(times)
    return ordered[len(ordered) // 4]


def _loaded(documents: Iterable[bytes]) -> None:
    for content in documents:
        json.loads(content)


def _children_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000
