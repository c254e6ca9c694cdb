"""The book of a sweep: its cases, what came of each, and a state file to go on from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from chassis.saga import Saga
from infra.local.places import cache_folder
from sagas import SAGAS
from tests.chaos.batch import Result
from tests.chaos.cases import Case, approvals, inner, pairs, singles, ticks, waits
from tests.chaos.drivers import DRIVERS

CASES_MIN = 300
PAIRS_MIN = 24


def newest() -> list[Saga]:
    """The version of each saga that a start gets today."""
    found: dict[str, Saga] = {}
    for saga in sorted(SAGAS, key=lambda saga: saga.version):
        found[saga.name] = saga
    return list(found.values())


def every_case(seed: int) -> list[Case]:
    """Every step x every point first; then pairs, drawn by the seed, up to 300 and some."""
    found: list[Case] = []
    for saga in newest():
        driver = DRIVERS[saga.name]
        found += singles(saga, stale=driver.stale)
        found += ticks(saga)
        found += waits(saga) if driver.crowd else []
        found += inner(saga, driver.inner)
        found += approvals(saga) if driver.protected else []
    return found + pairs(found, max(PAIRS_MIN, CASES_MIN - len(found)), seed)


def sample(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """So many of them, another choice for each seed."""
    return Random(f"sample {seed}").sample(list(cases), min(count, len(cases)))


@dataclass
class Book:
    """Written after every batch, so that a sweep that was interrupted goes on."""

    seed: int
    cases: list[Case]
    trials: list[str] = field(default_factory=list)  # of nemesis.py, by name
    file: Path | None = None
    results: dict[str, Result] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, seed: int, cases: Sequence[Case], trials: Sequence[str] = (), *, resume: bool = False
    ) -> "Book":
        """The one of this seed and these cases; an empty one unless it is to go on."""
        folder = cache_folder() / "kill-sweep"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{seed}.json"
        book = cls(seed, list(cases), list(trials), file)
        if resume and file.exists():
            known = {*(case.name for case in cases), *trials}
            kept = [Result(**each) for each in json.loads(file.read_text())["results"]]
            book.results = {r.name: r for r in kept if r.name in known and r.fate == "ok"}
        return book

    @property
    def left(self) -> list[Case]:
        """Cases without a result."""
        return [case for case in self.cases if case.name not in self.results]

    @property
    def trials_left(self) -> list[str]:
        """Trials without a result."""
        return [name for name in self.trials if name not in self.results]

    @property
    def total(self) -> int:
        return len(self.cases) + len(self.trials)

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results.values() if result.fate != "ok"]

    @property
    def passed(self) -> bool:
        """Every case ran and was ok, and the judge found nothing."""
        return not (self.left or self.trials_left or self.failures or self.violations)

    def write_down(self, results: Iterable[Result]) -> None:
        """Keep results; on disk too, if the book has a file."""
        self.results |= {result.name: result for result in results}
        if self.file is not None:
            kept = [asdict(result) for result in self.results.values()]
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps({"seed": self.seed, "results": kept}))
            new.replace(self.file)
