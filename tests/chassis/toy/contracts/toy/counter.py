"""Counter: a number that goes up. The contracts of the chassis's own test service."""

from uuid import UUID

from pydantic import PositiveInt

from contracts.base import Command, Event, Query, Rejection, Reply
from contracts.operation import Operation

KEY = "counter_id"


class Counted(Event):
    """The counter has gone up."""

    workspace_id: UUID
    counter_id: UUID
    value: int


class TooHigh(Rejection):
    """It would pass its limit."""

    value_max: int


class Count(Command[Counted], permission="app.edit"):
    """Go up by some."""

    workspace_id: UUID
    counter_id: UUID
    by: PositiveInt = 1


class CountQuietly(Command[Counted]):
    """For services only."""

    workspace_id: UUID
    counter_id: UUID


class CountSlowly(Command[Operation], permission="app.edit"):
    """Go up step by step, in the background."""

    workspace_id: UUID
    counter_id: UUID
    operation_id: UUID
    steps: PositiveInt


class Reading(Reply):
    """What a counter shows."""

    value: int


class Unlock(Command[Reading], permission="public", secret=True):
    """Has a password."""

    password: str


class GetCounter(Query[Reading], permission="workspace.read"):
    """Read it."""

    workspace_id: UUID
    counter_id: UUID
