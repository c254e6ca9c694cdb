"""The product's rename, of every entity that anything refers to, audited each; and back again."""

from collections.abc import Callable
from dataclasses import dataclass

from services.studio.appsmith import App, EditRefused, Entity, Kind, Section
from services.studio.references import bindings_in
from services.studio.references.rename import rename
from tests.realapps.findings import Findings
from tests.realapps.referee import Referee
from tests.realapps.renames import Auditor

NAMED = (Kind.WIDGET, Kind.QUERY, Kind.SCRIPT)
Told = Callable[[int, int], None]


@dataclass(slots=True)
class Renaming:
    """Renames of one app. `told` hears how many of how many are done. `new`: the name to give."""

    app: App
    referee: Referee
    told: Told
    new: str = ""

    def check(self, findings: Findings) -> None:
        """Every referenced entity once. Its figures, and a line for each that went wrong."""
        auditor = Auditor(self.app, self.referee)
        files = self.app.files
        new = self.new or unused_name(self.app)
        todo = list(referenced(self.app))
        for figure in ("renamed", "renamed, edits", "renamed, wrong", "renamed back, different"):
            findings.figures[figure] += 0
        for number, (section, entity) in enumerate(todo):
            self.told(number, len(todo))
            try:
                done = rename(section, entity.entity_id, new)
                back = rename(done.section, done.entity_id, entity.name)
            except EditRefused as refused:
                findings.explain("rename refused", "", f"{entity.entity_id}: {refused}")
                continue
            after = {p: c for p, c in files.items() if p not in section.files}
            lines = auditor.audit({**after, **done.section.files}, entity, new)
            findings.figures["renamed"] += 1
            findings.figures["renamed, edits"] += len(done.changes)
            findings.figures["renamed, wrong"] += bool(lines)
            different = dict(back.section.files) != dict(section.files)
            findings.figures["renamed back, different"] += different
            if lines or different:
                what = "; ".join(lines[:3]) or "not the same when renamed back"
                findings.unexplained.append(f"rename of {entity.entity_id}: {what}")


def referenced(app: App) -> list[tuple[Section, Entity]]:
    """The entities that code of their page names, with their sections."""
    found = []
    for section in app.sections.values():
        names = {
            name.name
            for _, bindings in bindings_in(section)
            for binding in bindings
            for one in binding.expressions
            for name in one.names.found
        }
        found += [(section, e) for e in section.entities if e.kind in NAMED and e.name in names]
    return found


def unused_name(app: App) -> str:
    """A name that stands nowhere in the app."""
    everything = b"\n".join(app.files.values())
    return next(name for n in range(10**6) if (name := f"Renamed{n}").encode() not in everything)
