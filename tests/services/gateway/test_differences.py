"""Comparing revisions: what is not asked for is not read."""

from typing import Any

import pytest

from contracts.studio.app import (
    Apps,
    DiffRevisions,
    EntityDifference,
    EntityKind,
    GetApps,
    PropertyDifference,
    RevisionDifference,
)
from services.gateway import ids
from tests.services.gateway.builders import an_app
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    REVISION,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

APP_ID = ids.encode("App", WORKSPACE, APP)
ENTITY = ids.encode("Entity", WORKSPACE, APP, "widget:w")
REVISION_ID = ids.encode("Revision", WORKSPACE, APP, REVISION)
ASK = """query($app: ID!, $one: ID!, $ids: [ID!]) { app(id: $app) {
    difference(before: $one, after: $one, entityIds: $ids) { differences { entityId %s } } } }"""


def the_app(query: GetApps) -> Apps:
    return Apps(apps=[an_app()])


def a_difference(query: DiffRevisions) -> RevisionDifference:
    one = EntityDifference(
        entity_id="widget:w",
        kind=EntityKind.WIDGET,
        name="Total",
        page="Home",
        change="changed",
        properties=[PropertyDifference(path="a.b", change="changed", before="1", after="1.0")],
    )
    return RevisionDifference(
        app_id=APP, revision_before=REVISION, revision_after=REVISION, differences=[one]
    )


@pytest.mark.parametrize(
    ("fields", "detailed"),
    [
        ("change", False),
        ("properties { path before after }", True),
        ("... on EntityDifference { lines { before } }", True),
        ("rest: more", True),
    ],
)
async def test_details_are_read_only_when_they_are_asked_for(fields: str, detailed: bool) -> None:
    world, fake = a_world({GetApps: the_app, DiffRevisions: a_difference})

    async with a_client(world) as client:
        result = await graphql(client, ASK % fields, app=APP_ID, one=REVISION_ID, ids=[ENTITY])

    assert "errors" not in result
    (query,) = fake.calls(DiffRevisions)
    assert (query.detailed, query.entity_ids) == (detailed, ["widget:w"])


async def test_values_come_as_exact_json_texts() -> None:
    world, _ = a_world({GetApps: the_app, DiffRevisions: a_difference})

    async with a_client(world) as client:
        fields = "properties { path before after }"
        result = await graphql(client, ASK % fields, app=APP_ID, one=REVISION_ID)

    found: Any = result["data"]["app"]["difference"]["differences"]
    expected = {"path": "a.b", "before": "1", "after": "1.0"}
    assert found == [{"entityId": ENTITY, "properties": [expected]}]


async def test_a_revision_of_another_app_is_refused() -> None:
    world, _ = a_world({GetApps: the_app, DiffRevisions: a_difference})
    other = ids.encode("Revision", OTHER_WORKSPACE, APP, REVISION)

    async with a_client(world) as client:
        result = await graphql(client, ASK % "change", app=APP_ID, one=other)

    assert code(result) == "BAD_INPUT"
