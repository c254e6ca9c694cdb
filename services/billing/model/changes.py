"""Plan changes: what one costs, settled when it opens, and what the ledger says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.billing.account import Plan
from contracts.billing.ledger import LedgerAccount, LedgerKind
from contracts.billing.plan_change import PlanChangeUnknown
from services.billing.model.accounts import Account
from services.billing.model.ledger import Moves, Transaction
from services.billing.model.plans import CURRENCY, PLANS, month_of, prorated


class ChangeState(StrEnum):
    """Where a change stands. The last two are ends."""

    OPEN = "open"
    APPLIED = "applied"
    CANCELLED = "cancelled"


@dataclass
class PlanChange:
    """One change. Amounts in minor units.

    charge: the new plan for the rest of the month; unused: what was paid for the rest of the old
    one; credit: taken from the workspace's credit, or added to it when negative. What is left is
    to be paid.
    """

    change_id: UUID
    workspace_id: UUID
    plan: Plan
    previous_plan: Plan
    opened_at: datetime
    paid_until: datetime
    currency: str
    charge_minor: int
    unused_minor: int
    credit_minor: int
    state: ChangeState = ChangeState.OPEN

    @property
    def amount_minor(self) -> int:
        """What is to be paid now."""
        return self.charge_minor - self.unused_minor - self.credit_minor

    @classmethod
    def opened(cls, change_id: UUID, account: Account, plan: Plan, now: datetime) -> "PlanChange":
        """Settle the cost. The same plan costs nothing."""
        same = plan == account.plan
        _, end = month_of(now)
        paid = account.paid_until is not None and account.paid_until >= end
        charge = 0 if same else prorated(PLANS[plan].price_minor, now)
        unused = prorated(account.limits.price_minor, now) if paid and not same else 0
        change = cls(
            change_id=change_id,
            workspace_id=account.workspace_id,
            plan=plan,
            previous_plan=account.plan,
            opened_at=now,
            paid_until=end,
            currency=CURRENCY,
            charge_minor=charge,
            unused_minor=unused,
            credit_minor=min(charge - unused, account.credit.get(CURRENCY, 0)),
        )
        assert change.amount_minor >= 0, "what is left over is kept as credit"
        return change

    def cancel(self) -> bool:
        """Give it up. False: it is not open."""
        changed = self.state == ChangeState.OPEN
        self.state = ChangeState.CANCELLED if changed else self.state
        return changed

    def apply(self) -> bool:
        """It is paid. False: it is applied already."""
        assert self.state != ChangeState.CANCELLED, "a cancelled change is not paid for"
        changed, self.state = self.state == ChangeState.OPEN, ChangeState.APPLIED
        return changed

    def transactions(self, now: datetime) -> Sequence[Transaction]:
        """What the ledger says once it is applied. With the payment's own transaction they leave
        the customer owing nothing."""
        moves = Moves(self.workspace_id, now, self.currency, self.change_id)
        customer, revenue = LedgerAccount.CUSTOMER, LedgerAccount.REVENUE
        return (
            *moves.of(LedgerKind.PRORATION, revenue, customer, self.unused_minor),
            *moves.of(LedgerKind.CHARGE, customer, revenue, self.charge_minor),
            *moves.of(LedgerKind.CREDIT, LedgerAccount.CREDIT, customer, self.credit_minor),
        )


class PlanChanges(Protocol):
    """Where changes are kept."""

    async def get(self, change_id: UUID) -> PlanChange | None: ...

    def save(self, change: PlanChange) -> None: ...


async def change_of(changes: PlanChanges, workspace_id: UUID, change_id: UUID) -> PlanChange:
    """The workspace's change. Rejected with PlanChangeUnknown."""
    change = await changes.get(change_id)
    if change is None or change.workspace_id != workspace_id:
        raise Rejected(PlanChangeUnknown(workspace_id=workspace_id, change_id=change_id))
    return change
