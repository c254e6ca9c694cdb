"""Starting long work: what the gateway fills in, who may watch it, and where it is cancelled."""

from uuid import uuid4

import pytest

from contracts.billing.account import Plan
from contracts.delivery.environment import Environment
from contracts.delivery.live import GetAppDeliveries
from contracts.identity.session import Authorize
from contracts.identity.workspace import GetWorkspaces, Workspaces
from contracts.operation import CancelOperation, GetOperation, Operation
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import (
    AppRenamed,
    Apps,
    GetApps,
    RenameApp,
)
from services.gateway import ids
from services.gateway.scope import World
from tests.services.gateway.builders import a_workspace, an_app, an_operation, nothing_live
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    OWNER,
    REVISION,
    USER,
    VIEWER,
    WORKSPACE,
    FakeService,
    a_client,
    a_world,
    code,
    granted,
    graphql,
)

WORKSPACE_ID = ids.encode("Workspace", WORKSPACE)
APP_ID = ids.encode("App", WORKSPACE, APP)
REVISION_ID = ids.encode("Revision", WORKSPACE, APP, REVISION)
PUBLISH = """mutation($input: PublishAppInput!) { publishApp(input: $input) {
    __typename ... on Operation { id state } ... on Failure { code } } }"""


def publishing(*protected: Environment) -> tuple[World, FakeService]:
    """An app of which nothing is live, in a workspace that protects these environments."""
    return a_world(
        {
            GetWorkspaces: Workspaces(workspaces=[a_workspace(*protected)]),
            GetApps: Apps(apps=[an_app()]),
            GetAppDeliveries: nothing_live,
            PublishApp: an_operation(),
        }
    )


async def test_a_publish_takes_the_head_and_what_is_live() -> None:
    world, fake = publishing()

    async with a_client(world) as client:
        result = await graphql(client, PUBLISH, input={"appId": APP_ID, "environment": "STAGING"})

    command, _ = fake.sent[0]
    assert command == PublishApp(
        workspace_id=WORKSPACE,
        app_id=APP,
        revision_id=REVISION,
        environment=Environment.STAGING,
        previous_release_id=None,
    )
    assert result["data"]["publishApp"]["state"] == "RUNNING"


async def test_a_publish_to_a_protected_environment_asks_for_approval() -> None:
    world, fake = publishing(Environment.STAGING)

    async with a_client(world) as client:
        for environment in ("STAGING", "PRODUCTION"):
            given = {"appId": APP_ID, "environment": environment}
            await graphql(client, PUBLISH, input=given)

    assert [command.approval_required for command, _ in fake.sent] == [True, False]


async def test_no_key_remembers_that_no_approval_was_needed() -> None:
    """Neither one used where the caller may not publish, nor one from before the protection."""
    world, fake = publishing()
    allowed = fake.answers[Authorize]
    given = {"appId": APP_ID, "environment": "STAGING", "idempotencyKey": "one"}

    async with a_client(world) as client:
        fake.answers[Authorize] = granted(*VIEWER)
        first = await graphql(client, PUBLISH, input=given)
        fake.answers[Authorize] = allowed
        await graphql(client, PUBLISH, input=given)
        protected = a_workspace(Environment.STAGING)
        fake.answers[GetWorkspaces] = Workspaces(workspaces=[protected])
        await graphql(client, PUBLISH, input=given)

    assert code(first) == "FORBIDDEN"
    assert [command.approval_required for command, _ in fake.sent] == [False, True]


async def test_each_mutation_of_a_document_is_allowed_by_itself() -> None:
    rename = """renameApp(input: $input) { __typename }"""
    world, fake = a_world({})

    def removed(command: RenameApp) -> AppRenamed:
        fake.answers[Authorize] = granted(*VIEWER)
        return AppRenamed(workspace_id=WORKSPACE, app_id=APP, app_name=command.app_name)

    fake.answers[RenameApp] = removed

    async with a_client(world) as client:
        query = f"mutation($input: RenameAppInput!) {{ a: {rename} b: {rename} }}"
        result = await graphql(client, query, input={"appId": APP_ID, "appName": "Tea"})

    assert code(result) == "FORBIDDEN"
    assert len(fake.sent) == 1


@pytest.mark.parametrize(
    "number", ["4111 1111 1111 1111", "378282246310005", "5555-5555-5555-4444"]
)
async def test_a_cards_number_is_no_payment_token(number: str) -> None:
    world, fake = a_world({}, *OWNER, "workspace.manage")
    change = """mutation($input: ChangePlanInput!) { changePlan(input: $input) { __typename } }"""
    given = {"workspaceId": WORKSPACE_ID, "plan": "TEAM", "paymentToken": number}

    async with a_client(world) as client:
        result = await graphql(client, change, input=given)

    assert code(result) == "BAD_INPUT"
    assert result["errors"][0]["extensions"]["field"] == "input.paymentToken"
    assert number not in str(result)
    assert fake.sent == []


async def test_no_client_says_whether_approval_is_needed() -> None:
    world, fake = a_world({})
    given = {"appId": APP_ID, "environment": "STAGING", "approvalRequired": False}

    async with a_client(world) as client:
        result = await graphql(client, PUBLISH, input=given)

    assert result["errors"]
    assert fake.sent == []


