"""Scenarios for what is rare: each makes the case that one safety mechanism is for."""

from collections.abc import Callable
from dataclasses import replace

from chassis.testing.simulation.faults import Faults
from chassis.testing.simulation.scenario import Scenario
from sagas.change_plan import change_plan
from sagas.onboard_workspace import onboard_workspace
from sagas.publish_app import publish_app
from tests.simulation.real.world import RealWorld

Rare = Callable[[int], Scenario]
"""A scenario by seed."""

_RUSH = Scenario((publish_app,), starts=30, keys=3, observed=False)


def late_forwards(seed: int) -> Scenario:
    """Commands are overtaken by those that undo them."""
    faults = Faults(reorder=0.4, order_every_s=0.4)
    return replace(_RUSH, faults=faults, keys=30)


def held_locks(seed: int) -> Scenario:
    """Operators leave sagas paused for longer than others may wait for their locks."""
    return Scenario(
        (onboard_workspace,),
        starts=20,
        replicas=1,
        keys=1,
        faults=Faults(order_every_s=0.3, slow=1.0, slow_s=2),
        hold_s=900.0,
        observed=False,
    )


def crowded(seed: int) -> Scenario:
    """Many sagas on few things, and crashes."""
    return replace(_RUSH, starts=40, keys=1, faults=Faults(crash_every_s=8, down_s=3))


def crashing(seed: int) -> Scenario:
    """Processes die at every call."""
    faults = Faults(crash_in_call=0.01, crash_every_s=6, down_s=3, send_unconfirmed=0.03)
    return replace(_RUSH, faults=faults)


def observed(seed: int) -> Scenario:
    """As `crashing`, with slow stores and zombies, and somebody takes every event."""
    faults = Faults(
        crash_in_call=0.006,
        crash_every_s=5,
        down_s=3,
        unanswered=0.02,
        slow=0.5,
        slow_s=6,
        freeze_every_s=3,
        freeze_s=14,
    )
    return replace(_RUSH, observed=True, faults=faults)


def dying(seed: int) -> Scenario:
    """Stores are slow, and processes die while they wait for them."""
    faults = Faults(slow=1.0, slow_s=8, crash_in_call=0.06, down_s=2)
    return replace(_RUSH, observed=True, faults=faults)


def interrupted(seed: int) -> Scenario:
    """Chunks take longer than offsets wait to be committed, and their processes die meanwhile."""
    faults = Faults(slow=3.0, slow_s=12, crash_every_s=2, down_s=1)
    return replace(
        _RUSH,
        keys=30,
        replicas=1,
        touches=100,
        observed=True,
        faults=faults,
        start_within_s=60.0,
        faults_last_s=90.0,
    )


def contended(seed: int) -> Scenario:
    """Others change the same things through any replica, while processes freeze and die."""
    faults = Faults(
        crash_in_call=0.01,
        down_s=2,
        slow=0.3,
        slow_s=3,
        freeze_every_s=2,
        freeze_s=16,
        send_lost=0.1,
    )
    return replace(_RUSH, keys=2, touches=250, faults=faults, faults_last_s=30)


def racing(seed: int) -> Scenario:
    """Two relays at work on the same things, on a network of very different delays."""
    faults = Faults(slow=1.0, slow_s=3.0, send_lost=0.02)
    return replace(_RUSH, keys=1, starts=15, touches=300, faults=faults)


def moved(seed: int) -> Scenario:
    """Partitions move all the time."""
    faults = Faults(rebalance_every_s=1.5, restart_every_s=6, slow=0.1, slow_s=3, down_s=2)
    return replace(_RUSH, faults=faults, observed=True)


def broken(seed: int) -> Scenario:
    """Handlers break until the faults are over: keys are parked."""
    faults = Faults(crash_every_s=8, down_s=3, rebalance_every_s=6)
    return replace(_RUSH, bugs=0.1, faults=faults, observed=True)


def silent(seed: int) -> Scenario:
    """Participants are down for longer than a saga waits for an answer."""
    faults = Faults(crash_every_s=2.0, down_s=45.0, send_lost=0.02)
    return replace(_RUSH, faults=faults, faults_last_s=60.0, start_within_s=40.0)


def taken_over(seed: int) -> Scenario:
    """Operators do everything they may, all the time: they skip steps and abandon sagas too."""
    faults = Faults(order_every_s=0.2, slow=0.2, slow_s=6, reorder=0.2, crash_every_s=8, down_s=3)
    return replace(_RUSH, faults=faults, keys=6)


def paying(seed: int) -> Scenario:
    """The way to the payment provider is slow: it is given up, and what was sent arrives later."""
    faults = Faults(slow=0.2, slow_s=15, unanswered=0.01, crash_in_call=0.002, down_s=3)
    return Scenario(
        (onboard_workspace, change_plan),
        starts=36,
        keys=30,
        faults=faults,
        faults_last_s=90.0,
        refusals=0.02,
        platform=RealWorld,
    )


ALL: tuple[Rare, ...] = (
    late_forwards,
    held_locks,
    crowded,
    crashing,
    observed,
    dying,
    interrupted,
    contended,
    racing,
    moved,
    broken,
    silent,
    taken_over,
    paying,
)
