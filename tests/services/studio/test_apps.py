"""Apps and edits on real stores: versions, revisions, limits, races."""

import asyncio
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    AddEntity,
    AppIsArchived,
    AppLimitReached,
    AppNotArchived,
    AppUnknown,
    ArchiveApp,
    ChangeEntity,
    DeleteApp,
    DiffRevisions,
    EntityAdded,
    EntityChanged,
    EntityKind,
    EntityNameTaken,
    EntityUnknown,
    ListRevisions,
    PropertyDifference,
    RemoveEntity,
    RestoreApp,
    VersionConflict,
)
from services.studio.views.queries import diff_revisions, list_revisions
from tests.services.studio.desk import Desk


async def a_widget(desk: Desk, app_id: UUID, name: str = "Total") -> EntityAdded:
    """A text widget on the starter page."""
    command = AddEntity(
        workspace_id=desk.workspace_id,
        app_id=app_id,
        kind=EntityKind.WIDGET,
        page="Home",
        name=name,
        source={"type": "TEXT_WIDGET", "text": "0"},
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, EntityAdded)
    return answer


def a_change(desk: Desk, widget: EntityAdded, version: int, text: str) -> ChangeEntity:
    """Another text for a widget."""
    return ChangeEntity(
        workspace_id=desk.workspace_id,
        app_id=widget.app_id,
        entity_id=widget.entity_id,
        expected_version=version,
        source={
            "type": "TEXT_WIDGET",
            "text": text,
            "widgetName": widget.name,
            "widgetId": "kept-by-studio",
        },
    )


