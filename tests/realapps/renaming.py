"""The product's rename, of every entity that anything refers to, of every function and page, each
audited; and back again. Where texts are the name, the same once more with those texts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.studio.appsmith import App, EditRefused, Entity, Kind, Section
from services.studio.references import bindings_in
from services.studio.references.rename import Renamed
from services.studio.store.renaming import after_rename, rename_in
from tests.realapps.findings import Findings
from tests.realapps.records import sources_of
from tests.realapps.referee import Referee
from tests.realapps.renames import Auditor

NAMED = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT)
GROUPS = {Kind.SCRIPT_FUNCTION: "functions renamed", Kind.PAGE: "pages renamed"}
FIGURES = ("", ", edits", ", wrong", " back, different")
REFUSALS = {
    "cannot be read": "broken script",
    "the script of": "function of no script",
}
"""Rules by what a refusal says."""

Told = Callable[[int, int], None]


@dataclass(slots=True)
class Renaming:
    """Renames of one app. `told` hears how many of how many are done. `new`: the name to give."""

    app: App
    referee: Referee
    told: Told
    new: str = ""

    def check(self, findings: Findings) -> None:
        """Each entity once. Its figures, and a line for each that went wrong."""
        auditor = Auditor(self.app, self.referee)
        new = self.new or unused_name(self.app)
        todo = [entity for _, entity in referenced(self.app)]
        todo += [one for one in self.app if one.kind in GROUPS]
        for group in ("renamed", *GROUPS.values()):
            for figure in FIGURES:
                findings.figures[group + figure] += 0
        for number, entity in enumerate(todo):
            self.told(number, len(todo))
            try:
                done = self._renamed(findings, auditor, entity, new, mentions=False)
                self._check_mentions(findings, auditor, entity, new, done)
            except EditRefused as refused:
                what = f"{entity.entity_id}: {refused}"
                findings.explain("rename refused", refusal_rule(what), what)

    def _renamed(
        self, findings: Findings, auditor: Auditor, entity: Entity, new: str, *, mentions: bool
    ) -> Renamed:
        group = "with texts" if mentions else GROUPS.get(entity.kind, "renamed")
        done = rename_in(self.app, entity.entity_id, new, with_mentions=mentions)
        after = after_rename(self.app, entity.entity_id, done).app
        back = rename_in(after, done.entity_id, entity.name, with_mentions=mentions)
        files = after_rename(after, done.entity_id, back).app.files
        lines = auditor.audit(after.files, entity, new, mentions=mentions)
        different = files != self.app.files
        findings.figures[group] += 1
        findings.figures[f"{group}, edits"] += len(done.changes)
        findings.figures[f"{group}, wrong"] += bool(lines)
        findings.figures[f"{group} back, different"] += different
        if entity.kind is Kind.SCRIPT_FUNCTION:
            findings.figures[f"{group}, unclear places"] += len(done.unclear)
        if lines or different:
            what = "; ".join(lines[:3]) or "not the same when renamed back"
            findings.unexplained.append(f"rename of {entity.entity_id}: {what}")
        return done

    def _check_mentions(
        self, findings: Findings, auditor: Auditor, entity: Entity, new: str, done: Renamed
    ) -> None:
        if entity.kind is Kind.SCRIPT_FUNCTION:
            return
        count = auditor.mentioned(entity)
        if count != len(done.mentions):
            what = f"{len(done.mentions)} texts are the name, not {count}"
            findings.unexplained.append(f"rename of {entity.entity_id}: {what}")
        if done.mentions:
            findings.figures["texts that are names"] += len(done.mentions)
            self._renamed(findings, auditor, entity, new, mentions=True)


def refusal_rule(what: str) -> str:
    """Why a refusal is right; empty when it may not be."""
    return next((rule for said, rule in REFUSALS.items() if said in what), "")


def referenced(app: App) -> list[tuple[Section, Entity]]:
    """The entities that code of their page names, or a list of it repeats, with their sections."""
    found = []
    for section in app.sections.values():
        names = {*_names_in(section), *_repeated_in(section)}
        found += [(section, e) for e in section.entities if e.kind in NAMED and e.name in names]
    return found


def _names_in(section: Section) -> Iterator[str]:
    for _, bindings in bindings_in(section):
        for binding in bindings:
            for one in binding.expressions:
                yield from (name.name for name in one.names.found)


def _repeated_in(section: Section) -> Iterator[str]:
    """Lists of the older kind keep whole copies of widgets, by name."""
    for _, source in sources_of(section):
        template = (source.value or {}).get("template")
        yield from template if isinstance(template, dict) else ()


def unused_name(app: App) -> str:
    """A name that stands nowhere in the app."""
    everything = b"\n".join(app.files.values())
    return next(name for n in range(10**6) if (name := f"Renamed{n}").encode() not in everything)
