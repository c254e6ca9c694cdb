"""Plans: subscribe to another one, and pay for it. Owner: orchestrator. Key: workspace_id."""

from uuid import UUID

from pydantic import Field

from contracts.base import Command
from contracts.billing.account import Plan
from contracts.operation import Operation

KEY = "workspace_id"


class ChangeWorkspacePlan(Command[Operation], permission="workspace.manage"):
    """Subscribe to another plan, or change nothing at all.

    Seats and apps must fit the wanted plan. What it costs for the rest of the month, less what was
    paid for the old plan, is taken through the payment provider; what is left over is kept as
    credit. `payment_token` is the provider's name for a means of payment, needed when there is
    something to pay. The operation's error can be PlanTooSmall, SeatsInUse, AppsInUse,
    PaymentMethodMissing or PaymentDeclined.
    """

    workspace_id: UUID
    plan: Plan
    payment_token: str = Field(default="", max_length=200)