async def test_a_change_is_a_new_revision_with_the_entity_one_version_on(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    source = (await desk.entity(app.app_id, widget.entity_id)).source
    assert source is not None

    command = a_change(desk, widget, 1, "42")
    changed = await desk.studio.send(
        command.model_copy(update={"source": {**source, "text": "42"}})
    )

    assert isinstance(changed, EntityChanged)
    assert changed.entity_version == 2
    entity = await desk.entity(app.app_id, widget.entity_id)
    assert entity.source is not None
    assert entity.source["text"] == "42"
    history = await list_revisions(
        ListRevisions(workspace_id=desk.workspace_id, app_id=app.app_id), desk.database
    )
    assert [one.number for one in history.revisions] == [3, 2, 1]
    assert history.revisions[0].revision_id == changed.revision_id


async def test_a_stale_version_is_refused_and_changes_nothing(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)

    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(a_change(desk, widget, 7, "42"))

    conflict = VersionConflict(entity_id=widget.entity_id, expected_version=7, current_version=1)
    assert refusal.value.rejection == conflict


async def test_of_two_edits_of_one_entity_at_once_one_is_refused(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    source = (await desk.entity(app.app_id, widget.entity_id)).source or {}
    edits = [
        a_change(desk, widget, 1, "").model_copy(update={"source": {**source, "text": text}})
        for text in ("left", "right")
    ]

    answers = await desk.studio.race(*edits)

    assert sorted(type(answer).__name__ for answer in answers) == ["EntityChanged", "Rejected"]


async def test_edits_of_two_entities_at_once_both_succeed(desk: Desk) -> None:
    app = await desk.app()
    one, two = await a_widget(desk, app.app_id, "One"), await a_widget(desk, app.app_id, "Two")
    edits = []
    for widget in (one, two):
        source = (await desk.entity(app.app_id, widget.entity_id)).source or {}
        edit = a_change(desk, widget, 1, "")
        edits.append(edit.model_copy(update={"source": {**source, "text": "new"}}))

    answers = await desk.studio.race(*edits)

    assert [type(answer).__name__ for answer in answers] == ["EntityChanged", "EntityChanged"]
    for widget in (one, two):
        entity = await desk.entity(app.app_id, widget.entity_id)
        assert (entity.source or {})["text"] == "new"


async def test_the_same_source_again_is_no_new_revision(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    before = await desk.entity(app.app_id, widget.entity_id)

    edit = a_change(desk, widget, 1, "").model_copy(update={"source": before.source})
    answer = await desk.studio.send(edit)

    assert isinstance(answer, EntityChanged)
    assert (answer.entity_version, answer.revision_id) == (1, widget.revision_id)
    assert [name for name, _ in await desk.studio.facts()][-1] == "studio.EntityAdded.v1"


async def test_two_revisions_differ_by_what_was_edited(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)

    difference = await diff_revisions(
        DiffRevisions(
            workspace_id=desk.workspace_id,
            app_id=app.app_id,
            revision_before=app.revision_id,
            revision_after=widget.revision_id,
        ),
        desk.database,
        desk.contents,
    )

    (one,) = difference.differences
    assert (one.entity_id, one.change, one.digest_before) == (widget.entity_id, "added", "")


async def test_asked_in_detail_two_revisions_differ_by_property(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    source = (await desk.entity(app.app_id, widget.entity_id)).source or {}
    edit = a_change(desk, widget, 1, "").model_copy(update={"source": {**source, "text": "42"}})
    changed = await desk.studio.send(edit)
    assert isinstance(changed, EntityChanged)
    query = DiffRevisions(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        revision_before=widget.revision_id,
        revision_after=changed.revision_id,
        detailed=True,
    )

    difference = await diff_revisions(query, desk.database, desk.contents)
    none = query.model_copy(update={"entity_ids": ["widget:other"]})

    (one,) = difference.differences
    expected = PropertyDifference(path="text", change="changed", before='"0"', after='"42"')
    assert (one.properties, one.lines, one.more) == ([expected], [], False)
    assert (await diff_revisions(none, desk.database, desk.contents)).differences == []


async def test_a_removed_entity_is_gone_and_its_name_is_free(desk: Desk) -> None:
    app = await desk.app()
    widget = await a_widget(desk, app.app_id)
    with pytest.raises(Rejected) as refusal:
        await a_widget(desk, app.app_id)
    assert isinstance(refusal.value.rejection, EntityNameTaken)

    remove = RemoveEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=widget.entity_id,
        expected_version=1,
    )
    removed = await desk.studio.send(remove)

    assert (removed.name, removed.entity_ids) == (widget.name, [widget.entity_id])
    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(remove)
    assert isinstance(refusal.value.rejection, EntityUnknown)
    await a_widget(desk, app.app_id)


async def test_the_plan_limits_the_apps_also_in_a_race(desk: Desk) -> None:
    await asyncio.gather(*(desk.app() for _ in range(3)))  # with the starter app: 4 of 5

    answers = await asyncio.gather(*(desk.app() for _ in range(3)), return_exceptions=True)

    refused = [answer.rejection for answer in answers if isinstance(answer, Rejected)]
    assert refused == 2 * [AppLimitReached(workspace_id=desk.workspace_id, apps_max=5)]


async def test_an_archived_app_refuses_edits_until_it_is_restored(desk: Desk) -> None:
    app = await desk.app()
    await desk.studio.send(ArchiveApp(workspace_id=desk.workspace_id, app_id=app.app_id))

    with pytest.raises(Rejected) as refusal:
        await a_widget(desk, app.app_id)

    assert refusal.value.rejection == AppIsArchived(app_id=app.app_id)
    await desk.studio.send(RestoreApp(workspace_id=desk.workspace_id, app_id=app.app_id))
    await a_widget(desk, app.app_id)


async def test_only_an_archived_app_is_deleted_and_then_nothing_of_it_is_listed(
    desk: Desk,
) -> None:
    app = await desk.app()
    delete = DeleteApp(workspace_id=desk.workspace_id, app_id=app.app_id)
    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(delete)
    assert refusal.value.rejection == AppNotArchived(app_id=app.app_id)

    await desk.studio.send(ArchiveApp(workspace_id=desk.workspace_id, app_id=app.app_id))
    await desk.studio.send(delete)

    assert await desk.entities(app.app_id) == []
    with pytest.raises(Rejected) as refusal:
        await a_widget(desk, app.app_id)
    assert refusal.value.rejection == AppUnknown(app_id=app.app_id)


async def test_another_workspace_sees_and_touches_nothing(desk: Desk) -> None:
    app = await desk.app()
    stranger = ArchiveApp(workspace_id=new_id(), app_id=app.app_id)

    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(stranger)

    assert refusal.value.rejection == AppUnknown(app_id=app.app_id)
