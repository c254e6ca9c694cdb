"""Payments: the wish is recorded here, a worker asks the provider, and what it said comes back as
RecordPayment, which answers whoever waits."""

from chassis.clock import Clock, born_at, derived_id
from chassis.errors import Rejected
from chassis.work import Later, Operations, Replies
from contracts.billing.payment import (
    AuthorisePayment,
    CapturePayment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentRecorded,
    PaymentVoided,
    RecordPayment,
    VoidPayment,
)
from contracts.operation import (
    CancelOperation,
    Operation,
    OperationNotCancellable,
    OperationState,
)
from services.billing.model.changes import PlanChanges, change_of
from services.billing.model.ledger import Ledger
from services.billing.model.payments import Payment, Payments, PaymentState, payment_of

AUTHORISE, CAPTURE, VOID = "authorise_payment", "capture_payment", "void_payment"
"""What the provider is asked: the kinds of work, and what the answers that follow are about."""


async def authorise_payment(
    command: AuthorisePayment, payments: Payments, changes: PlanChanges, operations: Operations
) -> PaymentAuthorised | Later:
    """Ask the provider to set the price of a change aside."""
    payment = await payments.get(command.payment_id)
    if payment is None:
        change = await change_of(changes, command.workspace_id, command.change_id)
        payment = Payment.begun(command.payment_id, change, command.payment_token)
        if payment.asking:
            _begin(operations, payment, AUTHORISE)
    payment.demand_not_declined()
    payments.save(payment)
    if payment.state == PaymentState.AUTHORISING:
        return Later(_about(payment, AUTHORISE))
    return PaymentAuthorised(workspace_id=payment.workspace_id, payment_id=payment.payment_id)


async def capture_payment(
    command: CapturePayment, payments: Payments, operations: Operations
) -> PaymentCaptured | Later:
    """Ask the provider to take what is set aside."""
    payment = await payment_of(payments, command.workspace_id, command.payment_id)
    if payment.capture():
        _begin(operations, payment, CAPTURE)
    payments.save(payment)
    if payment.asking:
        return Later(_about(payment, CAPTURE))
    return PaymentCaptured(workspace_id=payment.workspace_id, payment_id=payment.payment_id)


async def void_payment(
    command: VoidPayment, payments: Payments, operations: Operations
) -> PaymentVoided | Later:
    """Ask the provider to forget it, or to give it back; nothing to undo is success."""
    payment = await payments.get(command.payment_id)
    if payment is not None and payment.workspace_id == command.workspace_id:
        if payment.void():
            _begin(operations, payment, VOID)
        payments.save(payment)
        if payment.asking:
            return Later(_about(payment, VOID))
    return PaymentVoided(workspace_id=command.workspace_id, payment_id=command.payment_id)


async def record_payment(
    command: RecordPayment,
    payments: Payments,
    operations: Operations,
    replies: Replies,
    ledger: Ledger,
    clock: Clock,
) -> PaymentRecorded:
    """What the provider said: on record, in the books, and an answer to whoever waits."""
    payment = await payment_of(payments, command.workspace_id, command.payment_id)
    again = payment.take(command.fate, command.reason)
    for transaction in payment.transactions(clock.now()):
        ledger.post(transaction)
    if again:
        _begin(operations, payment, VOID)
    payments.save(payment)
    await _answer(payment, replies)
    return PaymentRecorded(workspace_id=payment.workspace_id, payment_id=payment.payment_id)


async def cancel_operation(command: CancelOperation) -> Operation:
    """A payment is undone by VoidPayment, not by dropping the work on it half-way."""
    raise Rejected(
        OperationNotCancellable(operation_id=command.operation_id, state=OperationState.RUNNING)
    )


async def _answer(payment: Payment, replies: Replies) -> None:
    """To everybody whose wish is decided by where the payment stands now."""
    ids = {"workspace_id": payment.workspace_id, "payment_id": payment.payment_id}
    match payment.state:
        case PaymentState.AUTHORISED:
            await replies.answer(_about(payment, AUTHORISE), PaymentAuthorised(**ids))
        case PaymentState.CAPTURED:
            await replies.answer(_about(payment, CAPTURE), PaymentCaptured(**ids))
        case PaymentState.DECLINED | PaymentState.VOIDED | PaymentState.REFUNDED:
            await replies.answer(_about(payment, AUTHORISE), payment.declined)
            await replies.answer(_about(payment, CAPTURE), payment.declined)
            await replies.answer(_about(payment, VOID), PaymentVoided(**ids))
        case _:  # it is being undone: whoever waits is answered after that
            return


def _begin(operations: Operations, payment: Payment, kind: str) -> None:
    """A worker does it, outside of any transaction."""
    operations.begin(
        operation_id=derived_id(born_at(payment.payment_id), payment.payment_id, kind),
        kind=kind,
        workspace_id=payment.workspace_id,
        subject_id=str(payment.payment_id),
        input={},
    )


def _about(payment: Payment, kind: str) -> str:
    return f"{kind}:{payment.payment_id}"


HANDLERS = (authorise_payment, capture_payment, void_payment, record_payment, cancel_operation)
