"""`make mutants ALL=1`: every mutant of the core, the runner and the relay meets the tests.

Exit code 1 when too few are killed, when a survivor is not explained in survivors.toml, or when an
explanation fits no survivor. Kills are kept: an interrupted run goes on where it was.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

import pytest

from tests.mutation.breed import breed
from tests.mutation.hunt import Fate, Hunter, Verdict, collect
from tests.mutation.ledger import Kept, explained, judge
from tests.mutation.mutant import Mutant
from tests.mutation.targets import AREAS, Area


class Progress:
    """Keeps what is found, and says now and then how far it is."""

    def __init__(self, kept: Kept, verdicts: list[Verdict], total: int) -> None:
        self._kept, self._verdicts, self._total = kept, verdicts, total
        self._began = self._said = time.monotonic()

    def __call__(self, verdict: Verdict) -> None:
        self._verdicts.append(verdict)
        self._kept.add(verdict)
        if verdict.fate is Fate.SURVIVED:
            _say(f"  survived: {verdict.mutant.name} {verdict.by}")
        now = time.monotonic()
        if now - self._said > 15:
            self._said = now
            _say(f"  {len(self._verdicts)} of {self._total}, {now - self._began:.0f} s")


def _say(line: str) -> None:
    print(line, flush=True)


def hunt(area: Area, wanted: str, kept: Kept, jobs: int) -> tuple[list[Verdict], list[str]]:
    """Fates of an area's mutants, and the tests that fail without any."""
    modules = [module for module in area.modules if wanted in module]
    mutants = [mutant for module in modules for mutant in breed(module)]
    known = {mutant: kept.verdict(mutant) for mutant in mutants}
    verdicts = [verdict for verdict in known.values() if verdict is not None]
    fresh: list[Mutant] = [mutant for mutant, verdict in known.items() if verdict is None]
    if not fresh:
        return verdicts, []
    _say(f"{area.name}: {len(mutants)} mutants, {len(verdicts)} of them killed before")
    hunter = Hunter(fresh, Progress(kept, verdicts, len(mutants)), jobs)
    code = pytest.main(list(collect(area.tests)), plugins=[hunter])
    broken = hunter.broken or ([f"pytest ends with {code}"] if code else [])
    return verdicts, [f"fails without any mutant: {test}" for test in broken]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make mutants ALL=1", description=__doc__)
    parser.add_argument("--only", default="", help="modules with this in their name")
    parser.add_argument("--fresh", action="store_true", help="forget the kills of earlier runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    kept = Kept()
    if given.fresh:
        kept.forget()
    verdicts: list[Verdict] = []
    for area in AREAS:
        found, broken = hunt(area, given.only, kept, given.jobs)
        if broken:
            print("\n".join(broken))
            return 1
        verdicts += found
    judgement = judge(verdicts, AREAS, explained())
    print("\n".join(judgement.lines + judgement.problems))
    return 1 if judgement.problems else 0


if __name__ == "__main__":
    sys.exit(main())
