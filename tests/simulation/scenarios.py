"""Which sagas are simulated, by seed."""

from chassis.saga import Saga
from chassis.testing.simulation.scenario import Scenario
from sagas import SAGAS
from tests.chassis.saga.wide import wide
from tests.simulation import rare
from tests.simulation.real.world import RealWorld

LATEST = {saga.name: saga for saga in SAGAS}
ALL: dict[str, Saga] = {**LATEST, wide.name: wide}
"""The newest version of each saga by name, and one with every kind of group."""


REAL_EVERY = 12
"""One seed in so many is a world of the real services: a saga costs some three times as much."""
SIZES = ((40, 1.0), (200, 2.5), (600, 5.0))
"""Sagas of a world, and how much more often than in a small one something goes wrong: where many
share a call, a fault strikes many at once and counts only once."""


def every(seed: int) -> Scenario:
    """One or two kinds of sagas at a time, few of them or many; now and then what is rare, or the
    real services."""
    if seed % REAL_EVERY == 3:
        return real(seed)
    if seed % 6 == 5:
        return rare.ALL[seed // 6 % len(rare.ALL)](seed)
    names = sorted(ALL)
    first = ALL[names[seed % len(names)]]
    second = ALL[names[seed // len(names) % len(names)]]
    apart = first.starts_on.address != second.starts_on.address
    sagas = (first, second) if first is not second and apart else (first,)
    starts, stress = SIZES[seed // 12 % len(SIZES)]  # not by the remainders used above
    return Scenario(
        sagas,
        starts=starts,
        stress=stress,
        replicas=1 + (seed % 4 > 0),
        keys=max(6, starts // 6),
        observed=seed % 5 == 0,
    )


def real(seed: int) -> Scenario:
    """All of Basalt's services, on one or two replicas, with people who meddle."""
    starts = (20, 40)[seed % 2]
    return Scenario(
        SAGAS,
        starts=starts,
        replicas=1 + (seed % 4 > 0),
        keys=max(6, starts // 5),
        touches=starts,
        platform=RealWorld,
    )


def one(name: str, seed: int) -> Scenario:
    """Only this saga."""
    return Scenario((ALL[name],), starts=30, replicas=1 + (seed % 4 > 0), observed=seed % 5 == 0)
