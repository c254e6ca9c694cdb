"""Who uses whom, stored with each edit: on real stores it is what the documents say."""

import random
from dataclasses import replace
from typing import Any

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    AddEntity,
    AppCreated,
    ChangeEntity,
    CodePlace,
    Dependency,
    Direction,
    EntityAdded,
    EntityKind,
    EntityUnknown,
    Finding,
    FindingRule,
    GetDependencies,
    GetEvaluationOrder,
    GetFindings,
    RemoveEntity,
    UseKind,
    WhatBreaks,
)
from services.studio.references import readings_in, restored
from services.studio.views.references import (
    get_dependencies,
    get_evaluation_order,
    get_findings,
    what_breaks,
)
from tests.services.studio.desk import Desk

EDITS = 40


async def added(
    desk: Desk,
    app: AppCreated,
    kind: EntityKind,
    name: str,
    body: str = "",
    page: str = "Home",
    **source: Any,
) -> EntityAdded:
    """A widget with a source, or a query with a text."""
    command = AddEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        kind=kind,
        page=page,
        name=name,
        source={"type": "TEXT_WIDGET", **source} if kind is EntityKind.WIDGET else source,
        text=body or None,
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, EntityAdded)
    return answer


async def dependencies(
    desk: Desk, entity: EntityAdded, direction: Direction, depth: int = 1
) -> list[Dependency]:
    query = GetDependencies(
        workspace_id=desk.workspace_id,
        app_id=entity.app_id,
        entity_id=entity.entity_id,
        direction=direction,
        depth=depth,
    )
    return (await get_dependencies(query, desk.database, desk.contents)).dependencies


async def findings(desk: Desk, app: AppCreated) -> list[Finding]:
    query = GetFindings(workspace_id=desk.workspace_id, app_id=app.app_id)
    return (await get_findings(query, desk.database, desk.contents)).findings


async def test_dependencies_are_told_with_their_places(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT {{ Search.text }}")
    search = await added(desk, app, EntityKind.WIDGET, "Search", text2="x")
    table = await added(
        desk, app, EntityKind.WIDGET, "Table1", tableData="{{ fetchAll.data }}", onRow="{{Search}}"
    )

    users = await dependencies(desk, fetch, Direction.USED_BY)
    used = await dependencies(desk, table, Direction.USES, depth=5)

    (user,) = users
    assert (user.entity_id, user.distance) == (table.entity_id, 1)
    (place,) = user.places
    assert (place.path, place.start, place.end, place.members) == ("tableData", 3, 11, "data")
    assert place.kind is UseKind.DATA
    assert [(one.name, one.distance) for one in used] == [("fetchAll", 1), ("Search", 1)]
    (trigger,) = used[1].places
    assert trigger.kind is UseKind.TRIGGER
    assert (await dependencies(desk, search, Direction.USES)) == []


async def test_an_edit_changes_what_is_stored_with_it(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    title = await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAl.data }}")

    before = await findings(desk, app)
    users_before = await dependencies(desk, fetch, Direction.USED_BY)
    entity = await desk.entity(app.app_id, title.entity_id)
    change = ChangeEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=title.entity_id,
        expected_version=1,
        source={**(entity.source or {}), "text": "{{ fetchAll.data }}"},
    )
    await desk.studio.send(change)

    (missing, unused) = before
    assert (missing.rule, missing.missing, missing.meant) == (
        FindingRule.MISSING,
        "fetchAl",
        "fetchAll",
    )
    assert (unused.rule, unused.entity_id) == (FindingRule.UNUSED, fetch.entity_id)
    assert await findings(desk, app) == []
    assert users_before == []
    assert [one.name for one in await dependencies(desk, fetch, Direction.USED_BY)] == ["Title"]


async def test_what_goes_leaves_names_that_nobody_has(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")

    gone = RemoveEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=fetch.entity_id,
        expected_version=1,
    )
    await desk.studio.send(gone)

    (missing,) = await findings(desk, app)
    assert missing.missing == "fetchAll"
    with pytest.raises(Rejected) as refused:
        await dependencies(desk, fetch, Direction.USES)
    assert isinstance(refused.value.rejection, EntityUnknown)


async def test_cycles_and_broken_code_are_found_first(desk: Desk) -> None:
    app = await desk.app()
    await added(desk, app, EntityKind.WIDGET, "A", text="{{ B.text }}")
    await added(desk, app, EntityKind.WIDGET, "B", text="{{ A.text }}", other="{{ 1 + }}")
    await added(desk, app, EntityKind.WIDGET, "C", text="{{ eval('A') }}")

    found = await findings(desk, app)

    rules = [FindingRule.CYCLE, FindingRule.BROKEN, FindingRule.UNCLEAR]
    assert [one.rule for one in found] == rules
    assert [(one.name, one.path) for one in found[0].cycle] == [("A", "text"), ("B", "text")]
    assert found[1].place == CodePlace(path="other", start=2, end=7)


