"""The checks of one app: our bindings and names against Appsmith's records and the referee.

Each check writes its figures into Findings. Renames, which take minutes, are in `renaming`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from services.studio.appsmith import App, Entity, Kind, parse, read_folder
from services.studio.appsmith.sources import Source
from services.studio.references import TEXT, Binding, Goal, Names, bindings_in
from tests.realapps.findings import Findings
from tests.realapps.records import BODY, leaves, records_of, sources_of, values_at
from tests.realapps.referee import Case, Free, Referee, Verdict
from tests.realapps.renaming import Renaming, Told
from tests.realapps.rules import NOT_BOUND, OURS, THEIRS, Difference, Rules, rule_of


@dataclass(frozen=True, slots=True)
class Read:
    """An entity, its source, and what we find bound in it: paths with dots."""

    entity: Entity
    source: Source
    bindings: tuple[Binding, ...]

    @property
    def bound(self) -> dict[str, bool]:
        """Our paths, and whether each is a trigger; scripts are code as a whole."""
        if self.entity.kind in (Kind.SCRIPT, Kind.SCRIPT_FUNCTION):
            return {}
        coded = [one for one in self.bindings if one.expressions]
        return {BODY if b.path == TEXT else ".".join(map(str, b.path)): b.trigger for b in coded}


@dataclass
class Subject:
    """An app under check."""

    app: App
    referee: Referee | None

    @cached_property
    def reads(self) -> list[Read]:
        found = dict[str, tuple[Binding, ...]]()
        for section in self.app.sections.values():
            found |= {e.entity_id: tuple(bindings) for e, bindings in bindings_in(section)}
        return [
            Read(entity, source, found.get(entity.entity_id, ()))
            for section in self.app.sections.values()
            for entity, source in sources_of(section)
        ]


def check(folder: Path, referee: Referee | None, told: Told | None = None) -> Findings:
    """All checks of the app in a folder. Without a referee no names are compared and nothing is
    renamed; nor without `told`, which hears how many of how many renames are done."""
    began = time.process_time()
    app = parse(read_folder(folder))
    read = time.process_time()
    for section in app.sections.values():
        for _ in bindings_in(section):
            pass
    seconds = {"read": read - began, "bindings and names": time.process_time() - read}
    findings = check_app(folder.name, app, referee)
    if referee is not None and told is not None:
        began = time.process_time()
        Renaming(app, referee, told).check(findings)
        seconds["renames, audited"] = time.process_time() - began
    for name, spent in seconds.items():
        findings.figures[f"CPU, ms: {name}"] = round(spent * 1000)
    return findings


def check_app(name: str, app: App, referee: Referee | None) -> Findings:
    """All checks of an app."""
    findings = Findings(name)
    findings.figures["files"] = len(app.files)
    findings.figures["entities"] = sum(1 for _ in app)
    subject = Subject(app, referee)
    for one in CHECKS:
        one(subject, findings)
    return findings


def bound_paths(subject: Subject, findings: Findings) -> None:
    """Against dynamicBindingPathList and dynamicTriggerPathList."""
    figures = findings.figures
    for name in ("bound paths, theirs", "bound paths, ours", "bound paths, common"):
        figures[name] += 0
    for read in subject.reads:
        records = records_of(read.source.value or {})
        ours, theirs = frozenset(read.bound), records.bound
        figures["bound paths, theirs"] += len(theirs)
        figures["bound paths, ours"] += len(ours)
        figures["bound paths, common"] += len(ours & theirs)
        for path in sorted(theirs - ours):
            one = _difference(read, path, path in records.triggers, ours - theirs)
            _explain(findings, "theirs only", THEIRS, read, one)
        for path in sorted(ours & theirs):
            if read.bound[path] != (path in records.triggers):
                rule = "in both lists" if path in records.data & records.triggers else ""
                findings.explain("data or trigger", rule, _at(read, path))
        for path in sorted(ours - theirs):
            one = _difference(read, path, read.bound[path], theirs - ours)
            _explain(findings, "ours only", OURS, read, one)


def moustaches(subject: Subject, findings: Findings) -> None:
    """Every string with `{{` is bound, or it is known why not; found by a scan of our own."""
    for read in subject.reads:
        ours = frozenset(read.bound)
        places = {".".join(keys) for keys, text in leaves(read.source.value) if "{{" in text}
        if read.entity.kind is Kind.QUERY and "{{" in (read.source.text or ""):
            places.add(BODY)
        findings.figures["strings with {{"] += len(places)
        findings.figures["strings with {{, bound"] += len(places & ours)
        for path in sorted(places - ours):
            one = _difference(read, path, False)
            _explain(findings, "not bound", NOT_BOUND, read, one)


def path_keys(subject: Subject, findings: Findings) -> None:
    """Against a query's jsonPathKeys, which name its expressions."""
    figures = findings.figures
    for name in ("jsonPathKeys, theirs", "jsonPathKeys, ours", "jsonPathKeys, common"):
        figures[name] += 0
    for read in subject.reads:
        recorded = records_of(read.source.value or {}).expressions
        if recorded is None:
            continue
        theirs = {key.strip() for key in recorded}
        ours = {code.strip() for code, _, _ in _expressions(read)}
        figures["jsonPathKeys, theirs"] += len(theirs)
        figures["jsonPathKeys, ours"] += len(ours)
        figures["jsonPathKeys, common"] += len(ours & theirs)
        everything = [text for _, text in leaves(_unlisted(read))] + [read.source.text or ""]
        for code in sorted(theirs - ours):
            stale = not any(code in text for text in everything)
            findings.explain("keys, theirs only", "stale" if stale else "", _at(read, code))
        for code in sorted(ours - theirs):
            findings.explain("keys, ours only", "", _at(read, code))


