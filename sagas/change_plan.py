"""Change a workspace's plan: price it, hold seats and apps, pay, then let the new limits in.

Until the money is taken a failure undoes everything; afterwards we only go forward. A downgrade
goes the same way: there is nothing to pay, and what is left over is kept as credit.
"""

from datetime import timedelta

from chassis.saga import PATIENT, QUICK, Saga, compensatable, parallel, pivot, retriable
from contracts.billing.payment import AuthorisePayment, CapturePayment, VoidPayment
from contracts.billing.plan_change import ApplyPlan, CancelPlanChange, OpenPlanChange
from contracts.identity.workspace import ApplySeats, DropSeatsHold, HoldSeats
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.studio.app import ApplyApps, DropAppsHold, HoldApps

change_plan = Saga(
    name="change_plan",
    version=1,
    starts_on=ChangeWorkspacePlan,
    mints=("change_id", "hold_id", "payment_id"),
    lock="workspace_id",
    deadline=timedelta(minutes=30),
    progress=True,
    steps=(
        compensatable(OpenPlanChange, compensation=CancelPlanChange, retry=QUICK),
        *parallel(
            compensatable(HoldSeats, compensation=DropSeatsHold, retry=QUICK),
            compensatable(HoldApps, compensation=DropAppsHold, retry=QUICK),
        ),
        compensatable(AuthorisePayment, compensation=VoidPayment, retry=PATIENT),
        pivot(CapturePayment, retry=PATIENT),
        retriable(ApplyPlan),
        *parallel(retriable(ApplySeats), retriable(ApplyApps)),
    ),
)
