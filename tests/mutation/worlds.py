"""Fixed worlds of the simulator that judge mutants of the runner and the relay.

Not collected by itself: `make sim` and the tests of the simulation run fresh seeds.
"""

import pytest

from chassis.testing.simulation.run import simulate
from tests.simulation import rare

SEEDS = (3,)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", rare.ALL, ids=lambda scenario: scenario.__name__)
def test_no_work_is_lost(scenario: rare.Rare, seed: int) -> None:
    assert simulate(scenario(seed), seed).violations == []
