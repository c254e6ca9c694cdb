"""A pytest plugin: put a saga of yours through many simulated worlds full of faults.

    pytest_plugins = ("chassis.testing.simulation.plugin",)       # conftest.py, at the top

    def test_a_trip_is_booked_whole_or_not_at_all(simulate_sagas):
        simulate_sagas(book_trip, started=a_trip)

    pytest --saga-seeds=1000

Nothing but the definition is needed: participants are made from it. Each seed is a world of its own
with two replicas of everything, and decides what goes wrong in it: crashes, frozen processes, lost
answers, messages twice and late, rebalances, clocks that are off, operators. A seed that breaks an
invariant fails the test; its faults are shrunk to the few that it takes and its story is told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from chassis.clock import chance

if TYPE_CHECKING:  # a run that simulates nothing does not pay for the imports
    from chassis.saga.definition import Saga
    from chassis.testing.simulation.run import Totals
    from chassis.testing.simulation.scenario import Scenario
    from chassis.testing.simulation.world import Outcome
    from contracts.base import Message

SEEDS = 20
"""Worlds of a test, unless `--saga-seeds` says otherwise."""

STARTS = 20
BASE_MAX = 10**9


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("saga simulation")
    group.addoption("--saga-seeds", type=int, default=SEEDS, help="how many worlds per test")
    group.addoption(
        "--saga-seed", type=int, default=None, help="the first seed; a fresh one otherwise"
    )
    group.addoption("--saga-jobs", type=int, default=1, help="processes that simulate")
    group.addoption(
        "--saga-diagrams", type=Path, default=None, help="a folder for Mermaid diagrams of failures"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the first seed once, so that the report can name it."""
    given = config.getoption("--saga-seed")
    config.stash[_BASE] = int(chance() * BASE_MAX) if given is None else given
    config.stash[_LINES] = []


@pytest.fixture
def simulate_sagas(request: pytest.FixtureRequest) -> "Simulation":
    """Runs the seeds of this test; see Simulation.__call__."""
    config = request.config
    return Simulation(
        request.node.name,
        first=config.stash[_BASE],
        seeds=config.getoption("--saga-seeds"),
        jobs=config.getoption("--saga-jobs"),
        diagrams=config.getoption("--saga-diagrams"),
        lines=config.stash[_LINES],
    )


@dataclass(frozen=True)
class Simulation:
    """What the fixture gives: call it with saga definitions. `seeds` worlds from `first` on;
    diagrams: where pictures of failures go; lines: what the end of the run tells."""

    test: str
    first: int
    seeds: int = SEEDS
    jobs: int = 1
    diagrams: Path | None = None
    lines: list[str] = field(default_factory=list)

    def __call__(
        self,
        *sagas: "Saga",
        started: "Callable[[Random], Message] | None" = None,
        starts: int = STARTS,
        **scenario: Any,  # fields of Scenario, by name
    ) -> "Totals":
        """Start each saga `starts` times a seed, all together. started: makes the starting command
        of the first saga from a seeded Random; made up otherwise. scenario: other fields of
        Scenario. Fails the test when an invariant does not hold."""
        from chassis.testing.simulation.run import Totals, simulate_many
        from chassis.testing.simulation.scenario import Scenario

        starters = ((sagas[0].name, started),) if started is not None else ()
        plan = Scenario(sagas, starts=starts * len(sagas), starters=starters, **scenario)
        totals = Totals()
        for outcome in simulate_many(
            _Always(plan), range(self.first, self.first + self.seeds), jobs=self.jobs
        ):
            totals.add(outcome)
            if outcome.violations:
                pytest.fail(self._told(plan, outcome), pytrace=False)
        self.lines.append(
            f"{self.test}: seeds {self.first}-{self.first + self.seeds - 1},"
            f" {totals.sagas.total()} sagas, {totals.faults.total()} faults, 0 violations"
        )
        return totals

    def _told(self, plan: "Scenario", failed: "Outcome") -> str:
        from chassis.testing.simulation.run import shrunk
        from chassis.testing.simulation.story import mermaid, story

        small = shrunk(plan, failed)
        lines = [
            f"seed {failed.seed} breaks an invariant"
            f" (again: pytest -k '{self.test}' --saga-seed={failed.seed} --saga-seeds=1)",
            story(plan, small),
        ]
        if self.diagrams is not None:
            path = self.diagrams / f"{self.test}-{failed.seed}.mmd"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(mermaid(plan, small) + "\n")
            lines.append(f"  diagram: {path}")
        return "\n".join(lines)


class _Always:
    """The same scenario for every seed; can be sent to another process."""

    def __init__(self, scenario: "Scenario") -> None:
        self._scenario = scenario

    def __call__(self, seed: int) -> "Scenario":
        return self._scenario


def pytest_report_header(config: pytest.Config) -> Iterator[str]:
    """The seeds, so that any run can be had again."""
    if config.getoption("--saga-seeds") != SEEDS or config.getoption("--saga-seed") is not None:
        base, count = config.stash[_BASE], config.getoption("--saga-seeds")
        yield f"saga simulation: seeds {base}-{base + count - 1}"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What was shown, for whoever asked for it."""
    for line in config.stash[_LINES]:
        terminalreporter.write_line(f"saga simulation: {line}")


_BASE = pytest.StashKey[int]()
_LINES = pytest.StashKey[list[str]]()
