"""New heads made of old revisions, on real stores."""

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    AppIsArchived,
    ArchiveApp,
    HeadMoved,
    ListRevisions,
    RemoveEntity,
    RestoreRevision,
    RevisionRestored,
    RevisionUnknown,
)
from services.studio.views.queries import list_revisions
from tests.samples.shop import shop
from tests.services.studio.desk import Desk
from tests.services.studio.test_apps import a_widget
from tests.services.studio.test_imports import exported, zipped


async def restored(desk: Desk, command: RestoreRevision) -> RevisionRestored:
    answer = await desk.studio.send(command)
    assert isinstance(answer, RevisionRestored)
    return answer


async def test_a_restored_revision_is_a_new_head_byte_for_byte(desk: Desk) -> None:
    files = shop()
    first = await desk.imported(zipped(files), new_id())
    path = next(path for path in sorted(files) if path.endswith(".txt") and "queries" in path)
    second = await desk.imported(zipped({**files, path: b"SELECT 2"}), first.app_id)
    before = await desk.entities(first.app_id)
    command = RestoreRevision(
        workspace_id=desk.workspace_id,
        app_id=first.app_id,
        revision_id=first.revision_id,
        expected_head_revision_id=second.revision_id,
    )

    answer = await restored(desk, command)

    assert await exported(desk, first.app_id) == files
    assert answer.revision_id not in (first.revision_id, second.revision_id)
    counts = (answer.entities_added, answer.entities_changed, answer.entities_removed)
    assert counts == (0, 1, 0)
    query = ListRevisions(workspace_id=desk.workspace_id, app_id=first.app_id)
    history = (await list_revisions(query, desk.database)).revisions
    assert (history[0].number, history[0].message) == (3, "restore revision 1")
    assert [r.digest for r in history] == [history[2].digest, history[1].digest, history[2].digest]
    after = {one.entity_id: one.entity_version for one in await desk.entities(first.app_id)}
    grown = [one for one in before if after[one.entity_id] == one.entity_version + 1]
    assert [one.path.rpartition("/")[0] for one in grown] == [path.rpartition("/")[0]]
    assert (await desk.studio.facts())[-1][0] == "studio.RevisionRestored.v1"


async def test_an_entity_that_was_removed_comes_back_and_can_be_edited(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    remove = RemoveEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=widget.entity_id,
        expected_version=1,
    )
    await desk.studio.send(remove)

    answer = await restored(
        desk,
        RestoreRevision(
            workspace_id=desk.workspace_id, app_id=app.app_id, revision_id=widget.revision_id
        ),
    )

    assert answer.entities_added == 1
    assert (await desk.entity(app.app_id, widget.entity_id)).name == widget.name
    await desk.studio.send(remove)


async def test_restoring_the_head_changes_nothing(desk: Desk) -> None:
    app = await desk.app()
    facts = await desk.studio.facts()

    answer = await restored(
        desk,
        RestoreRevision(
            workspace_id=desk.workspace_id, app_id=app.app_id, revision_id=app.revision_id
        ),
    )

    assert answer.revision_id == app.revision_id
    assert await desk.studio.facts() == facts


async def test_a_moved_head_another_apps_revision_and_the_archive_refuse(desk: Desk) -> None:
    app, other = await desk.app(), await desk.app("Other")
    widget = await a_widget(desk, app.app_id)
    command = RestoreRevision(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        revision_id=app.revision_id,
        expected_head_revision_id=app.revision_id,
    )

    refusals = []
    foreign = {"revision_id": other.revision_id, "expected_head_revision_id": None}
    for one in (command, command.model_copy(update=foreign)):
        with pytest.raises(Rejected) as refusal:
            await desk.studio.send(one)
        refusals.append(refusal.value.rejection)
    await desk.studio.send(ArchiveApp(workspace_id=desk.workspace_id, app_id=app.app_id))
    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(command)

    assert refusals == [
        HeadMoved(
            app_id=app.app_id,
            expected_head_revision_id=app.revision_id,
            head_revision_id=widget.revision_id,
        ),
        RevisionUnknown(app_id=app.app_id, revision_id=other.revision_id),
    ]
    assert refusal.value.rejection == AppIsArchived(app_id=app.app_id)
