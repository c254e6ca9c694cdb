"""Wrong input and broken services: always a typed error, never a 500."""

from typing import Any

import httpx
import pytest

from chassis.errors import Rejected, Unavailable
from contracts.identity.session import Authorize, SessionEnded
from contracts.identity.workspace import GetWorkspaces, ListWorkspaces, Workspaces
from contracts.studio.app import GetApps
from services.gateway import ids
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

APP_ID = ids.encode("App", WORKSPACE, APP)


async def ask(
    body: bytes, content_type: str = "application/json", **settings: Any
) -> httpx.Response:
    world, _ = a_world({ListWorkspaces: Workspaces(workspaces=[])})
    async with a_client(world, **settings) as client:
        return await client.post("/graphql", content=body, headers={"content-type": content_type})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"3",
        b'"text"',
        b"null",
        b"{}",
        b'{"query": 7}',
        b'{"query": ""}',
        b'{"query": "{ me { id } }", "variables": []}',
        b'{"query": "{ me { id } }", "operationName": 5}',
        b"\xff\xfe",
    ],
)
async def test_a_malformed_request_is_bad_input(body: bytes) -> None:
    response = await ask(body)

    assert response.status_code == 400
    assert code(response.json()) == "BAD_INPUT"
    assert response.json()["data"] is None


async def test_another_content_type_is_bad_input() -> None:
    response = await ask(b"query=1", "application/x-www-form-urlencoded")

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["field"] == "content-type"


async def test_a_body_over_the_limit_is_bad_input() -> None:
    response = await ask(b'{"query": "' + b" " * 2000 + b'{ me { id } }"}', request_bytes_max=1000)

    assert response.status_code == 400
    assert "1000 bytes" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ me { nothing } }",
        "subscription { operation(id: 1) { id } }",
        "{ ...Missing }",
        "query A($x: Missing) { me { id } }",
        "{ " * 5000,
        "fragment F on Query { ...F } { ...F }",
    ],
)
async def test_a_document_that_cannot_be_executed_is_bad_input(query: str) -> None:
    world, _ = a_world({})
    async with a_client(world) as client:
        result = await graphql(client, query)

    assert code(result) == "BAD_INPUT"


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        (
            "{ workspaces { apps { nodes { pages { nodes { widgets { nodes { id } } } } } } } }",
            "depth",
        ),
        ("{ a: me { id } b: me { id } c: me { id } }", "aliases"),
        ("{ workspaces { id name state version createdAt } }", "fields"),
    ],
)
async def test_a_document_over_a_limit_is_refused_before_anything_runs(
    query: str, limit: str
) -> None:
    world, fake = a_world({})
    small = {"query_depth_max": 5, "query_aliases_max": 2, "query_fields_max": 4}
    wide = {"query_depth_max": 90, "query_aliases_max": 90, "query_fields_max": 90}
    chosen = {**wide, f"query_{limit}_max": small[f"query_{limit}_max"]}

    async with a_client(world, **chosen) as client:
        result = await graphql(client, query)

    assert code(result) == "BAD_INPUT"
    assert limit in result["errors"][0]["message"]
    assert fake.asked == []


async def test_a_fragment_bomb_is_refused() -> None:
    world, _ = a_world({})
    bomb = "".join(f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }} " for i in range(25))
    query = f"{{ me {{ ...F0 }} }} {bomb} fragment F25 on User {{ id email }}"

    async with a_client(world) as client:
        result = await graphql(client, query)

    assert code(result) == "BAD_INPUT"


async def test_without_a_token_nobody_is_served() -> None:
    world, fake = a_world({})

    async with a_client(world, token="") as client:
        result = await graphql(client, "{ workspaces { id } }")

    assert code(result) == "UNAUTHENTICATED"
    assert fake.asked == []


async def test_an_ended_session_is_unauthenticated() -> None:
    world, _ = a_world({Authorize: Rejected(SessionEnded())})

    async with a_client(world) as client:
        result = await graphql(client, "{ workspaces { id } }")

    assert code(result) == "UNAUTHENTICATED"


async def test_another_workspace_is_forbidden() -> None:
    world, fake = a_world({})

    async with a_client(world) as client:
        result = await graphql(
            client,
            "query($id: ID!) { app(id: $id) { id } }",
            id=ids.encode("App", OTHER_WORKSPACE, APP),
        )

    assert code(result) == "FORBIDDEN"
    assert fake.calls(GetApps) == []


@pytest.mark.parametrize(
    "bad", ["", "x", "QXBwOng", ids.encode("Workspace", WORKSPACE), "A" * 5000]
)
async def test_an_id_of_another_kind_is_bad_input(bad: str) -> None:
    world, _ = a_world({})

    async with a_client(world) as client:
        result = await graphql(client, "query($id: ID!) { app(id: $id) { id } }", id=bad)

    assert code(result) == "BAD_INPUT"
    assert result["errors"][0]["extensions"]["field"] == "id"


async def test_a_service_that_is_down_is_unavailable() -> None:
    world, _ = a_world({GetApps: Unavailable("down", retry_after=2.0)})

    async with a_client(world) as client:
        result = await graphql(client, "query($id: ID!) { app(id: $id) { id } }", id=APP_ID)

    assert code(result) == "UNAVAILABLE"
    assert result["errors"][0]["extensions"]["retryAfterSeconds"] == 2.0


async def test_a_bug_is_internal_and_says_nothing_of_itself() -> None:
    world, _ = a_world({GetApps: ZeroDivisionError("the secret of the house")})

    async with a_client(world) as client:
        result = await graphql(client, "query($id: ID!) { app(id: $id) { id } }", id=APP_ID)

    assert code(result) == "INTERNAL"
    assert "secret" not in str(result)
    assert "traceId" in result["errors"][0]["extensions"]
    assert "traceId" in result["extensions"]


async def test_a_get_is_answered_in_development_only() -> None:
    world, _ = a_world({GetWorkspaces: Workspaces(workspaces=[])})
    async with a_client(world) as client:
        page = await client.get("/graphql")
    async with a_client(world, environment="production") as client:
        refused = await client.get("/graphql")

    assert "GraphiQL" in page.text
    assert refused.status_code == 405
