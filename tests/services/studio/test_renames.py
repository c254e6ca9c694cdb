"""Renames on real stores: one revision, one event, dry runs that change nothing."""

import json

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    AppCreated,
    AppImported,
    EntityKind,
    EntityNameTaken,
    RenameEntity,
    RenameOutcome,
    ValidateApp,
    VersionConflict,
)
from services.studio.views.references import validate_app
from tests.services.studio.desk import Desk
from tests.services.studio.references.renames.pages import RENAMED, an_app
from tests.services.studio.test_imports import exported, zipped
from tests.services.studio.test_references import (
    added,
    assert_stored_as_recomputed,
    findings,
)


async def renamed(
    desk: Desk,
    app: AppCreated | AppImported,
    entity_id: str,
    name: str,
    *,
    version: int = 1,
    dry: bool = False,
    mentions: bool = False,
) -> RenameOutcome:
    command = RenameEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=entity_id,
        expected_version=version,
        name=name,
        dry_run=dry,
        with_mentions=mentions,
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, RenameOutcome)
    return answer


async def digest(desk: Desk, app: AppCreated | AppImported) -> str:
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


GO = "{{ navigateTo('Other'); Tools.save() }}"
SAVE = "script_function:pages/Home/queries/Tools-save"


async def imported(desk: Desk, format_version: int) -> AppImported:
    app = an_app(format_version, Go=GO)
    return await desk.imported(zipped(app.files), new_id())


@pytest.mark.parametrize("format_version", [2, 3, 4, 5])
async def test_a_scripts_function_goes_there_and_back(desk: Desk, format_version: int) -> None:
    app = await imported(desk, format_version)
    before = await digest(desk, app)
    facts = len(await desk.studio.facts())

    there = await renamed(desk, app, SAVE, "store")

    script = await desk.entity(app.app_id, "script:pages/Home/jsobjects/Tools")
    assert script.text == RENAMED
    assert [kind for kind, _ in (await desk.studio.facts())[facts:]] == ["studio.EntityRenamed.v1"]
    assert {one.text for one in there.unclear} == {"save"}
    await assert_stored_as_recomputed(desk, app)
    version = there.entity_version
    back = await renamed(desk, app, there.entity_id, "save", version=version)
    assert back.entity_id == SAVE
    assert await digest(desk, app) == before


@pytest.mark.parametrize("format_version", [2, 3, 4, 5])
async def test_a_page_goes_there_and_back(desk: Desk, format_version: int) -> None:
    app = await imported(desk, format_version)
    before, files = await digest(desk, app), await exported(desk, app.app_id)
    counts = len(await desk.entities(app.app_id))
    facts = len(await desk.studio.facts())

    there = await renamed(desk, app, "page:pages/Home", "Start / here")

    assert there.entity_id == "page:pages/Start _ here"
    after = await exported(desk, app.app_id)
    moved = {path.replace("pages/Home/", "pages/Start _ here/") for path in files}
    assert {one.replace("/Start _ here.json", "/Home.json") for one in after} == moved
    assert len(await desk.entities(app.app_id)) == counts
    assert [kind for kind, _ in (await desk.studio.facts())[facts:]] == ["studio.EntityRenamed.v1"]
    await assert_stored_as_recomputed(desk, app)
    version = there.entity_version
    back = await renamed(desk, app, there.entity_id, "Home", version=version)
    assert back.entity_id == "page:pages/Home"
    assert await digest(desk, app) == before


async def test_texts_that_name_a_page_change_on_other_pages_when_asked(desk: Desk) -> None:
    app = await imported(desk, 5)
    widget = "widget:pages/Home/widgets/Go.json"

    dry = await renamed(desk, app, "page:pages/Other", "Next", dry=True)
    done = await renamed(desk, app, "page:pages/Other", "Next", mentions=True)

    assert [(one.entity_id, one.before, one.after) for one in dry.mentions] == [
        (widget, "Other", "Next")
    ]
    assert done.mentions == []
    source = (await desk.entity(app.app_id, widget)).source or {}
    assert source["text"] == "{{ navigateTo('Next'); Tools.save() }}"
    await assert_stored_as_recomputed(desk, app)


async def test_the_name_of_another_page_is_refused(desk: Desk) -> None:
    app = await imported(desk, 4)

    with pytest.raises(Rejected) as taken:
        await renamed(desk, app, "page:pages/Home", "Other")
    with pytest.raises(Rejected) as old:
        await renamed(desk, app, "page:pages/Home", "Next", version=3)

    assert isinstance(taken.value.rejection, EntityNameTaken)
    assert isinstance(old.value.rejection, VersionConflict)
