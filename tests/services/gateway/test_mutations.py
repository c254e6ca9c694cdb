"""Mutations: from input to command, and from answer or refusal to a member of the union."""

import pytest

from chassis.errors import Conflict, IdempotencyKeyReused, Rejected
from contracts.identity.session import Authorize, LogOut, RevocationReason, SessionRevoked
from contracts.identity.user import Register, UserRegistered
from contracts.studio.app import (
    AddEntity,
    AppArchived,
    AppUnknown,
    ArchiveApp,
    ChangeEntity,
    CreateApp,
    EntityChanged,
    EntityKind,
    EntityNameTaken,
    ImportRefused,
    VersionConflict,
)
from services.gateway import ids
from tests.services.gateway.builders import created
from tests.services.gateway.fakes import (
    APP,
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

ADD = """mutation($input: AddEntityInput!) { addEntity(input: $input) {
    __typename ... on EntityNameTaken { name } } }"""


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


async def test_a_widget_is_added_into_a_container_by_its_global_id() -> None:
    taken = EntityNameTaken(app_id=APP, name="Table1")
    world, fake = a_world({AddEntity: Rejected(taken)})
    box = ids.encode("Entity", WORKSPACE, APP, "widget:pages/One/widgets/Box.json")
    given = {"appId": APP_ID, "kind": "WIDGET", "page": "One", "name": "Table1", "parentId": box}

    async with a_client(world) as client:
        result = await graphql(client, ADD, input=given)

    command, _ = fake.sent[0]
    assert command.parent_id == "widget:pages/One/widgets/Box.json"
    assert result["data"]["addEntity"] == {"__typename": "EntityNameTaken", "name": "Table1"}


@pytest.mark.parametrize(
    "name",
    [
        *(f"Tea{sign}gpj.exe" for sign in "\u202e\u2066\u2028\u200b\ufeff\x07\x9b\n"),
        "  ",
        "\u200d\u200d",
    ],
)
async def test_a_name_that_disguises_itself_is_refused(name: str) -> None:
    world, fake = a_world({CreateApp: created})
    given = {"workspaceId": WORKSPACE_ID, "appName": name}

    async with a_client(world) as client:
        result = await graphql(client, CREATE, input=given)

    assert code(result) == "BAD_INPUT"
    assert result["errors"][0]["extensions"]["field"] == "input.appName"
    assert not fake.sent


async def test_a_name_may_have_any_script_and_emoji() -> None:
    world, fake = a_world({CreateApp: created})
    name = "چای \u200fשלום 👩‍👩‍👧 naïve"

    async with a_client(world) as client:
        await graphql(client, CREATE, input={"workspaceId": WORKSPACE_ID, "appName": name})

    assert fake.sent[0][0].app_name == name


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
