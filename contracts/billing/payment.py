"""Payment: money asked of a payment provider, once. Owner: billing. Key: workspace_id.

The provider is asked outside of any transaction under the payment's own id as idempotency key, so
that an answer that was lost is asked for again and nothing is ever charged twice.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import Field, NonNegativeInt

from contracts.base import Command, Rejection, Reply

KEY = "workspace_id"


class PaymentFate(StrEnum):
    """What the provider says about a payment."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


# Refusals


class PaymentMethodMissing(Rejection):
    """There is something to pay, and no payment token came with the wish."""

    workspace_id: UUID
    amount_minor: int
    currency: str


class PaymentDeclined(Rejection):
    """The provider says no; `reason` is its word for why."""

    workspace_id: UUID
    payment_id: UUID
    reason: str


class PaymentUnknown(Rejection):
    """Nothing was authorised under this id."""

    workspace_id: UUID
    payment_id: UUID


# Answers


class PaymentAuthorised(Reply):
    """The money is set aside, or there is nothing to pay."""

    workspace_id: UUID
    payment_id: UUID


class PaymentVoided(Reply):
    """Nothing is set aside or taken any more under this id."""

    workspace_id: UUID
    payment_id: UUID


class PaymentCaptured(Reply):
    """The money is taken, or there was nothing to pay."""

    workspace_id: UUID
    payment_id: UUID


class PaymentRecorded(Reply):
    """What the provider said is on record."""

    workspace_id: UUID
    payment_id: UUID


# Commands


class AuthorisePayment(Command[PaymentAuthorised]):
    """Set aside what an open plan change costs. `payment_token` is the provider's own single-use
    name for a means of payment: never a card's number."""

    workspace_id: UUID
    change_id: UUID
    payment_id: UUID
    payment_token: str = Field(default="", max_length=200)


class VoidPayment(Command[PaymentVoided]):
    """Undo AuthorisePayment: free what is set aside, give back what was taken. Voiding what never
    was is success."""

    workspace_id: UUID
    payment_id: UUID


class CapturePayment(Command[PaymentCaptured]):
    """Take what was set aside."""

    workspace_id: UUID
    payment_id: UUID


class RecordPayment(Command[PaymentRecorded]):
    """Billing to itself: this is what the provider said."""

    workspace_id: UUID
    payment_id: UUID
    fate: PaymentFate
    amount_minor: NonNegativeInt = 0
    reason: str = ""
