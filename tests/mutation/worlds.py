"""Fixed worlds of the simulator that judge mutants of the runner and the relay.

Not collected by itself: `make sim` and the tests of the simulation run fresh seeds.
"""

import pytest

from chassis.testing.simulation.run import simulate
from tests.simulation import rare

SEED = 3
WORLDS = (rare.contended, rare.moved, rare.broken, rare.taken_over, rare.racing)


@pytest.mark.parametrize("scenario", WORLDS, ids=lambda scenario: scenario.__name__)
def test_no_work_is_lost(scenario: rare.Rare) -> None:
    assert simulate(scenario(SEED), SEED).violations == []