def names(subject: Subject, findings: Findings) -> None:
    """Free names and their places, against the referee's; each different piece of code once."""
    figures = findings.figures
    asked: dict[tuple[str, Goal], tuple[Read, Names]] = {}
    for read in subject.reads:
        for code, goal, found in _expressions(read):
            figures["expressions"] += 1
            figures["free names"] += len(found.found)
            for doubt in found.doubts:
                figures[f"in doubt: {doubt.doubt}"] += 1
            asked.setdefault((code, goal), (read, found))
    if subject.referee is None:
        return
    verdicts = subject.referee.judge(Case(code, goal) for code, goal in asked)
    for ((code, goal), (read, ours)), theirs in zip(asked.items(), verdicts, strict=True):
        figures["judged by the referee"] += 1
        figures["judged, names"] += len(theirs.names)
        figures["judged, both can't parse"] += bool(ours.broken and theirs.broken)
        figures["judged, different"] += bool(told := difference(ours, theirs))
        if told:
            findings.unexplained.append(f"names: {_at(read, code)} ({goal}): {told}")


def difference(ours: Names, theirs: Verdict) -> str:
    """How our names differ from the referee's; empty when they are the same."""
    if ours.broken or theirs.broken:
        if ours.broken and theirs.broken:
            return ""
        return f"only the referee can't parse: {theirs.broken}" if theirs.broken else "ours broken"
    mine = {Free(one.start, one.end, one.name, one.path, one.shorthand) for one in ours.found}
    judged = set(theirs.names)
    return " ".join(
        f"{side} " + ", ".join(map(str, sorted(only)))
        for side, only in (("missed", judged - mine), ("wrong", mine - judged))
        if only
    )


Check = Callable[[Subject, Findings], None]
CHECKS: tuple[Check, ...] = (bound_paths, moustaches, path_keys, names)


def _expressions(read: Read) -> Iterator[tuple[str, Goal, Names]]:
    for binding in read.bindings:
        goal = Goal.TRIGGER if binding.trigger else Goal.DATA
        if read.entity.kind is Kind.SCRIPT:
            goal = Goal.SCRIPT
        for one in binding.expressions:
            yield binding.text[one.start : one.end], goal, one.names


def _difference(
    read: Read, path: str, trigger: bool, others: frozenset[str] = frozenset()
) -> Difference:
    values = values_at(read.source.value, path)
    texts = [value for value in values if isinstance(value, str)]
    if path == BODY and read.source.text is not None and read.entity.kind is Kind.QUERY:
        texts.append(read.source.text)
        values.append(read.source.text)
    return Difference(read.entity.kind, path, trigger, bool(values), tuple(texts), others)


def _explain(
    findings: Findings, figure: str, rules: Rules, read: Read, difference: Difference
) -> None:
    shown = f"{difference.path} {' '.join(difference.texts)[:100]!r}"
    findings.explain(figure, rule_of(rules, difference), _at(read, shown))


def _unlisted(read: Read) -> dict[str, object]:
    """A query's JSON without the list of its expressions."""
    value = read.source.value or {}
    action = {k: v for k, v in value["unpublishedAction"].items() if k != "jsonPathKeys"}
    return {**value, "unpublishedAction": action}


def _at(read: Read, what: str) -> str:
    return f"{read.entity.path} {read.entity.name}: {what[:200]}"
