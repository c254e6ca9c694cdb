"""A scenario: which sagas run, how they are started, and how long things go wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from types import NoneType
from typing import Any, get_args
from uuid import UUID

from chassis.saga.definition import Saga
from chassis.testing.saga import made_up
from chassis.testing.simulation.faults import Faults
from contracts.base import Message

KEYS = 6
"""So many different values of each id that orders or locks: sagas meet on them."""

Starter = Callable[[Random], Message]


@dataclass(frozen=True)
class Scenario:
    """sagas: definitions to run, the newest version of each is started. starts: how many sagas in
    all. starters: how to make a saga's starting command (made up when it has none). faults: fixed
    ones; None lets each seed choose its own. refusals: how often a step refuses, 0..1. bugs: how
    often a handler breaks until the faults are over. observed: whether a service takes every event.
    keys: how many different things the sagas are about. hold_s: how much longer than the faults
    operators leave paused what they paused. touches: how often somebody else changes the same
    things, by a service's own door. platform: a kind of World of one's own.
    stress: how much more often than usual the faults are that a seed chooses."""

    sagas: tuple[Saga, ...]
    starts: int = 30
    replicas: int = 2
    starters: tuple[tuple[str, Starter], ...] = ()
    faults: Faults | None = None
    stress: float = 1.0
    refusals: float = 0.06
    bugs: float = 0.0
    observed: bool = True
    keys: int = KEYS
    hold_s: float = 0.0
    touches: int = 0
    platform: Callable[..., Any] | None = None
    start_within_s: float = 12.0
    faults_last_s: float = 20.0

    def start_of(self, saga: Saga, dice: Random) -> Message:
        """A starting command."""
        for name, starter in self.starters:
            if name == saga.name:
                return starter(dice)
        return _made_up_start(saga, dice, self.keys)


def _made_up_start(saga: Saga, dice: Random, different: int) -> Message:
    """Ids that lock or order come from a few, so that sagas meet; the rest is made up."""
    contract = saga.starts_on
    keys = {contract.address.key, "workspace_id", *saga.lock_fields}
    fields: dict[str, Any] = {}  # JSON values
    for name, info in contract.model_fields.items():
        fields[name] = _value(name, info.annotation, different if name in keys else 0, dice)
    if saga.approval is not None:
        fields[saga.approval.when] = dice.random() < 0.2
    return contract.model_validate(fields)


def _value(name: str, kind: Any, different: int, dice: Random) -> Any:  # annotation, JSON
    if NoneType in get_args(kind):
        return None
    if kind is UUID:
        salt = sum(name.encode()) << 16
        number = int(dice.random() * different) if different else dice.getrandbits(64)
        return str(UUID(int=salt + number + 1))
    if kind is bool:
        return False
    if isinstance(kind, type) and issubclass(kind, Enum):
        return dice.choice(list(kind)).value
    return made_up(name, kind)
