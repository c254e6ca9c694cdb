"""Publish an app: freeze the draft, stage the bundle, switch the live pointer.

Before the switch a failure undoes everything; after it we only go forward.
"""

from datetime import timedelta

from chassis.saga import PATIENT, QUICK, Saga, compensatable, pivot, retriable
from contracts.billing.account import CommitQuota, ReleaseQuota, ReserveQuota
from contracts.delivery.release import AbandonRelease, StageRelease, SwitchLivePointer
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import FreezeRevision, TagRevision, UnfreezeRevision

publish_app = Saga(
    name="publish_app",
    version=1,
    starts_on=PublishApp,
    mints=("reservation_id", "release_id"),
    lock="app_id",
    deadline=timedelta(minutes=30),
    progress=True,
    steps=(
        compensatable(ReserveQuota, compensation=ReleaseQuota, retry=QUICK),
        compensatable(FreezeRevision, compensation=UnfreezeRevision, retry=QUICK),
        compensatable(StageRelease, compensation=AbandonRelease, retry=PATIENT),
        pivot(SwitchLivePointer, retry=QUICK),
        retriable(CommitQuota),
        retriable(TagRevision),
    ),
)
