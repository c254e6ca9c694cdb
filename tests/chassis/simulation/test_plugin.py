"""The pytest plugin: a saga of anybody's through simulated worlds."""

import re
from pathlib import Path
from typing import Any

import pytest

from chassis.testing.simulation.faults import NONE, Faults
from chassis.testing.simulation.plugin import Simulation
from examples.trip.saga import book_trip
from examples.trip.test_trip import a_trip
from tests.chassis.simulation.damage import forget_what_was_handled

TWICE = Faults(send_twice=0.5, send_unconfirmed=0.1)


def a_simulation(**what_matters: Any) -> Simulation:
    return Simulation(**{"test": "test_trip", "first": 17, "seeds": 2, **what_matters})


def test_without_faults_and_refusals_every_saga_completes() -> None:
    totals = a_simulation()(book_trip, started=a_trip, starts=5, faults=NONE, refusals=0.0)

    assert (totals.seeds, dict(totals.sagas)) == (2, {"COMPLETED": 10})


def test_a_saga_needs_no_starter_of_its_own() -> None:
    totals = a_simulation(seeds=1)(book_trip, starts=5, refusals=0.5)

    assert totals.sagas.total() == 5
    assert totals.sagas["COMPENSATED"] > 0


def test_a_broken_mechanism_fails_the_test_with_its_seed_and_its_story(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forget_what_was_handled(monkeypatch)

    with pytest.raises(pytest.fail.Exception) as failure:
        a_simulation(diagrams=tmp_path)(book_trip, started=a_trip, starts=5, faults=TWICE)

    assert "seed 17 breaks an invariant" in str(failure.value)
    assert "--saga-seed=17 --saga-seeds=1" in str(failure.value)
    assert re.search("(effect|event handled) twice", str(failure.value))
    assert (tmp_path / "test_trip-17.mmd").read_text().startswith("sequenceDiagram")


def test_the_fixture_has_its_seeds_from_the_command_line(
    simulate_sagas: Simulation, pytestconfig: pytest.Config
) -> None:
    assert simulate_sagas.seeds == pytestconfig.getoption("--saga-seeds")
    assert "from_the_command_line" in simulate_sagas.test