@pytest.mark.parametrize("more", [{}, {"revisionId": REVISION_ID}])
async def test_a_publish_of_an_app_that_is_not_the_workspaces_is_refused(
    more: dict[str, str],
) -> None:
    """It would lock the app, and hold up those whose it is."""
    world, fake = a_world(
        {GetWorkspaces: Workspaces(workspaces=[a_workspace()]), GetApps: Apps(apps=[])}
    )
    given = {"appId": APP_ID, "environment": "STAGING", **more}

    async with a_client(world) as client:
        result = await graphql(client, PUBLISH, input=given)

    assert result["data"]["publishApp"]["__typename"] == "AppUnknown"
    assert fake.sent == []


async def test_a_repeated_publish_whose_head_moved_on_is_the_same_command() -> None:
    world, fake = publishing()
    given = {"appId": APP_ID, "environment": "STAGING", "idempotencyKey": "p"}

    async with a_client(world) as client:
        await graphql(client, PUBLISH, input=given)
        moved = an_app().model_copy(update={"head_revision_id": uuid4()})
        fake.answers[GetApps] = Apps(apps=[moved])
        await graphql(client, PUBLISH, input=given)
        await graphql(client, PUBLISH, input={**given, "idempotencyKey": "q"})

    first, second, third = fake.sent
    assert first == second
    assert third[0].revision_id == moved.head_revision_id


async def test_ids_of_different_workspaces_contradict_each_other() -> None:
    world, fake = a_world({})
    revision = ids.encode("Revision", OTHER_WORKSPACE, APP, REVISION)
    given = {"appId": APP_ID, "environment": "STAGING", "revisionId": revision}

    async with a_client(world) as client:
        result = await graphql(client, PUBLISH, input=given)

    assert code(result) == "BAD_INPUT"
    assert result["errors"][0]["extensions"]["field"] == "input.revisionId"
    assert fake.sent == []


async def test_a_workspace_is_made_for_the_caller() -> None:
    world, fake = a_world({OnboardWorkspace: an_operation(kind="onboard_workspace")})
    mutation = """mutation { createWorkspace(input: {workspaceName: "Tea"}) {
        __typename ... on Operation { kind } } }"""

    async with a_client(world) as client:
        result = await graphql(client, mutation)

    assert fake.sent[0][0].owner_id == USER
    assert result["data"]["createWorkspace"]["kind"] == "onboard_workspace"


async def test_a_plan_is_changed_by_a_saga_and_its_owner_is_told_of_it_at_once() -> None:
    answers = {ChangeWorkspacePlan: an_operation(kind="change_plan")}
    world, fake = a_world(answers, *OWNER, "workspace.manage")
    mutation = """mutation($id: ID!) { changePlan(input: {
        workspaceId: $id, plan: TEAM, paymentToken: "tok-ok"}) {
        __typename ... on Operation { kind } } }"""

    async with a_client(world) as client:
        result = await graphql(client, mutation, id=WORKSPACE_ID)

    assert result["data"]["changePlan"] == {"__typename": "Operation", "kind": "change_plan"}
    (command, *_), *_ = fake.sent
    assert (command.plan, command.payment_token) == (Plan.TEAM, "tok-ok")


async def test_the_founder_watches_a_workspace_that_identity_does_not_know_yet() -> None:
    def made(command: OnboardWorkspace) -> Operation:
        return an_operation(workspace_id=command.workspace_id)

    def running(query: GetOperation) -> Operation:
        return an_operation(workspace_id=query.workspace_id, result={"app_id": str(APP)})

    world, fake = a_world({OnboardWorkspace: made, GetOperation: running})
    mutation = """mutation { createWorkspace(input: {workspaceName: "Tea", idempotencyKey: "k"}) {
        ... on Operation { id } } }"""
    query = "query($id: ID!) { operation(id: $id) { state app { id } } }"
    stranger, _ = a_world({GetOperation: an_operation()})

    async with a_client(world) as client:
        operation = (await graphql(client, mutation))["data"]["createWorkspace"]["id"]
        seen = await graphql(client, query, id=operation)
    async with a_client(stranger) as client:
        unseen = await graphql(client, query, id=operation)

    assert seen["data"]["operation"] == {"state": "RUNNING", "app": None}
    assert fake.calls(GetApps) == []
    assert code(unseen) == "FORBIDDEN"


async def test_an_operation_is_cancelled_at_its_owner() -> None:
    world, fake = a_world({CancelOperation: lambda c: an_operation(operation_id=c.operation_id)})
    operation = uuid4()
    mutation = """mutation($id: ID!) { cancelOperation(input: {operationId: $id}) {
        __typename ... on Operation { id } } }"""
    known = ids.encode("Operation", WORKSPACE, "studio", operation)
    bogus = ids.encode("Operation", WORKSPACE, "nobody", operation)

    async with a_client(world) as client:
        result = await graphql(client, mutation, id=known)
        refused = await graphql(client, mutation, id=bogus)

    assert fake.sent[0][0].operation_id == operation
    assert result["data"]["cancelOperation"]["__typename"] == "Operation"
    assert code(refused) == "BAD_INPUT"
