"""Renames on real stores: one revision, one event, dry runs that change nothing."""

import json

import pytest

from chassis.errors import Rejected
from contracts.studio.app import (
    AppCreated,
    EntityKind,
    EntityNameTaken,
    RenameEntity,
    RenameOutcome,
    ValidateApp,
    VersionConflict,
)
from services.studio.views.references import validate_app
from tests.services.studio.desk import Desk
from tests.services.studio.test_references import (
    added,
    assert_stored_as_recomputed,
    findings,
)


async def renamed(
    desk: Desk, app: AppCreated, entity_id: str, name: str, *, version: int = 1, dry: bool = False
) -> RenameOutcome:
    command = RenameEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=entity_id,
        expected_version=version,
        name=name,
        dry_run=dry,
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, RenameOutcome)
    return answer


async def digest(desk: Desk, app: AppCreated) -> str:
    found = await desk.database.fetchval("SELECT state FROM app WHERE id = $1", app.app_id)
    return str(found["head_digest"])


async def test_users_follow_in_one_revision_and_one_event(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    title = await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }} fetchAll")
    facts = len(await desk.studio.facts())

    outcome = await renamed(desk, app, fetch.entity_id, "load")

    now = await desk.entity(app.app_id, title.entity_id)
    assert (now.source or {})["text"] == "{{ load.data }} fetchAll"
    assert outcome.entity_id == "query:pages/Home/queries/load"
    names = [one.name for one in await desk.entities(app.app_id, EntityKind.QUERY)]
    assert names == ["load"]
    ((kind, _),) = (await desk.studio.facts())[facts:]
    assert kind == "studio.EntityRenamed.v1"
    payload = await desk.database.fetchval("SELECT payload FROM outbox WHERE type = $1", kind)
    fact = json.loads(payload)
    assert fact["previous_entity_id"] == fetch.entity_id
    assert title.entity_id in fact["entity_ids"]
    assert fact["revision_id"] == str(outcome.revision_id)
    assert await findings(desk, app) == []
    await assert_stored_as_recomputed(desk, app)


async def test_a_dry_run_tells_all_and_changes_nothing(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    title = await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")
    before = await digest(desk, app), await desk.studio.facts()

    outcome = await renamed(desk, app, fetch.entity_id, "load", dry=True)

    assert outcome.revision_id is None
    assert (await digest(desk, app), await desk.studio.facts()) == before
    (place,) = (one for one in outcome.changes if one.entity_id == title.entity_id)
    assert (place.path, place.start, place.before, place.after) == ("text", 3, "fetchAll", "load")


async def test_there_and_back_is_the_same_content(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    await added(desk, app, EntityKind.WIDGET, "Title", text="{{ fetchAll.data }}")
    before = await digest(desk, app)

    there = await renamed(desk, app, fetch.entity_id, "load")
    back = await renamed(desk, app, there.entity_id, "fetchAll", version=there.entity_version)

    assert back.entity_id == fetch.entity_id
    assert await digest(desk, app) == before


async def test_a_name_that_is_taken_and_an_old_version_are_refused(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    await added(desk, app, EntityKind.WIDGET, "Title", text="x")

    with pytest.raises(Rejected) as taken:
        await renamed(desk, app, fetch.entity_id, "Title")
    with pytest.raises(Rejected) as old:
        await renamed(desk, app, fetch.entity_id, "load", version=7)

    assert isinstance(taken.value.rejection, EntityNameTaken)
    assert isinstance(old.value.rejection, VersionConflict)


async def test_other_pages_stay_as_they_are(desk: Desk) -> None:
    app = await desk.app()
    fetch = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    page = await added(desk, app, EntityKind.PAGE, "Other", page="")
    other = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 2", page="Other")

    await renamed(desk, app, fetch.entity_id, "load")

    assert (await desk.entity(app.app_id, other.entity_id)).name == "fetchAll"
    query = ValidateApp(workspace_id=desk.workspace_id, app_id=app.app_id, pages=[page.name])
    found = await validate_app(query, desk.database, desk.graphs)
    assert [one.page for one in found.findings] == ["Other"]
