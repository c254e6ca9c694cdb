"""Things that services answer, for tests to show the gateway."""

from typing import Any
from uuid import uuid4

from contracts.delivery.environment import Environment
from contracts.delivery.live import AppDeliveries, AppDelivery, GetAppDeliveries, LivePointer
from contracts.delivery.release import Visibility
from contracts.identity.workspace import Role, Workspace, WorkspaceSettings, WorkspaceState
from contracts.operation import Operation, OperationState
from contracts.studio.app import (
    App,
    AppCreated,
    CreateApp,
)
from tests.services.gateway.fakes import (
    APP,
    NOW,
    REVISION,
    WORKSPACE,
)


def created(command: CreateApp) -> AppCreated:
    return AppCreated(
        workspace_id=command.workspace_id,
        app_id=command.app_id,
        app_name=command.app_name,
        revision_id=REVISION,
    )


def an_operation(**changes: Any) -> Operation:
    return Operation(
        **{
            "operation_id": uuid4(),
            "workspace_id": WORKSPACE,
            "kind": "publish_app",
            "owner": "orchestrator",
            "state": OperationState.RUNNING,
            "started_at": NOW,
            "updated_at": NOW,
            **changes,
        }
    )


def a_workspace(*protected: Environment) -> Workspace:
    return Workspace(
        workspace_id=WORKSPACE,
        workspace_name="Tea house",
        state=WorkspaceState.ACTIVE,
        role=Role.OWNER,
        settings=WorkspaceSettings(protected_environments=list(protected)),
        members=1,
        members_max=3,
        created_at=NOW,
        version=1,
    )


def an_app() -> App:
    return App(
        app_id=APP,
        workspace_id=WORKSPACE,
        app_name="Tea",
        state="active",
        version=1,
        head_revision_id=REVISION,
        counts={},
        created_at=NOW,
        updated_at=NOW,
    )


def nothing_live(query: GetAppDeliveries) -> AppDeliveries:
    pointers = [LivePointer(environment=e, release=None, path="") for e in Environment]
    delivery = AppDelivery(
        workspace_id=query.workspace_id,
        app_id=query.app_ids[0],
        visibility=Visibility.MEMBERS,
        pointers=pointers,
        version=0,
    )
    return AppDeliveries(apps=[delivery])
