"""Account: what a workspace may consume. Owner: billing. Key: workspace_id.

An app costs its units once while it is live, whatever the number of its environments; a publish
under way reserves them, which costs nothing when the app is live already. `pointer_version` is
delivery's count of an app's pointer moves: it orders commits and unpublishing.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import NonNegativeInt, PositiveInt

from contracts.base import Command, Event, Query, Rejection, Reply

KEY = "workspace_id"


class Plan(StrEnum):
    """What a workspace subscribes to. More may come."""

    FREE = "free"
    TEAM = "team"
    BUSINESS = "business"


class AccountState(StrEnum):
    """Whether an account can be used."""

    OPEN = "open"
    CLOSED = "closed"


# Facts


class AccountOpened(Event):
    """A workspace has an account; what it allows follows as EntitlementsChanged."""

    workspace_id: UUID
    plan: Plan


class AccountClosed(Event):
    """The account is shut for good: its workspace never came to be, or has ended."""

    workspace_id: UUID


class PlanChanged(Event):
    """The workspace subscribes to another plan; the new limits follow as EntitlementsChanged."""

    workspace_id: UUID
    plan: Plan
    previous_plan: Plan
    amount_minor: int = 0  # what was paid for it
    currency: str = ""  # ISO 4217


class EntitlementsChanged(Event):
    """The limits that hold from now on. Whoever owns a limited thing enforces its limit; a hold
    that was made for this change (`hold_id`) ends with it."""

    workspace_id: UUID
    plan: Plan
    apps_max: int
    releases_max: int
    members_max: int
    hold_id: UUID | None = None


class QuotaReserved(Event):
    """Units are set aside for a release; they count until released or committed."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID
    units: int


class QuotaReleased(Event):
    """A reservation is gone without a release."""

    workspace_id: UUID
    reservation_id: UUID


class QuotaCommitted(Event):
    """A reservation became consumption: its app is live."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID


class UnitsFreed(Event):
    """An app is live nowhere any more and costs nothing."""

    workspace_id: UUID
    app_id: UUID
    units: int


# Refusals


class QuotaExceeded(Rejection):
    """The plan does not allow this many more units."""

    workspace_id: UUID
    units_left: int


class AccountUnknown(Rejection):
    """The workspace has no open account."""

    workspace_id: UUID


class AccountIsClosed(Rejection):
    """A closed account is not opened again."""

    workspace_id: UUID


class PlanTooSmall(Rejection):
    """More is live or reserved than the wanted plan allows: unpublish first."""

    workspace_id: UUID
    plan: Plan
    units_used: int
    releases_max: int


class PlanHasPrice(Rejection):
    """A plan changes by orchestrator.ChangeWorkspacePlan, which sees to its payment."""

    workspace_id: UUID
    plan: Plan


# Commands


class OpenAccount(Command[AccountOpened]):
    """Give a new workspace its account, on the free plan; repeating it changes nothing."""

    workspace_id: UUID


class CloseAccount(Command[AccountClosed]):
    """Undo OpenAccount; closing what is not open is success."""

    workspace_id: UUID


class ChangePlan(Command[PlanChanged]):
    """Deprecated: orchestrator.ChangeWorkspacePlan changes a plan and pays for it. This one is
    refused with PlanHasPrice, unless it is the plan already."""

    workspace_id: UUID
    plan: Plan


class ReserveQuota(Command[QuotaReserved]):
    """Set units aside for the release of an app; repeating it changes nothing."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID
    units: PositiveInt = 1


class ReleaseQuota(Command[QuotaReleased]):
    """Undo ReserveQuota; releasing what is gone is success."""

    workspace_id: UUID
    reservation_id: UUID


class CommitQuota(Command[QuotaCommitted]):
    """The release went live: turn the reservation into consumption. Never refused."""

    workspace_id: UUID
    reservation_id: UUID
    app_id: UUID
    pointer_version: NonNegativeInt


# Questions


class PlanLimits(Reply):
    """One plan on offer and what it allows. `releases_max` counts apps live at one time. The price
    is for a calendar month, in the currency's minor unit."""

    plan: Plan
    apps_max: int
    releases_max: int
    members_max: int
    price_minor: int = 0
    currency: str = "EUR"  # ISO 4217


class Plans(Reply):
    """Every plan on offer, smallest first."""

    plans: list[PlanLimits]


class ListPlans(Query[Plans], permission="user"):
    """What a workspace may subscribe to."""


class Usage(Reply):
    """An account at this moment. Units: apps live, or about to be, at one time."""

    workspace_id: UUID
    state: AccountState
    plan: Plan
    apps_max: int
    releases_max: int
    members_max: int
    units_live: int
    units_reserved: int
    units_left: int
    live_app_ids: list[UUID]
    version: int  # the aggregateversion of the last event that this includes


class GetUsage(Query[Usage], permission="workspace.read"):
    """What the workspace may consume and does. Refused with AccountUnknown before it is opened."""

    workspace_id: UUID
