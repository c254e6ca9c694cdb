"""A saga whose first steps, and whose last ones, run beside each other; with approval."""

from datetime import timedelta

from chassis.saga import (
    PATIENT,
    QUICK,
    Approval,
    Saga,
    compensatable,
    parallel,
    pivot,
    retriable,
)
from contracts.billing.account import CommitQuota, ReleaseQuota, ReserveQuota
from contracts.delivery.release import AbandonRelease, StageRelease, SwitchLivePointer
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import FreezeRevision, TagRevision, UnfreezeRevision

RESERVE = compensatable(ReserveQuota, compensation=ReleaseQuota, retry=QUICK)
FREEZE = compensatable(FreezeRevision, compensation=UnfreezeRevision, retry=QUICK)
STAGE = compensatable(StageRelease, compensation=AbandonRelease, retry=PATIENT)
SWITCH = pivot(SwitchLivePointer, retry=QUICK)
COMMIT, TAG = retriable(CommitQuota), retriable(TagRevision)


class AskFirst(PublishApp):
    """A start that may need approval."""

    approval_required: bool = False


AskFirst.address = PublishApp.address

wide = Saga(
    name="wide",
    version=1,
    starts_on=AskFirst,
    mints=("reservation_id", "release_id"),
    lock="app_id",
    deadline=timedelta(minutes=30),
    progress=True,
    approval=Approval(when="approval_required", within=timedelta(days=7)),
    steps=(*parallel(RESERVE, FREEZE), STAGE, SWITCH, *parallel(COMMIT, TAG)),
)
