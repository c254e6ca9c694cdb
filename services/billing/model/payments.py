"""Payments: what is asked of the provider, what it said, and what the ledger says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.billing.ledger import LedgerAccount, LedgerKind
from contracts.billing.payment import (
    PaymentDeclined,
    PaymentFate,
    PaymentMethodMissing,
    PaymentUnknown,
)
from contracts.billing.plan_change import PlanChangeUnknown
from services.billing.model.changes import ChangeState, PlanChange
from services.billing.model.ledger import Moves, Transaction


class PaymentState(StrEnum):
    """Where a payment stands. Words in -ING: the provider is being asked."""

    AUTHORISING = "authorising"
    AUTHORISED = "authorised"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


_ASKING = (PaymentState.AUTHORISING, PaymentState.CAPTURING, PaymentState.VOIDING)
_NO_MONEY = (
    PaymentState.VOIDING,
    PaymentState.DECLINED,
    PaymentState.VOIDED,
    PaymentState.REFUNDED,
)


@dataclass
class Payment:
    """One payment. `void_wanted`: it is to be undone as soon as the provider has answered."""

    payment_id: UUID
    workspace_id: UUID
    change_id: UUID
    amount_minor: int
    currency: str
    token: str
    state: PaymentState = PaymentState.AUTHORISING
    reason: str = ""
    void_wanted: bool = False

    @classmethod
    def begun(cls, payment_id: UUID, change: PlanChange, token: str) -> "Payment":
        """To be authorised, or done at once when there is nothing to pay. Rejected with
        PaymentMethodMissing, or PlanChangeUnknown when the change is not open."""
        workspace_id, amount, currency = change.workspace_id, change.amount_minor, change.currency
        if change.state != ChangeState.OPEN:
            unknown = PlanChangeUnknown(workspace_id=workspace_id, change_id=change.change_id)
            raise Rejected(unknown)
        if amount and not token:
            missing = PaymentMethodMissing(
                workspace_id=workspace_id, amount_minor=amount, currency=currency
            )
            raise Rejected(missing)
        payment = cls(payment_id, workspace_id, change.change_id, amount, currency, token)
        payment.state = PaymentState.AUTHORISING if amount else PaymentState.AUTHORISED
        return payment

    @property
    def asking(self) -> bool:
        """Whether the provider is being asked."""
        return self.state in _ASKING

    def capture(self) -> bool:
        """Take the money. True: the provider is to be asked. Refused when it said no, when it is
        undone, or when nothing is set aside yet."""
        self.demand_not_declined()
        if self.state == PaymentState.AUTHORISING:
            raise Rejected(
                PaymentUnknown(workspace_id=self.workspace_id, payment_id=self.payment_id)
            )
        if self.state != PaymentState.AUTHORISED:
            return False
        self.state = PaymentState.CAPTURING if self.amount_minor else PaymentState.CAPTURED
        return self.asking

    def void(self) -> bool:
        """Undo it. True: the provider is to be asked. While it is being asked something else, the
        answer to that comes first."""
        if self.state in (PaymentState.AUTHORISING, PaymentState.CAPTURING):
            self.void_wanted = True
            return False
        if self.state not in (PaymentState.AUTHORISED, PaymentState.CAPTURED):
            return False
        self.state = PaymentState.VOIDING if self.amount_minor else PaymentState.VOIDED
        return self.asking

    def take(self, fate: PaymentFate, reason: str) -> bool:
        """What the provider said. True: it is to be asked at once to undo it."""
        if not self.asking:
            return False
        self.state, self.reason = PaymentState(fate.value), reason
        self.token = ""  # the provider knows the payment by its id from now on
        wanted, self.void_wanted = self.void_wanted, False
        return wanted and self.void()

    def demand_not_declined(self) -> None:
        """Rejected with PaymentDeclined when there will be no money."""
        if self.state in _NO_MONEY or self.void_wanted:
            raise Rejected(self.declined)

    @property
    def declined(self) -> PaymentDeclined:
        """That there is no money, and why."""
        return PaymentDeclined(
            workspace_id=self.workspace_id,
            payment_id=self.payment_id,
            reason=self.reason or PaymentFate.VOIDED.value,
        )

    def transactions(self, now: datetime) -> Sequence[Transaction]:
        """What the ledger says: each is written once. A refund has its payment before it."""
        moves = Moves(self.workspace_id, now, self.currency, self.change_id, self.payment_id)
        clearing, customer = LedgerAccount.CLEARING, LedgerAccount.CUSTOMER
        taken = self.state in (PaymentState.CAPTURED, PaymentState.REFUNDED)
        given_back = self.state == PaymentState.REFUNDED
        return (
            *moves.of(LedgerKind.PAYMENT, clearing, customer, taken * self.amount_minor),
            *moves.of(LedgerKind.REFUND, customer, clearing, given_back * self.amount_minor),
        )


class Payments(Protocol):
    """Where payments are kept."""

    async def get(self, payment_id: UUID) -> Payment | None: ...

    def save(self, payment: Payment) -> None: ...


async def payment_of(payments: Payments, workspace_id: UUID, payment_id: UUID) -> Payment:
    """The workspace's payment. Rejected with PaymentUnknown."""
    payment = await payments.get(payment_id)
    if payment is None or payment.workspace_id != workspace_id:
        raise Rejected(PaymentUnknown(workspace_id=workspace_id, payment_id=payment_id))
    return payment
