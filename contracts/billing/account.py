"""Account: what a workspace may consume. Owner: billing."""

from uuid import UUID

from pydantic import PositiveInt

from contracts.base import Command, Event, Rejection

KEY = "workspace_id"


class QuotaReserved(Event):
    """Units are set aside for a release; they count until released or committed."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID
    units: int


class QuotaExceeded(Rejection):
    """The plan does not allow this many more units."""

    workspace_id: UUID
    units_left: int


class ReserveQuota(Command[QuotaReserved]):
    """Set units aside for the release of an app; repeating it changes nothing."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID
    units: PositiveInt = 1
