"""Mutations: from input to command, and from answer or refusal to a member of the union."""

from typing import Any
from uuid import uuid4

from chassis.errors import Conflict, IdempotencyKeyReused, Rejected
from contracts.delivery.environment import Environment
from contracts.delivery.live import AppDeliveries, AppDelivery, GetAppDeliveries, LivePointer
from contracts.delivery.release import Visibility
from contracts.identity.session import Authorize, LogOut, RevocationReason, SessionRevoked
from contracts.identity.user import Register, UserRegistered
from contracts.operation import CancelOperation, GetOperation, Operation, OperationState
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import (
    App,
    AppArchived,
    AppCreated,
    Apps,
    AppUnknown,
    ArchiveApp,
    ChangeEntity,
    CreateApp,
    EntityChanged,
    EntityKind,
    GetApps,
    ImportRefused,
    VersionConflict,
)
from services.gateway import ids
from tests.services.gateway.fakes import (
    APP,
    NOW,
    OTHER_WORKSPACE,
    REVISION,
    SESSION,
    USER,
    VIEWER,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

WORKSPACE_ID = ids.encode("Workspace", WORKSPACE)
APP_ID = ids.encode("App", WORKSPACE, APP)
CREATE = """mutation($input: CreateAppInput!) { createApp(input: $input) {
    __typename ... on AppCreated { appId appName } ... on Failure { code message } } }"""
ARCHIVE = """mutation($input: ArchiveAppInput!) { archiveApp(input: $input) {
    __typename ... on AppUnknown { appId } ... on Failure { code message }
    ... on OtherFailure { type fields } } }"""
CHANGE = """mutation($input: ChangeEntityInput!) { changeEntity(input: $input) {
    __typename ... on VersionConflict { expectedVersion currentVersion code } } }"""
PUBLISH = """mutation($input: PublishAppInput!) { publishApp(input: $input) {
    __typename ... on Operation { id state } ... on Failure { code } } }"""


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


async def test_a_command_is_sent_and_its_answer_is_a_type() -> None:
    world, fake = a_world({CreateApp: created})

    async with a_client(world) as client:
        result = await graphql(
            client, CREATE, input={"workspaceId": WORKSPACE_ID, "appName": "Tea"}
        )

    command, _ = fake.sent[0]
    answer = result["data"]["createApp"]
    assert answer["__typename"] == "AppCreated"
    assert answer["appId"] == ids.encode("App", WORKSPACE, command.app_id)


async def test_the_same_key_is_the_same_command_with_the_same_minted_ids() -> None:
    world, fake = a_world({CreateApp: created})
    given = {"workspaceId": WORKSPACE_ID, "appName": "Tea", "idempotencyKey": "one"}

    async with a_client(world) as client:
        await graphql(client, CREATE, input=given)
        await graphql(client, CREATE, input=given)
        await graphql(client, CREATE, input={**given, "idempotencyKey": "two"})
        await graphql(client, CREATE, input={**given, "idempotencyKey": None})

    (first, first_id), (second, second_id), (_, third_id), (_, fourth_id) = fake.sent
    assert (first, first_id) == (second, second_id)
    assert len({first_id, third_id, fourth_id}) == 3


async def test_an_app_id_carries_its_workspace() -> None:
    world, fake = a_world({ArchiveApp: AppArchived(workspace_id=WORKSPACE, app_id=APP)})

    async with a_client(world) as client:
        await graphql(client, ARCHIVE, input={"appId": APP_ID})

    assert fake.sent[0][0] == ArchiveApp(workspace_id=WORKSPACE, app_id=APP)


async def test_a_declared_refusal_is_its_own_type() -> None:
    world, _ = a_world({ArchiveApp: Rejected(AppUnknown(app_id=APP))})

    async with a_client(world) as client:
        result = await graphql(client, ARCHIVE, input={"appId": APP_ID})

    assert result["data"]["archiveApp"] == {
        "__typename": "AppUnknown",
        "appId": APP_ID,
        "code": "APP_UNKNOWN",
        "message": "No such app in this workspace.",
    }


async def test_an_undeclared_refusal_is_still_typed() -> None:
    refusal = ImportRefused(path="a", rule="b", detail="c")
    world, _ = a_world({ArchiveApp: Rejected(refusal)})

    async with a_client(world) as client:
        result = await graphql(client, ARCHIVE, input={"appId": APP_ID})

    answer = result["data"]["archiveApp"]
    assert answer["__typename"] == "OtherFailure"
    assert answer["code"] == "IMPORT_REFUSED"
    assert answer["fields"] == {"path": "a", "rule": "b", "detail": "c"}


async def test_a_conflict_and_a_reused_key_are_members_of_every_union() -> None:
    world, fake = a_world({ArchiveApp: Conflict("lost")})

    async with a_client(world) as client:
        conflict = await graphql(client, ARCHIVE, input={"appId": APP_ID})
        fake.answers[ArchiveApp] = IdempotencyKeyReused("again")
        reused = await graphql(client, ARCHIVE, input={"appId": APP_ID})

    assert conflict["data"]["archiveApp"]["code"] == "CONFLICT"
    assert reused["data"]["archiveApp"]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_an_edit_with_a_stale_version_says_which_is_current() -> None:
    stale = VersionConflict(entity_id="w", expected_version=1, current_version=4)
    world, fake = a_world({ChangeEntity: Rejected(stale)})
    entity = ids.encode("Entity", WORKSPACE, APP, "pages/One:two")
    given = {"entityId": entity, "expectedVersion": 1, "source": {"a": [1]}}

    async with a_client(world) as client:
        result = await graphql(client, CHANGE, input=given)

    command, _ = fake.sent[0]
    assert command.entity_id == "pages/One:two"
    assert (command.source, command.text) == ({"a": [1]}, None)
    assert result["data"]["changeEntity"]["currentVersion"] == 4


async def test_a_rule_of_the_contract_that_is_broken_names_the_field() -> None:
    world, fake = a_world({})

    async with a_client(world) as client:
        result = await graphql(client, CREATE, input={"workspaceId": WORKSPACE_ID, "appName": ""})

    assert code(result) == "BAD_INPUT"
    assert result["errors"][0]["extensions"]["field"] == "input.appName"
    assert fake.sent == []


async def test_a_viewer_may_not_edit() -> None:
    world, fake = a_world({}, *VIEWER)

    async with a_client(world) as client:
        result = await graphql(client, ARCHIVE, input={"appId": APP_ID})

    assert code(result) == "FORBIDDEN"
    assert fake.sent == []


async def test_a_publish_takes_the_head_and_what_is_live() -> None:
    world, fake = a_world(
        {
            GetApps: Apps(apps=[an_app()]),
            GetAppDeliveries: nothing_live,
            PublishApp: an_operation(),
        }
    )

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


async def test_a_publish_of_an_unknown_app_is_refused() -> None:
    world, fake = a_world({GetApps: Apps(apps=[])})

    async with a_client(world) as client:
        result = await graphql(client, PUBLISH, input={"appId": APP_ID, "environment": "STAGING"})

    assert result["data"]["publishApp"]["__typename"] == "AppUnknown"
    assert fake.sent == []


async def test_a_repeated_publish_whose_head_moved_on_is_the_same_command() -> None:
    world, fake = a_world(
        {
            GetApps: Apps(apps=[an_app()]),
            GetAppDeliveries: nothing_live,
            PublishApp: an_operation(),
        }
    )
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


async def test_logging_out_ends_this_very_session() -> None:
    ended = SessionRevoked(session_id=SESSION, user_id=USER, reason=RevocationReason.LOGGED_OUT)
    world, fake = a_world({LogOut: ended})

    async with a_client(world) as client:
        await graphql(client, "mutation { logOut(input: {}) { __typename } }")

    assert fake.sent[0][0] == LogOut(user_id=USER, session_id=SESSION)


async def test_registering_needs_no_token_and_hides_the_password() -> None:
    world, fake = a_world({Register: UserRegistered(user_id=USER)})
    mutation = """mutation { register(input: {email: "a@b.c", password: "pw-of-tea"}) {
        ... on UserRegistered { userId } } }"""

    async with a_client(world, token="") as client:
        result = await graphql(client, mutation)

    assert result["data"]["register"]["userId"] == ids.encode("User", USER)
    assert "pw-of-tea" not in repr(fake.sent)
    assert fake.calls(Authorize) == []


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


async def test_an_edited_entity_answers_with_its_new_version() -> None:
    changed = EntityChanged(
        workspace_id=WORKSPACE,
        app_id=APP,
        entity_id="w",
        kind=EntityKind.WIDGET,
        name="Table1",
        entity_version=2,
        revision_id=REVISION,
    )
    world, _ = a_world({ChangeEntity: changed})
    mutation = """mutation($id: ID!) { changeEntity(input: {entityId: $id, expectedVersion: 1}) {
        ... on EntityChanged { entityId entityVersion revisionId kind } } }"""
    entity = ids.encode("Entity", WORKSPACE, APP, "w")

    async with a_client(world) as client:
        result = await graphql(client, mutation, id=entity)

    assert result["data"]["changeEntity"] == {
        "entityId": entity,
        "entityVersion": 2,
        "revisionId": ids.encode("Revision", WORKSPACE, APP, REVISION),
        "kind": "WIDGET",
    }
