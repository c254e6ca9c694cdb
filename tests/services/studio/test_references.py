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
    AppImported,
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
    RemoveEntity,
    UseKind,
    ValidateApp,
    WhatBreaks,
)
from services.studio.appsmith import Kind, add_entity, pack_app
from services.studio.appsmith import new_app as starter_source
from services.studio.references.section_readings import encode, read_section
from services.studio.store.graphs import READINGS, keys_of
from services.studio.views.references import (
    get_dependencies,
    get_evaluation_order,
    validate_app,
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
    return (await get_dependencies(query, desk.database, desk.graphs)).dependencies


async def findings(desk: Desk, app: AppCreated) -> list[Finding]:
    query = ValidateApp(workspace_id=desk.workspace_id, app_id=app.app_id)
    return (await validate_app(query, desk.database, desk.graphs)).findings


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
    found = await get_evaluation_order(query, desk.database, desk.graphs)

    assert [one.name for one in found.values] == ["C", "B", "A"]


async def test_what_would_break_is_told_before_it_does(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    title = await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")
    await added(desk, app, EntityKind.WIDGET, "Other", text="{{ Title.text }}")

    query = WhatBreaks(workspace_id=desk.workspace_id, app_id=app.app_id, entity_id=fetch.entity_id)
    found = await what_breaks(query, desk.database, desk.graphs)

    (broken,) = found.dependencies
    assert broken.entity_id == title.entity_id
    assert [place.path for place in broken.places] == ["text"]


async def test_a_datasource_would_leave_its_queries_behind(desk: Desk) -> None:
    app = await desk.app()
    base = await added(desk, app, EntityKind.DATASOURCE, "Base", page="")
    action = {"datasource": {"name": "Base"}}
    query = await added(desk, app, EntityKind.QUERY, "one", "SELECT 1", unpublishedAction=action)
    await added(desk, app, EntityKind.QUERY, "other", "SELECT 2")

    ask = WhatBreaks(workspace_id=desk.workspace_id, app_id=app.app_id, entity_id=base.entity_id)
    found = await what_breaks(ask, desk.database, desk.graphs)

    assert [one.entity_id for one in found.dependencies] == [query.entity_id]


async def test_another_workspace_is_told_nothing(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")

    stranger = replace(desk, workspace_id=new_id())
    with pytest.raises(Rejected):
        await dependencies(stranger, fetch, Direction.USES)
    with pytest.raises(Rejected):
        await findings(stranger, app)


async def test_a_content_without_readings_is_read_from_its_source_once(desk: Desk) -> None:
    source = starter_source("Written before")
    source = add_entity(source, Kind.QUERY, name="fetchAll", page="Home", text="SELECT 1").app
    title = {"type": "TEXT_WIDGET", "text": "{{ fetchAll.data }}"}
    source = add_entity(source, Kind.WIDGET, name="Title", page="Home", value=title).app
    packed = pack_app(source)
    await desk.contents.write_packs(desk.workspace_id, packed.packs)
    await desk.contents.write_manifests(desk.workspace_id, [packed.manifest])

    graph = await desk.graphs.page(desk.workspace_id, packed.manifest.digest, "Home")

    assert graph is not None
    (found,) = graph.references
    named = [graph.entities[i].name for i in (found.source_id, found.target_id)]
    assert named == ["Title", "fetchAll"]
    for _, key in keys_of(desk.workspace_id, packed.manifest).values():
        assert await desk.studio.resources.mongo.get(READINGS, f"{desk.workspace_id}:{key}")


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

    await assert_stored_as_recomputed(desk, app)


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


async def assert_stored_as_recomputed(desk: Desk, app: AppCreated | AppImported) -> None:
    """Of every revision, to the byte."""
    rows = await desk.database.fetch(
        "SELECT state->>'digest' AS digest FROM app_revision WHERE app_id = $1", app.app_id
    )
    for row in rows:
        manifest = await desk.contents.manifest(desk.workspace_id, row["digest"])
        sections = await desk.contents.sections(desk.workspace_id, manifest)
        for name, (_, key) in keys_of(desk.workspace_id, manifest).items():
            document = await desk.studio.resources.mongo.get(READINGS, f"{desk.workspace_id}:{key}")
            assert document is not None, name
            assert [bytes(document["body"])] == encode(read_section(sections[name]))
    assert len(rows) > 1