async def test_values_come_in_their_order(desk: Desk) -> None:
    app = await desk.app()
    await added(desk, app, EntityKind.WIDGET, "A", text="{{ B.text }}")
    await added(desk, app, EntityKind.WIDGET, "B", text="{{ C.text }}")
    await added(desk, app, EntityKind.WIDGET, "C", text="{{ appsmith.store.x }}")

    query = GetEvaluationOrder(workspace_id=desk.workspace_id, app_id=app.app_id, page="Home")
    found = await get_evaluation_order(query, desk.database, desk.contents)

    assert [one.name for one in found.values] == ["C", "B", "A"]


async def test_what_would_break_is_told_before_it_does(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    title = await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")
    await added(desk, app, EntityKind.WIDGET, "Other", text="{{ Title.text }}")

    query = WhatBreaks(workspace_id=desk.workspace_id, app_id=app.app_id, entity_id=fetch.entity_id)
    found = await what_breaks(query, desk.database, desk.contents)

    (broken,) = found.dependencies
    assert broken.entity_id == title.entity_id
    assert [place.path for place in broken.places] == ["text"]


async def test_another_workspace_is_told_nothing(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")

    stranger = replace(desk, workspace_id=new_id())
    with pytest.raises(Rejected):
        await dependencies(stranger, fetch, Direction.USES)
    with pytest.raises(Rejected):
        await findings(stranger, app)


async def test_entities_of_before_are_read_from_their_source(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")
    await desk.database.execute("UPDATE entity SET reading = NULL WHERE app_id = $1", app.app_id)

    (user,) = await dependencies(desk, fetch, Direction.USED_BY)

    assert user.name == "Title"


async def test_after_any_edits_what_is_stored_is_what_the_documents_say(desk: Desk) -> None:
    dice = random.Random(20261121)  # the same edits each time
    app = await desk.app()
    alive: dict[str, EntityAdded] = {}
    names = [f"W{number}" for number in range(12)]

    def code() -> str:
        used = dice.sample(names, 3)
        return f"{{{{ {used[0]}.text + (({used[1]}) => {used[1]})({used[2]}) }}}}"

    for _ in range(EDITS):
        name = dice.choice(names)
        if name not in alive:
            kind = dice.choice([EntityKind.WIDGET, EntityKind.QUERY])
            body = code() if kind is EntityKind.QUERY else ""
            alive[name] = await added(desk, app, kind, name, body, other=code())
        elif dice.random() < 0.3:
            await desk.studio.send(await a_removal(desk, alive.pop(name)))
        else:
            await desk.studio.send(await a_change(desk, alive[name], code()))

    assert await stored_readings(desk, app) == await recomputed_readings(desk, app)


async def a_removal(desk: Desk, entity: EntityAdded) -> RemoveEntity:
    now = await desk.entity(entity.app_id, entity.entity_id)
    return RemoveEntity(
        workspace_id=desk.workspace_id,
        app_id=entity.app_id,
        entity_id=entity.entity_id,
        expected_version=now.entity_version,
    )


async def a_change(desk: Desk, entity: EntityAdded, code: str) -> ChangeEntity:
    now = await desk.entity(entity.app_id, entity.entity_id)
    return ChangeEntity(
        workspace_id=desk.workspace_id,
        app_id=entity.app_id,
        entity_id=entity.entity_id,
        expected_version=now.entity_version,
        source={**(now.source or {}), "other": code},
        text=code if now.text is not None else None,
    )


async def stored_readings(desk: Desk, app: AppCreated) -> dict[str, Any]:
    rows = await desk.database.fetch(
        "SELECT entity_id, reading::text AS reading FROM entity WHERE app_id = $1", app.app_id
    )
    return {row["entity_id"]: restored(row["reading"]) for row in rows}


async def recomputed_readings(desk: Desk, app: AppCreated) -> dict[str, Any]:
    digest = await desk.database.fetchval(
        "SELECT state->>'head_digest' FROM app WHERE id = $1", app.app_id
    )
    manifest = await desk.contents.manifest(desk.workspace_id, digest)
    sections = await desk.contents.sections(desk.workspace_id, manifest)
    return {
        entity_id: reading
        for section in sections.values()
        for entity_id, reading in readings_in(section, section.by_id.keys()).items()
    }
