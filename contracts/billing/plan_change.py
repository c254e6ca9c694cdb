"""Plan change: another plan for the rest of the month. Owner: billing. Key: workspace_id.

The price of a plan is per calendar month, UTC. Who changes pays the new plan for the rest of the
month, less what was paid for the rest of the old one; what is left over is kept as credit.
"""

from uuid import UUID

from contracts.base import Command, Rejection, Reply
from contracts.billing.account import Plan, PlanChanged

KEY = "workspace_id"


# Refusals


class PlanChangeUnderWay(Rejection):
    """Another change of this workspace's plan is open."""

    workspace_id: UUID
    change_id: UUID


class PlanChangeUnknown(Rejection):
    """There is no open change of this id."""

    workspace_id: UUID
    change_id: UUID


# Answers


class PlanChangeOpened(Reply):
    """What the change costs now: `amount_minor` is to be paid, `credit_minor` is taken from what
    is kept for the workspace, or, when negative, added to it; and the limits to come."""

    workspace_id: UUID
    change_id: UUID
    plan: Plan
    previous_plan: Plan
    amount_minor: int
    credit_minor: int
    currency: str
    apps_max: int
    releases_max: int
    members_max: int


class PlanChangeCancelled(Reply):
    """The change is not open any more."""

    workspace_id: UUID
    change_id: UUID


# Commands


class OpenPlanChange(Command[PlanChangeOpened]):
    """Begin a change: what it costs is settled now. Repeating it changes nothing."""

    workspace_id: UUID
    change_id: UUID
    plan: Plan


class CancelPlanChange(Command[PlanChangeCancelled]):
    """Undo OpenPlanChange; cancelling what is not open is success."""

    workspace_id: UUID
    change_id: UUID


class ApplyPlan(Command[PlanChanged]):
    """The payment is captured: the plan changes, the ledger says so, and the new limits are
    announced; they end the hold. Never refused."""

    workspace_id: UUID
    change_id: UUID
    payment_id: UUID
    hold_id: UUID
