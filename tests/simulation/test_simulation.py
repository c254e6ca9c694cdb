"""Every run of the tests simulates fresh seeds; a failure names the seed that repeats it."""

import secrets

import pytest

from chassis.testing.simulation.run import Totals, shrunk, simulate, simulate_many
from chassis.testing.simulation.story import mermaid, story
from tests.simulation import rare
from tests.simulation.kill import hunt
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenarios import every

TRIES = 8
SEEDS = 40


def test_sagas_keep_their_promises_under_fresh_faults() -> None:
    base = secrets.randbelow(10**9)
    totals = Totals()

    for outcome in simulate_many(every, range(base, base + SEEDS), jobs=2):
        totals.add(outcome)

    failures = [f"seed {one.seed}: {one.violations[0]}" for one in totals.failed]
    assert failures == [], f"again: make sim SEEDS={totals.failed[0].seed}"
    assert totals.sagas.total() > SEEDS * 10
    assert len(totals.faults) > 8, "a swarm has many kinds"
    print(f"seeds {base}-{base + SEEDS - 1}: {totals.sagas.total()} sagas, no violation")


@pytest.mark.parametrize("scenario", rare.ALL, ids=lambda scenario: scenario.__name__)
def test_what_is_rare_is_survived_too(scenario: rare.Rare) -> None:
    fired = scenario is rare.held_locks  # that one is slow, not faulty
    for _ in range(TRIES):  # some seeds are lucky: nothing crashes in one of twelve
        seed = secrets.randbelow(10**9)
        outcome = simulate(scenario(seed), seed)

        assert outcome.violations == [], f"seed {seed}"
        if fired := fired or bool(outcome.fired):
            break
    assert fired


def test_the_same_seed_is_the_same_world() -> None:
    first, again = (simulate(every(77), 77) for _ in range(2))
    other = simulate(every(78), 78)

    assert first.digest == again.digest
    assert first.fired == again.fired
    assert other.digest != first.digest


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=[m.name for m in MUTANTS])
def test_each_mutant_is_killed(number: int) -> None:
    base = secrets.randbelow(10**9)

    found = hunt(number, base)

    assert found.killed_by, f"{found.name} survived {found.seeds} seeds from {base}"


def test_a_failure_is_shrunk_and_told() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "tombstone")

    with mutant.at_work():
        failed = next(
            outcome
            for seed in range(100)
            if (outcome := simulate(rare.late_forwards(seed), seed)).violations
        )
        scenario = rare.late_forwards(failed.seed)
        small = shrunk(scenario, failed)
        told, drawn = story(scenario, small), mermaid(scenario, small)

    assert len(small.fired) < len(failed.fired) / 2
    assert "reorder #" in told
    assert "cmd.billing.v1: billing.ReserveQuota.v1" in told
    assert drawn.startswith("sequenceDiagram")
