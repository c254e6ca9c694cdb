"""Publishing what was imported with problems: renamed, moved, copied, merged or restored since."""

import pytest

from chassis.errors import Rejected
from contracts.studio.app import (
    AddEntity,
    AppNotPublishable,
    DuplicateEntity,
    Entity,
    EntityDuplicated,
    EntityKind,
    MergeOutcome,
    MergeRevisions,
    MoveEntity,
    MoveOutcome,
    RenameEntity,
    RenameOutcome,
    RestoreRevision,
)
from tests.services.studio.desk import Desk
from tests.services.studio.test_imports import exported, zipped
from tests.services.studio.test_publishing import add_widget, frozen, head, imported, missing


async def renamed(desk: Desk, one: Entity, name: str) -> RenameOutcome:
    command = RenameEntity(
        workspace_id=desk.workspace_id,
        app_id=one.app_id,
        entity_id=one.entity_id,
        expected_version=one.entity_version,
        name=name,
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, RenameOutcome)
    return answer


async def test_who_misses_a_name_may_be_renamed(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    (old,) = [one for one in await desk.entities(app.app_id) if one.name == "Old"]
    outcome = await renamed(desk, old, "Orders9")

    answer = await frozen(desk, app.app_id, outcome.revision_id)

    assert [(one.name, one.missing) for one in answer.warnings] == [("Orders9", "gone")]


async def test_the_last_import_counts_and_a_restore_brings_the_first_ones_back(
    desk: Desk,
) -> None:
    first = await imported(desk, "SELECT {{ gone.text }}")
    second = await imported(desk, "SELECT 1", first.app_id)
    again = await add_widget(desk, first.app_id, "Again", text="{{ gone.text }}")
    restore = RestoreRevision(
        workspace_id=desk.workspace_id, app_id=first.app_id, revision_id=first.revision_id
    )

    clean = await frozen(desk, first.app_id, second.revision_id)
    with pytest.raises(Rejected):
        await frozen(desk, first.app_id, again.revision_id)
    await desk.studio.send(restore)
    back = await frozen(desk, first.app_id, await head(desk, first.app_id))

    assert (missing(clean), missing(back)) == ([], ["gone"])


async def test_who_imports_the_app_as_it_is_says_that_it_is_meant_so(desk: Desk) -> None:
    app = await desk.app()
    worse = await add_widget(desk, app.app_id, "Label", text="{{ gone.text }}")
    whole = zipped(await exported(desk, app.app_id))

    with pytest.raises(Rejected):
        await frozen(desk, app.app_id, worse.revision_id)
    meant = await desk.imported(whole, app.app_id)
    again = await desk.imported(whole, app.app_id)

    assert again.revision_id == meant.revision_id
    assert missing(await frozen(desk, app.app_id, meant.revision_id)) == ["gone"]


async def test_a_merge_may_have_what_either_side_was_imported_with(desk: Desk) -> None:
    first = await imported(desk, "SELECT {{ gone.text }}")
    mine = await add_widget(desk, first.app_id, "Mine", text="{{ gone.text }}")
    theirs = await imported(desk, "SELECT 1", first.app_id)
    merge = MergeRevisions(
        workspace_id=desk.workspace_id,
        app_id=first.app_id,
        revision_base=first.revision_id,
        revision_theirs=mine.revision_id,
        expected_head_revision_id=theirs.revision_id,
    )

    merged = await desk.studio.send(merge)

    assert isinstance(merged, MergeOutcome)
    answer = await frozen(desk, first.app_id, merged.revision_id)
    assert [(one.name, one.missing) for one in answer.warnings] == [("Mine", "gone")]


async def test_a_page_that_was_imported_so_may_be_renamed(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    (home,) = await desk.entities(app.app_id, EntityKind.PAGE)
    outcome = await renamed(desk, home, "Start")

    answer = await frozen(desk, app.app_id, outcome.revision_id)

    assert [(one.page, one.missing) for one in answer.warnings] == [("Start", "gone")]


async def test_a_new_page_under_the_name_of_an_imported_one_has_its_own_problems(
    desk: Desk,
) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    (page,) = await desk.entities(app.app_id, EntityKind.PAGE)
    await renamed(desk, page, "Start")
    add = AddEntity(
        workspace_id=desk.workspace_id, app_id=app.app_id, kind=EntityKind.PAGE, name=page.name
    )
    await desk.studio.send(add)
    again = await add_widget(desk, app.app_id, "Again", text="{{ gone.text }}")

    with pytest.raises(Rejected) as refused:
        await frozen(desk, app.app_id, again.revision_id)

    rejection = refused.value.rejection
    assert isinstance(rejection, AppNotPublishable)
    assert [(one.page, one.missing) for one in rejection.problems] == [(page.name, "gone")]


async def test_a_copy_of_a_page_that_was_imported_so_may_be_published(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    (home,) = await desk.entities(app.app_id, EntityKind.PAGE)
    command = DuplicateEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=home.entity_id,
        expected_version=home.entity_version,
        name="Second",
    )
    copied = await desk.studio.send(command)
    assert isinstance(copied, EntityDuplicated)

    answer = await frozen(desk, app.app_id, copied.revision_id)

    assert [(one.page, one.missing) for one in answer.warnings] == [
        ("Home", "gone"),
        ("Second", "gone"),
    ]


async def test_what_misses_a_name_may_be_moved_but_may_not_leave_its_names(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }} + {{ Other.data }}")
    page = AddEntity(
        workspace_id=desk.workspace_id, app_id=app.app_id, kind=EntityKind.PAGE, name="Second"
    )
    await desk.studio.send(page)
    (old,) = [one for one in await desk.entities(app.app_id) if one.name == "Old"]
    command = MoveEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=old.entity_id,
        expected_version=old.entity_version,
        page="Second",
        breaking=True,
    )
    moved = await desk.studio.send(command)
    assert isinstance(moved, MoveOutcome)

    with pytest.raises(Rejected) as refusal:
        await frozen(desk, app.app_id, moved.revision_id)

    assert isinstance(refusal.value.rejection, AppNotPublishable)
    assert missing(refusal.value.rejection) == ["Other"]
