"""Asking the payment provider, outside of any transaction and under a lease.

Each attempt asks first what became of the payment: an earlier one may have been carried out and
its answer lost, or its process killed. Only what was never done is done, under the same key.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from chassis.work import Job
from contracts.billing.payment import PaymentFate, RecordPayment
from services.billing.handlers.payments import AUTHORISE, CAPTURE, VOID
from services.billing.model.payments import Payment, Payments, payment_of
from services.billing.payments import PaymentProvider, ProviderPayment, ProviderState

LOST = "unknown to the provider"


async def authorise(job: Job, payments: Payments, provider: PaymentProvider) -> RecordPayment:
    """Set the money aside, unless it is to be undone by now."""
    payment = await _payment(job, payments)
    found = await provider.find(payment.payment_id)
    if payment.void_wanted:
        return _said(payment, await _undo(payment, found, provider))
    if found is None:
        found = await provider.authorise(
            payment.payment_id, payment.amount_minor, payment.currency, payment.token
        )
    return _said(payment, found)


async def capture(job: Job, payments: Payments, provider: PaymentProvider) -> RecordPayment:
    """Take the money, once."""
    payment = await _payment(job, payments)
    found = await provider.find(payment.payment_id)
    if found is None:
        return _record(payment, PaymentFate.DECLINED, LOST)
    if found.state == ProviderState.AUTHORISED:
        found = await provider.capture(payment.payment_id)
    return _said(payment, found)


async def void(job: Job, payments: Payments, provider: PaymentProvider) -> RecordPayment:
    """Free the money, or give it back."""
    payment = await _payment(job, payments)
    found = await provider.find(payment.payment_id)
    return _said(payment, await _undo(payment, found, provider))


async def _undo(
    payment: Payment, found: ProviderPayment | None, provider: PaymentProvider
) -> ProviderPayment:
    if found is None or found.state == ProviderState.AUTHORISED:
        return await provider.void(payment.payment_id)
    if found.state == ProviderState.CAPTURED:
        return await provider.refund(payment.payment_id)
    return found


async def _payment(job: Job, payments: Payments) -> Payment:
    return await payment_of(payments, job.workspace_id, UUID(job.subject_id))


def _said(payment: Payment, found: ProviderPayment) -> RecordPayment:
    moved = found.state in (ProviderState.AUTHORISED, ProviderState.CAPTURED)
    same = (found.amount_minor, found.currency) == (payment.amount_minor, payment.currency)
    assert same or not moved, f"the provider has another amount for {payment.payment_id}"
    return _record(payment, PaymentFate(found.state.value), found.reason)


def _record(payment: Payment, fate: PaymentFate, reason: str) -> RecordPayment:
    return RecordPayment(
        workspace_id=payment.workspace_id,
        payment_id=payment.payment_id,
        fate=fate,
        amount_minor=payment.amount_minor,
        reason=reason,
    )


WORKERS: dict[str, Callable[..., Awaitable[RecordPayment]]] = {
    AUTHORISE: authorise,
    CAPTURE: capture,
    VOID: void,
}
