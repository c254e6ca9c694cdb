"""Any input to any mutation or query: never INTERNAL."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    build_schema,
    get_introspection_query,
    get_named_type,
)

from chassis.context import Context
from chassis.errors import Rejected, Unavailable
from contracts.base import Command, Query
from contracts.catalogue import CONTRACTS
from contracts.identity.session import Authorize
from contracts.identity.workspace import ListWorkspaces, Workspaces
from contracts.studio.app import ChangeEntity, EntityUnknown
from services.gateway import ids
from services.gateway.graphql.schema import schema_text
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

SCHEMA = build_schema(schema_text())
CALLS_PER_FIELD = 30
TEXTS = ("", "x", "\x00", "é☕", "'; DROP TABLE app; --", "../../etc", "A" * 3000, "null", "{{1}}")
IDS = (
    ids.encode("App", WORKSPACE, APP),
    ids.encode("Workspace", WORKSPACE),
    ids.encode("Entity", WORKSPACE, APP, "x\x00y"),
    ids.encode("Revision", WORKSPACE, APP, APP),
    ids.encode("Release", OTHER_WORKSPACE, APP, APP),
    ids.encode("Operation", WORKSPACE, "nobody", APP),
    ids.encode("Operation", WORKSPACE, "studio", APP),
    ids.encode("User", APP),
    "QXBw",
    "%",
)
EXPECTED = {"BAD_INPUT", "UNAVAILABLE", "FORBIDDEN", "DEGRADED"}
ENTITY = ids.encode("Entity", WORKSPACE, APP, "w")
CHANGE = """mutation($input: ChangeEntityInput!) { changeEntity(input: $input) { __typename } }"""


def something(dice: random.Random, wanted: GraphQLInputType) -> Any:
    """A value that may or may not be of the wanted type."""
    if isinstance(wanted, GraphQLNonNull):
        return something(dice, wanted.of_type)
    if dice.random() < 0.1:
        return dice.choice([None, 5, "x", [], {}, 1e300, True, {"a": {"b": ["\x00"]}}])
    if isinstance(wanted, GraphQLList):
        return [something(dice, wanted.of_type) for _ in range(dice.randrange(3))]
    if isinstance(wanted, GraphQLInputObjectType):
        return {n: something(dice, f.type) for n, f in wanted.fields.items() if dice.random() < 0.9}
    if isinstance(wanted, GraphQLEnumType):
        return dice.choice([*wanted.values, "NOTHING"])
    name = get_named_type(wanted).name
    choices: dict[str, tuple[Any, ...]] = {
        "ID": IDS,
        "Int": (0, 1, -1, 2**31 - 1, 2**31, 1.5),
        "Boolean": (True, False),
        "JSON": ({}, {"a": "\x00"}, [1], "x", 1e300, None),
        "DateTime": ("2026-01-01T00:00:00Z", "yesterday", "9999-12-31T23:59:59+14:00"),
    }
    return dice.choice(choices.get(name, TEXTS))


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_no_input_is_an_internal_error(kind: str) -> None:
    down = {c: Unavailable("down") for c in CONTRACTS.values() if issubclass(c, Command | Query)}
    world, _ = a_world({k: v for k, v in down.items() if k is not Authorize})
    root = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    assert root is not None
    dice = random.Random(7)
    codes: set[str] = set()

    async with a_client(world) as client:
        for name, field in root.fields.items():
            params = ", ".join(f"${n}: {a.type}" for n, a in field.args.items())
            given = ", ".join(f"{n}: ${n}" for n in field.args)
            document = f"{kind}({params}) {{ {name}({given}) {{ __typename }} }}"
            if not params:
                document = f"{kind} {{ {name} {{ __typename }} }}"
            for _ in range(CALLS_PER_FIELD if params else 1):
                variables = {n: something(dice, a.type) for n, a in field.args.items()}
                result = await graphql(client, document, **variables)
                for error in result.get("errors", ()):
                    codes.add(error["extensions"]["code"])
                    assert error["extensions"]["code"] in EXPECTED, (document, variables, error)

    assert {"BAD_INPUT", "UNAVAILABLE"} <= codes


async def test_a_text_that_no_store_takes_is_bad_input_and_its_spelling_is_not() -> None:
    unknown = Rejected(EntityUnknown(app_id=APP, entity_id="w"))
    world, fake = a_world({ChangeEntity: unknown})
    given = {"entityId": ENTITY, "expectedVersion": 1}

    async with a_client(world) as client:
        refused = await graphql(client, CHANGE, input={**given, "source": {"a": ["b\x00"]}})
        taken = await graphql(client, CHANGE, input={**given, "text": "'\\u0000'"})

    assert code(refused) == "BAD_INPUT"
    assert taken["data"]["changeEntity"]["__typename"] == "EntityUnknown"
    assert len(fake.sent) == 1


async def test_too_many_requests_at_once_are_unavailable() -> None:
    world, fake = a_world({ListWorkspaces: Workspaces(workspaces=[])})
    entered, leave = asyncio.Event(), asyncio.Event()
    ask = fake.ask

    async def slow(query: Any, context: Context) -> Any:
        entered.set()
        await leave.wait()
        return await ask(query, context)

    fake.ask = slow  # type: ignore[method-assign]  # a service that does not answer yet
    body = {"query": "{ workspaces { id } }"}

    async with a_client(world, http_requests_max=1) as client:
        first = asyncio.create_task(client.post("/graphql", json=body))
        await asyncio.wait_for(entered.wait(), 5)
        refused = await client.post("/graphql", json=body)
        leave.set()
        answered = await first

    assert (refused.status_code, code(refused.json())) == (503, "UNAVAILABLE")
    assert answered.json()["data"] == {"workspaces": []}


async def test_a_body_that_never_ends_is_cut_off() -> None:
    world, _ = a_world({})

    async def drip() -> AsyncIterator[bytes]:
        yield b'{"query": "'
        await asyncio.sleep(30)  # tidy: cut off long before
        yield b'"}'

    async with a_client(world, request_body_ms_max=50) as client:
        headers = {"content-type": "application/json"}
        response = await client.post("/graphql", content=drip(), headers=headers)

    assert response.status_code == 400
    assert "did not arrive within 50 ms" in response.text


async def test_introspection_counts_and_tools_may_still_ask_for_all_of_it() -> None:
    world, _ = a_world({})
    flood = "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(80)) + "}"

    async with a_client(world) as client:
        refused = await graphql(client, flood)
        whole = await graphql(client, get_introspection_query())

    assert "aliases 80, at most 60 allowed" in str(refused["errors"])
    assert whole["data"]["__schema"]["queryType"]["name"] == "Query"
