"""Onboard a workspace: account and starter app first, then it comes to life for its owner.

Until it is activated nobody sees it, and a failure undoes everything.
"""

from datetime import timedelta

from chassis.saga import QUICK, Saga, compensatable, pivot, retriable
from contracts.billing.account import CloseAccount, OpenAccount
from contracts.identity.workspace import (
    ActivateWorkspace,
    ApplyDefaultSettings,
    CreateWorkspace,
    DeleteWorkspace,
)
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.studio.app import CreateStarterApp, DiscardStarterApp

onboard_workspace = Saga(
    name="onboard_workspace",
    version=1,
    starts_on=OnboardWorkspace,
    mints=("app_id",),
    lock="workspace_id",
    deadline=timedelta(minutes=10),
    progress=True,
    steps=(
        compensatable(CreateWorkspace, compensation=DeleteWorkspace, retry=QUICK),
        compensatable(OpenAccount, compensation=CloseAccount, retry=QUICK),
        compensatable(CreateStarterApp, compensation=DiscardStarterApp, retry=QUICK),
        pivot(ActivateWorkspace, retry=QUICK),
        retriable(ApplyDefaultSettings),
    ),
)
