"""Reading: the number of questions does not grow with the number of things."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from chassis.context import Context
from chassis.errors import Rejected, Unavailable
from contracts.activity.feed import GetFeed
from contracts.billing.account import GetUsage
from contracts.delivery.live import GetAppDeliveries
from contracts.delivery.release import CursorInvalid
from contracts.identity.session import Authorize
from contracts.identity.workspace import (
    ListWorkspaces,
    Role,
    Workspace,
    Workspaces,
    WorkspaceSettings,
    WorkspaceState,
)
from contracts.operation import ListOperations, Operation, OperationPage, OperationState
from contracts.studio.app import (
    App,
    Apps,
    Entities,
    Entity,
    EntityKind,
    GetApps,
    GetEntities,
    ListApps,
    ListEntities,
)
from services.gateway import ids
from services.gateway.graphql.connection import write_cursor
from tests.services.gateway.fakes import (
    APP,
    NOW,
    OTHER_WORKSPACE,
    REVISION,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

APP_ID = ids.encode("App", WORKSPACE, APP)
TREE = """{ workspaces { name apps { nodes { name pages { nodes { name
    queries { nodes { name } } widgets(first: 2) { nodes { id } pageInfo { hasNextPage } }
} } } } } }"""


def a_workspace() -> Workspace:
    return Workspace(
        workspace_id=WORKSPACE,
        workspace_name="Tea",
        state=WorkspaceState.ACTIVE,
        role=Role.OWNER,
        settings=WorkspaceSettings(),
        members=1,
        members_max=3,
        created_at=NOW,
        version=1,
    )


def an_app(app_id: UUID = APP) -> App:
    return App(
        app_id=app_id,
        workspace_id=WORKSPACE,
        app_name=f"App {app_id.int % 1000}",
        state="active",
        version=1,
        head_revision_id=REVISION,
        counts={"page": 2},
        created_at=NOW,
        updated_at=NOW,
    )


def an_entity(app_id: UUID, kind: EntityKind, page: str, name: str) -> Entity:
    return Entity(
        app_id=app_id,
        entity_id=f"{kind}:{page}:{name}",
        kind=kind,
        name=name,
        page=page,
        parent_id="",
        path=f"{page}/{name}",
        digest="d",
        entity_version=1,
        fields={},
    )


def entities_of(query: ListEntities) -> Entities:
    """Two pages an app, three entities of each kind a page."""
    rows = []
    for app_id in query.app_ids:
        if query.kinds == [EntityKind.PAGE]:
            rows += [an_entity(app_id, EntityKind.PAGE, name, name) for name in ("One", "Two")]
            continue
        for page in query.pages:
            kind = query.kinds[0]
            names = [f"{kind}{i}" for i in range(3)][: query.limit]
            rows += [an_entity(app_id, kind, page, name) for name in names]
    return Entities(entities=rows)


def an_operation(minute: int, owner: str) -> Operation:
    return Operation(
        operation_id=uuid4(),
        workspace_id=WORKSPACE,
        kind="k",
        owner=owner,
        state=OperationState.COMPLETED,
        started_at=NOW.replace(minute=minute),
        updated_at=NOW,
        finished_at=NOW,
    )


async def test_a_tree_of_four_levels_takes_one_question_a_level() -> None:
    apps = [an_app(uuid4()) for _ in range(5)]
    world, fake = a_world(
        {
            ListWorkspaces: Workspaces(workspaces=[a_workspace()]),
            ListApps: Apps(apps=apps),
            ListEntities: entities_of,
        }
    )

    async with a_client(world) as client:
        result = await graphql(client, TREE)

    counts = Counter(type(query).__name__ for query in fake.asked)
    assert counts == {"Authorize": 2, "ListWorkspaces": 1, "ListApps": 1, "ListEntities": 3}
    pages = result["data"]["workspaces"][0]["apps"]["nodes"][0]["pages"]["nodes"]
    assert [page["name"] for page in pages] == ["One", "Two"]
    assert len(pages[1]["queries"]["nodes"]) == 3
    assert len(pages[0]["widgets"]["nodes"]) == 2
    assert pages[0]["widgets"]["pageInfo"]["hasNextPage"] is True


async def test_a_list_goes_on_after_its_last_edge_and_after_any_other() -> None:
    def page(query: ListEntities) -> Entities:
        rows = [an_entity(APP, EntityKind.PAGE, "", f"P{i}") for i in range(5)]
        return Entities(entities=rows[: query.limit], cursor_next="c" if query.limit < 5 else "")

    world, fake = a_world({GetApps: Apps(apps=[an_app()]), ListEntities: page})
    query = """query($id: ID!, $after: String) { app(id: $id) { pages(first: 2, after: $after) {
        edges { cursor node { name } } pageInfo { hasNextPage endCursor } } } }"""

    async with a_client(world) as client:
        first = (await graphql(client, query, id=APP_ID))["data"]["app"]["pages"]
        after = first["edges"][0]["cursor"]
        second = (await graphql(client, query, id=APP_ID, after=after))["data"]["app"]["pages"]
        broken = await graphql(client, query, id=APP_ID, after="%%%")
        fake.answers[ListEntities] = Rejected(CursorInvalid(cursor="x"))
        foreign = await graphql(client, query, id=APP_ID, after=write_cursor("x", 0))

    assert [edge["node"]["name"] for edge in first["edges"]] == ["P0", "P1"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [edge["node"]["name"] for edge in second["edges"]] == ["P1", "P2"]
    assert code(broken) == code(foreign) == "BAD_INPUT"
    assert foreign["errors"][0]["extensions"]["field"] == "after"


async def test_sources_of_many_entities_are_read_together() -> None:
    def bodies(query: GetEntities) -> Entities:
        rows = [an_entity(query.app_id, EntityKind.PAGE, n, n) for n in ("One", "Two")]
        return Entities(entities=[row.model_copy(update={"source": {"a": 1}}) for row in rows])

    world, fake = a_world(
        {GetApps: Apps(apps=[an_app()]), ListEntities: entities_of, GetEntities: bodies}
    )
    query = "query($id: ID!) { app(id: $id) { pages { nodes { source } } } }"

    async with a_client(world) as client:
        result = await graphql(client, query, id=APP_ID)

    assert result["data"]["app"]["pages"]["nodes"] == [{"source": {"a": 1}}] * 2
    assert len(fake.calls(GetEntities)) == 1


async def test_what_is_not_essential_degrades_and_the_rest_is_there() -> None:
    down = Unavailable("down")
    world, _ = a_world(
        {GetApps: Apps(apps=[an_app()]), GetFeed: down, GetAppDeliveries: down, GetUsage: down}
    )
    query = """query($id: ID!) { app(id: $id) { name
        activity { nodes { type } } delivery { visibility } } }"""

    async with a_client(world) as client:
        result = await graphql(client, query, id=APP_ID)

    app = result["data"]["app"]
    assert (app["activity"], app["delivery"]) == (None, None)
    assert app["name"].startswith("App")
    assert {error["extensions"]["code"] for error in result["errors"]} == {"DEGRADED"}
    assert [error["path"] for error in result["errors"]] == [
        ["app", "activity"],
        ["app", "delivery"],
    ]


async def test_what_is_not_essential_and_hangs_degrades_too() -> None:
    world, fake = a_world({GetApps: Apps(apps=[an_app()])})
    world = replace(world, optional_ms=30)
    ask = fake.ask

    async def silent(query: Any, context: Context) -> Any:
        if isinstance(query, GetFeed | GetAppDeliveries):
            await asyncio.Event().wait()
        return await ask(query, context)

    fake.ask = silent  # type: ignore[method-assign]  # a service that never answers
    query = """query($id: ID!) { app(id: $id) { name
        a: delivery { visibility } b: delivery { visibility } activity { nodes { type } } } }"""

    async with a_client(world) as client:
        result = await asyncio.wait_for(graphql(client, query, id=APP_ID), 5)

    app = result["data"]["app"]
    assert app["name"].startswith("App")
    assert (app["a"], app["b"], app["activity"]) == (None, None, None)
    assert {error["extensions"]["code"] for error in result["errors"]} == {"DEGRADED"}


async def test_a_node_is_found_by_its_id_whatever_its_kind() -> None:
    world, _ = a_world({GetApps: Apps(apps=[an_app()]), GetEntities: one_widget})
    query = """query($id: ID!) { node(id: $id) { __typename id
        ... on App { name } ... on Widget { pageName } } }"""
    widget = ids.encode("Entity", WORKSPACE, APP, "widget:One:w")

    async with a_client(world) as client:
        app = await graphql(client, query, id=APP_ID)
        entity = await graphql(client, query, id=widget)
        foreign = await graphql(client, query, id=ids.encode("App", OTHER_WORKSPACE, APP))

    assert app["data"]["node"] == {"__typename": "App", "id": APP_ID, "name": "App 225"}
    assert entity["data"]["node"] == {"__typename": "Widget", "id": widget, "pageName": "One"}
    assert foreign["data"]["node"] is None
    assert code(foreign) == "FORBIDDEN"


def one_widget(query: GetEntities) -> Entities:
    return Entities(entities=[an_entity(APP, EntityKind.WIDGET, "One", "w")])


async def test_identity_is_asked_once_for_a_workspace() -> None:
    world, fake = a_world({GetApps: lambda query: Apps(apps=[an_app(i) for i in query.app_ids])})
    other = uuid4()
    query = """query($a: ID!, $b: ID!) { a: app(id: $a) { id } b: app(id: $b) { id } }"""

    async with a_client(world) as client:
        await graphql(client, query, a=APP_ID, b=ids.encode("App", WORKSPACE, other))

    assert len(fake.calls(Authorize)) == 1
    assert [set(query.app_ids) for query in fake.calls(GetApps)] == [{APP, other}]


async def test_long_work_of_all_owners_is_one_list_newest_first() -> None:
    rows = {
        "a": [an_operation(minute, "orchestrator") for minute in (50, 30, 10)],
        "b": [an_operation(minute, "studio") for minute in (40, 20)],
    }
    turn: list[str] = []

    def page(query: ListOperations) -> OperationPage:
        turn.append("ab"[len(turn) % 2])
        mine = rows[turn[-1]]
        return OperationPage(operations=mine[: query.limit])

    world, _ = a_world({ListOperations: page})
    query = """query($id: ID!, $after: String) {
        operations(workspaceId: $id, first: 3, after: $after)
        { nodes { startedAt } pageInfo { endCursor hasNextPage } } }"""
    workspace = ids.encode("Workspace", WORKSPACE)

    async with a_client(world) as client:
        first: Any = (await graphql(client, query, id=workspace))["data"]["operations"]
        after = first["pageInfo"]["endCursor"]
        rest: Any = (await graphql(client, query, id=workspace, after=after))["data"]["operations"]

    minutes = [node["startedAt"][14:16] for node in first["nodes"] + rest["nodes"]]
    assert minutes == ["50", "40", "30", "20", "10"]
