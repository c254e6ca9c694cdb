"""Asking an app who uses whom."""

from typing import Any

from contracts.studio.app import (
    CodePlace,
    Dependencies,
    Dependency,
    Direction,
    EntityKind,
    Finding,
    FindingRule,
    Findings,
    GetApps,
    GetDependencies,
    Severity,
    UseKind,
    UsePlace,
    ValidateApp,
)
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
from tests.services.gateway.test_differences import APP_ID, the_app

TABLE = ids.encode("Entity", WORKSPACE, APP, "widget:Table1")
FETCH = ids.encode("Entity", WORKSPACE, APP, "query:fetchAll")
PLACE = UsePlace(path="tableData", start=3, end=11, kind=UseKind.DATA, members="data")
ASK = """query($app: ID!, $of: ID!, $depth: Int!) { app(id: $app) {
    dependencies(of: $of, direction: USED_BY, depth: $depth) {
        entityId name distance places { path start end kind members } } } }"""


def the_users(query: GetDependencies) -> Dependencies:
    one = Dependency(
        entity_id="widget:Table1",
        kind=EntityKind.WIDGET,
        name="Table1",
        page="Home",
        distance=1,
        places=[PLACE],
    )
    return Dependencies(dependencies=[one])


def a_finding(query: ValidateApp) -> Findings:
    one = Finding(
        rule=FindingRule.MISSING,
        severity=Severity.ERROR,
        entity_id="widget:Table1",
        kind=EntityKind.WIDGET,
        name="Table1",
        page="Home",
        missing="fetchal",
        meant="fetchAll",
        other_pages=["Orders"],
        place=CodePlace(path="tableData", start=3, end=11),
    )
    return Findings(findings=[one], more=True)


async def test_who_uses_an_entity_is_told_with_places() -> None:
    world, fake = a_world({GetApps: the_app, GetDependencies: the_users})

    async with a_client(world) as client:
        result: Any = await graphql(client, ASK, app=APP_ID, of=FETCH, depth=3)

    (query,) = fake.calls(GetDependencies)
    assert (query.entity_id, query.direction, query.depth) == (
        "query:fetchAll",
        Direction.USED_BY,
        3,
    )
    place = {"path": "tableData", "start": 3, "end": 11, "kind": "DATA", "members": "data"}
    user = {"entityId": TABLE, "name": "Table1", "distance": 1, "places": [place]}
    assert result["data"]["app"]["dependencies"] == [user]


async def test_a_depth_of_nothing_is_refused_by_name() -> None:
    world, _ = a_world({GetApps: the_app, GetDependencies: the_users})

    async with a_client(world) as client:
        result = await graphql(client, ASK, app=APP_ID, of=FETCH, depth=0)

    assert code(result) == "BAD_INPUT"
    assert "depth" in str(result)


async def test_an_entity_of_another_app_is_refused() -> None:
    world, _ = a_world({GetApps: the_app, GetDependencies: the_users})
    other = ids.encode("Entity", OTHER_WORKSPACE, APP, "query:fetchAll")

    async with a_client(world) as client:
        result = await graphql(client, ASK, app=APP_ID, of=other, depth=1)

    assert code(result) == "BAD_INPUT"


async def test_findings_come_with_the_likeliest_name() -> None:
    world, fake = a_world({GetApps: the_app, ValidateApp: a_finding})
    ask = """query($app: ID!) { validateApp(id: $app, pages: ["Home"], first: 1) {
        more findings { rule severity entityId missing meant otherPages place { path } } } }"""

    async with a_client(world) as client:
        result: Any = await graphql(client, ask, app=APP_ID)

    (query,) = fake.calls(ValidateApp)
    assert (query.pages, query.limit) == (["Home"], 1)
    found = result["data"]["validateApp"]
    assert found["more"]
    assert found["findings"] == [
        {
            "rule": "MISSING",
            "severity": "ERROR",
            "entityId": TABLE,
            "missing": "fetchal",
            "meant": "fetchAll",
            "otherPages": ["Orders"],
            "place": {"path": "tableData"},
        }
    ]
