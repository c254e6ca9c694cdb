"""Publish an app: freeze the draft, stage the bundle, switch the live pointer.

Before the switch a failure undoes everything; after it we only go forward. A publish to an
environment that the workspace protects waits for somebody's approval first.
"""

from dataclasses import replace
from datetime import timedelta

from chassis.saga import PATIENT, QUICK, Approval, Saga, compensatable, pivot, retriable
from contracts.billing.account import CommitQuota, ReleaseQuota, ReserveQuota
from contracts.delivery.release import AbandonRelease, StageRelease, SwitchLivePointer
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import FreezeRevision, TagRevision, UnfreezeRevision

publish_app_v1 = Saga(
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
"""Without approval; what began under it ends under it."""

publish_app = replace(
    publish_app_v1,
    version=2,
    approval=Approval(when="approval_required", within=timedelta(days=7)),
)
