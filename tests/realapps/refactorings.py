"""The product's copies, moves and deletions, on every entity of an app, each audited and undone.

`python -m tests.realapps.refactorings DIR... [--each N]`: a table, and exit code 1 when anything is
not as it must be. The moves go to places drawn by chance, always the same.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from services.studio.appsmith import App, Entity, Kind, parse, read_folder
from services.studio.references.move import Target
from tests.realapps.findings import Findings, table, unexplained
from tests.services.studio.generated.refactorings import Audit, movable, targets

Told = Callable[[int, int], None]


def refactorings(app: App, findings: Findings, told: Told, each: int = 1) -> None:
    """Every `each`-th entity copied and deleted, and moved once within its page and once to
    another. Figures, and a line for each that went wrong."""
    audit, dice = Audit(app), Random(0)
    pages = [one for one in app if one.kind is Kind.PAGE]
    todo = [*movable(app)[::each], *pages[::each]]
    places = Places(app)
    spent: Counter[str] = Counter()
    for number, entity in enumerate(todo):
        told(number, len(todo))
        began = time.process_time()
        wrong = [f"copied: {line}" for line in audit.duplicate(entity)]
        copied = time.process_time()
        wrong += [f"deleted: {line}" for line in audit.delete(entity)]
        deleted = time.process_time()
        for target in places.some(entity, dice):
            wrong += [f"moved to {target}: {line}" for line in audit.move(entity, target)]
        moved = time.process_time()
        steps = {"copies": copied - began, "deletions": deleted - copied, "moves": moved - deleted}
        for name, seconds in steps.items():
            spent[name] += round(seconds * 1000)
        findings.figures["refactorings, wrong"] += bool(wrong)
        findings.unexplained += [f"{entity.entity_id} {line}" for line in wrong]
    for figure, count in sorted(audit.figures.items()):
        findings.figures[figure] += count
    for name, milliseconds in spent.items():
        findings.figures[f"CPU with audits, ms: {name}"] = milliseconds


class Places:
    """Where an app's entities may go."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._known = {kind: targets(app, kind) for kind in (Kind.WIDGET, Kind.QUERY)}

    def some(self, entity: Entity, dice: Random) -> list[Target]:
        """One place on its page, and one on another."""
        all_of = self._known[Kind.WIDGET if entity.kind is Kind.WIDGET else Kind.QUERY]
        own = [one for one in all_of if one.page == entity.page]
        others = [one for one in all_of if one.page != entity.page]
        groups = [own, others] if entity.kind is Kind.WIDGET else [others]
        return [dice.choice(group) for group in groups if group]


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="refactorings", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--each", type=int, default=1, help="every so-manieth entity only")
    given = parser.parse_args()
    all_of = []
    for folder in given.folders:
        findings = Findings(folder.name)
        refactorings(parse(read_folder(folder)), findings, _progress, given.each)
        all_of.append(findings)
    print(table(all_of))
    if lines := unexplained(all_of):
        print(f"\nunexplained:\n{lines}")
        return 1
    return 0


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {count} entities", end="\r", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
