"""Seats: what a saga asks before the number of members that a plan allows becomes another."""

from uuid import UUID

from pydantic import PositiveInt

from contracts.base import Command, Rejection, Reply


class SeatsInUse(Rejection):
    """More people are members than the wanted limit allows: remove some first."""

    workspace_id: UUID
    members: int
    members_max: int


class SeatsHeld(Reply):
    """Until the hold ends nobody comes in beyond it."""

    workspace_id: UUID
    hold_id: UUID
    members: int


class SeatsHoldDropped(Reply):
    """There is no such hold any more."""

    workspace_id: UUID
    hold_id: UUID


class SeatsApplied(Reply):
    """The held limit is the workspace's limit."""

    workspace_id: UUID
    hold_id: UUID


class HoldSeats(Command[SeatsHeld]):
    """Check that the members fit a wanted limit, and keep it so. The lower of this and the
    plan's own limit counts; repeating it changes nothing."""

    workspace_id: UUID
    hold_id: UUID
    members_max: PositiveInt


class DropSeatsHold(Command[SeatsHoldDropped]):
    """Undo HoldSeats; dropping what is gone is success."""

    workspace_id: UUID
    hold_id: UUID


class ApplySeats(Command[SeatsApplied]):
    """Make the held limit the workspace's own. The hold itself ends with the EntitlementsChanged
    that names it: an older one that arrives late lets nobody in. Never refused."""

    workspace_id: UUID
    hold_id: UUID
