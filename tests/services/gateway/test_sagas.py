"""Operators at the gateway: sagas of all workspaces, and nobody else sees them."""

from uuid import UUID

from chassis.errors import Rejected
from contracts.deadletter import (
    DeadLetterPage,
    DeadLettersMoved,
    ListDeadLetters,
    RedriveDeadLetters,
)
from contracts.identity.session import Authorize, Authorized
from contracts.orchestrator.operating import (
    GetSaga,
    ListSagas,
    PauseSaga,
    SagaDetails,
    SagaEntry,
    SagaMoved,
    SagaPage,
    SagaSummary,
    SagaUnknown,
)
from tests.services.gateway.builders import NOW
from tests.services.gateway.fakes import OWNER, USER, WORKSPACE, a_client, a_world, code, graphql

SAGA = UUID(int=50)
LIST = "{ sagas(stuck: true) { sagas { sagaId kind status step } cursorNext } }"
SHOW = """query($id: String!) { saga(id: $id) {
    saga { status traceparent } history { happened reason } fields } }"""
PAUSE = """mutation($input: PauseSagaInput!) { pauseSaga(input: $input) {
    __typename ... on SagaSummary { status } ... on SagaMoved { version } } }"""


def a_summary(status: str = "PAUSED") -> SagaSummary:
    return SagaSummary(
        saga_id=SAGA,
        kind="publish_app",
        definition_version=2,
        owner_workspace_id=WORKSPACE,
        subject_id="app",
        status=status,
        phase="FORWARD",
        step="ReserveQuota",
        version=2,
        started_at=NOW,
        updated_at=NOW,
        deadline_at=NOW,
        wake_at=NOW,
        error_type="",
        traceparent="00-1-2-01",
    )


def an_operator(query: Authorize) -> Authorized:
    """Identity's answer: the caller is an operator, and a member of nothing."""
    return Authorized(
        user_id=USER,
        session_id=UUID(int=3),
        expires_at=NOW,
        workspace_id=query.workspace_id,
        permissions=["operator", "public", "user"],
    )


async def test_sagas_are_listed_and_shown_with_their_history() -> None:
    entry = SagaEntry(version=1, at=NOW, happened="paused", step="", reason="by ann: why not")
    details = SagaDetails(
        saga=a_summary(),
        steps=[],
        history=[entry],
        fields={"app_id": "a"},
        error={},
        lock_keys=[],
        ahead=[],
    )
    world, fake = a_world(
        {Authorize: an_operator, ListSagas: SagaPage(sagas=[a_summary()]), GetSaga: details}
    )

    async with a_client(world) as client:
        listed = await graphql(client, LIST)
        shown = await graphql(client, SHOW, id=str(SAGA))

    assert listed["data"]["sagas"]["sagas"][0]["sagaId"] == str(SAGA)
    assert shown["data"]["saga"]["history"] == [{"happened": "paused", "reason": "by ann: why not"}]
    assert fake.calls(ListSagas)[0].stuck


async def test_a_verb_is_a_command_and_its_refusal_is_typed() -> None:
    world, fake = a_world({Authorize: an_operator, PauseSaga: a_summary()})

    async with a_client(world) as client:
        done = await graphql(client, PAUSE, input={"sagaId": str(SAGA), "expectedVersion": 1})
        fake.answers[PauseSaga] = Rejected(SagaMoved(saga_id=SAGA, version=9))
        moved = await graphql(client, PAUSE, input={"sagaId": str(SAGA), "expectedVersion": 1})

    assert done["data"]["pauseSaga"] == {"__typename": "SagaSummary", "status": "PAUSED"}
    assert moved["data"]["pauseSaga"] == {"__typename": "SagaMoved", "version": 9}
    assert fake.sent[0][0] == PauseSaga(saga_id=SAGA, expected_version=1)


async def test_members_of_a_workspace_are_no_operators() -> None:
    world, fake = a_world({ListSagas: SagaPage(sagas=[])}, *OWNER)

    async with a_client(world) as client:
        listed = await graphql(client, LIST)
        paused = await graphql(client, PAUSE, input={"sagaId": str(SAGA)})

    assert [code(listed), code(paused)] == ["FORBIDDEN", "FORBIDDEN"]
    assert fake.sent == []


async def test_an_unknown_saga_is_null_and_bad_input_is_named() -> None:
    world, fake = a_world({Authorize: an_operator})
    fake.answers[GetSaga] = Rejected(SagaUnknown(saga_id=SAGA))

    async with a_client(world) as client:
        unknown = await graphql(client, SHOW, id=str(SAGA))
        no_id = await graphql(client, SHOW, id="third saga, please")
        no_limit = await graphql(client, "{ sagas(first: 9000) { cursorNext } }")

    assert unknown["data"] == {"saga": None}
    assert [code(no_id), code(no_limit)] == ["BAD_INPUT", "BAD_INPUT"]


async def test_dead_letters_are_asked_of_the_service_that_the_operator_names() -> None:
    moved = DeadLettersMoved(letter_ids=[SAGA], following=2, refused=[], preview=True, more=False)
    world, fake = a_world(
        {
            Authorize: an_operator,
            ListDeadLetters: DeadLetterPage(letters=[], totals=[]),
            RedriveDeadLetters: moved,
        }
    )

    async with a_client(world) as client:
        listed = await graphql(client, '{ deadLetters(service: "billing") { cursorNext } }')
        redriven = await graphql(
            client,
            """mutation { redriveDeadLetters(service: "billing", input: {topic: "t"}) {
                __typename ... on DeadLettersMoved { following preview } } }""",
        )
        nobody = await graphql(client, '{ deadLetters(service: "none") { cursorNext } }')

    assert listed["data"]["deadLetters"] == {"cursorNext": ""}
    assert redriven["data"]["redriveDeadLetters"]["following"] == 2
    assert fake.sent[0][0] == RedriveDeadLetters(topic="t")
    assert code(nobody) == "BAD_INPUT"
