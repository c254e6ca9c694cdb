"""Entities moved, duplicated and deleted on real stores: one revision and one event each."""

import json
from typing import Any

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.base import Message
from contracts.studio.app import (
    AddEntity,
    AppCreated,
    BreakKind,
    DeleteEntity,
    DeleteOutcome,
    DuplicateEntity,
    EntityAdded,
    EntityDuplicated,
    EntityInUse,
    EntityKind,
    EntityNameTaken,
    EntityUnknown,
    MoveEntity,
    MoveOutcome,
    RenameEntity,
    SourceInvalid,
    VersionConflict,
)
from tests.services.studio.desk import Desk
from tests.services.studio.test_hostile import a_page
from tests.services.studio.test_imports import zipped
from tests.services.studio.test_references import added, findings
from tests.services.studio.test_renames import digest

BOX = {"type": "CONTAINER_WIDGET", "children": [{"widgetId": "c1", "type": "CANVAS_WIDGET"}]}


async def asked(desk: Desk, contract: type[Message], app: AppCreated, **fields: Any) -> Any:
    """What studio answers. Raises Rejected."""
    fields = {"expected_version": 1, **fields}
    command = contract(workspace_id=desk.workspace_id, app_id=app.app_id, **fields)
    return await desk.studio.send(command)  # type: ignore[arg-type]  # a command, all of them


async def last_fact(desk: Desk) -> tuple[str, dict[str, Any]]:
    """The newest event."""
    row = await desk.database.fetchrow("SELECT type, payload FROM outbox ORDER BY seq DESC LIMIT 1")
    assert row is not None
    return row["type"], json.loads(row["payload"])


async def a_box(desk: Desk, app: AppCreated) -> tuple[EntityAdded, EntityAdded, EntityAdded]:
    """A container with a text in it, that uses a query and itself; and the query."""
    query = await added(desk, app, EntityKind.QUERY, "fetchAll", "SELECT 1")
    box = await added(desk, app, EntityKind.WIDGET, "Box", **BOX)
    inner = await asked(
        desk,
        AddEntity,
        app,
        kind=EntityKind.WIDGET,
        page="Home",
        parent_id=box.entity_id,
        name="Inner",
        source={"type": "TEXT_WIDGET", "text": "{{ fetchAll.data + Inner.isVisible }}"},
    )
    return box, inner, query


class TestDuplicateEntity:
    async def test_copies_all_that_is_inside_and_code_means_the_copy(self, desk: Desk) -> None:
        app = await desk.app()
        box, _, _ = await a_box(desk, app)
        facts = len(await desk.studio.facts())

        copied = await asked(desk, DuplicateEntity, app, entity_id=box.entity_id)

        assert isinstance(copied, EntityDuplicated)
        assert (copied.name, copied.original_entity_id) == ("BoxCopy", box.entity_id)
        copies = [await desk.entity(app.app_id, one) for one in copied.entity_ids]
        assert [one.name for one in copies] == ["BoxCopy", "InnerCopy"]
        assert (copies[1].source or {})["text"] == "{{ fetchAll.data + InnerCopy.isVisible }}"
        assert copies[1].parent_id == copied.entity_id
        assert await findings(desk, app) == []
        kind, fact = await last_fact(desk)
        assert len(await desk.studio.facts()) == facts + 1
        assert kind == "studio.EntityDuplicated.v1"
        assert fact["entity_ids"] == copied.entity_ids

    async def test_takes_a_name_and_refuses_one_that_is_taken(self, desk: Desk) -> None:
        app = await desk.app()
        box, _, query = await a_box(desk, app)

        copied = await asked(desk, DuplicateEntity, app, entity_id=box.entity_id, name="Second")
        with pytest.raises(Rejected) as taken:
            await asked(desk, DuplicateEntity, app, entity_id=query.entity_id, name="Second")

        assert copied.name == "Second"
        assert isinstance(taken.value.rejection, EntityNameTaken)

    async def test_a_copy_deleted_again_leaves_no_trace(self, desk: Desk) -> None:
        app = await desk.app()
        box, _, query = await a_box(desk, app)
        page = next(one for one in await desk.entities(app.app_id, EntityKind.PAGE))
        before = await digest(desk, app)

        for entity_id in (box.entity_id, query.entity_id, page.entity_id):
            version = (await desk.entity(app.app_id, entity_id)).entity_version
            copied = await asked(
                desk, DuplicateEntity, app, entity_id=entity_id, expected_version=version
            )
            between = await digest(desk, app)
            await asked(desk, DeleteEntity, app, entity_id=copied.entity_id, breaking=True)

            assert between != before
            assert await digest(desk, app) == before


class TestMoveEntity:
    async def test_within_a_page_nothing_breaks_and_back_is_as_before(self, desk: Desk) -> None:
        app = await desk.app()
        _, inner, _ = await a_box(desk, app)
        before, facts = await digest(desk, app), len(await desk.studio.facts())

        out = await asked(desk, MoveEntity, app, entity_id=inner.entity_id)
        there = await desk.entity(app.app_id, out.entity_id)
        kind, fact = await last_fact(desk)
        (box,) = [e for e in await desk.entities(app.app_id) if e.name == "Box"]
        again = {"entity_id": out.entity_id, "container_id": box.entity_id}
        back = await asked(desk, MoveEntity, app, **again)

        assert isinstance(out, MoveOutcome)
        assert (out.breaks, there.parent_id) == ([], "")
        assert kind == "studio.EntityMoved.v1"
        assert (fact["entity_id"], fact["previous_entity_id"]) == (out.entity_id, inner.entity_id)
        assert len(await desk.studio.facts()) == facts + 2
        assert back.entity_id == inner.entity_id
        assert await digest(desk, app) == before

    async def test_to_another_page_tells_what_breaks_and_asks_first(self, desk: Desk) -> None:
        app = await desk.app()
        _, inner, query = await a_box(desk, app)
        page = await added(desk, app, EntityKind.PAGE, "Other", page="")
        await added(desk, app, EntityKind.WIDGET, "Inner", page="Other", text="x")
        before = await digest(desk, app)

        dry = await asked(
            desk, MoveEntity, app, entity_id=query.entity_id, page=page.name, dry_run=True
        )
        with pytest.raises(Rejected) as used:
            await asked(desk, MoveEntity, app, entity_id=query.entity_id, page=page.name)
        with pytest.raises(Rejected) as taken:
            await asked(desk, MoveEntity, app, entity_id=inner.entity_id, page=page.name)
        untouched = await digest(desk, app)
        done = await asked(
            desk, MoveEntity, app, entity_id=query.entity_id, page=page.name, breaking=True
        )

        (place,) = dry.breaks
        assert (place.kind, place.entity_id) == (BreakKind.DANGLING, inner.entity_id)
        assert (place.name, place.path, place.start, place.end) == ("fetchAll", "text", 3, 11)
        refused = used.value.rejection
        assert isinstance(refused, EntityInUse)
        assert (refused.breaks, refused.more) == (dry.breaks, False)
        assert isinstance(taken.value.rejection, EntityNameTaken)
        assert taken.value.rejection.name == "Inner"
        assert untouched == before
        assert done.entity_id == "query:pages/Other/queries/fetchAll"
        assert [(f.missing, f.page) for f in await findings(desk, app) if f.missing] == [
            ("fetchAll", "Home")
        ]

    async def test_to_where_it_is_makes_no_revision(self, desk: Desk) -> None:
        app = await desk.app()
        box, _, _ = await a_box(desk, app)
        facts = len(await desk.studio.facts())

        outcome = await asked(desk, MoveEntity, app, entity_id=box.entity_id)

        assert (outcome.entity_id, outcome.entity_version) == (box.entity_id, 1)
        assert len(await desk.studio.facts()) == facts

    async def test_not_into_itself_and_not_of_an_old_version(self, desk: Desk) -> None:
        app = await desk.app()
        box, _, _ = await a_box(desk, app)
        into = {"entity_id": box.entity_id, "container_id": box.entity_id}

        with pytest.raises(Rejected) as inside:
            await asked(desk, MoveEntity, app, **into)
        with pytest.raises(Rejected) as old:
            await asked(desk, MoveEntity, app, entity_id=box.entity_id, expected_version=7)
        with pytest.raises(Rejected) as nowhere:
            await asked(desk, MoveEntity, app, entity_id=box.entity_id, page="Nowhere")

        assert isinstance(inside.value.rejection, SourceInvalid)
        assert inside.value.rejection.rule.startswith("INSIDE_ITSELF")
        assert isinstance(old.value.rejection, VersionConflict)
        assert isinstance(nowhere.value.rejection, SourceInvalid)


class TestDeleteEntity:
    async def test_refuses_what_is_used_until_it_may_break(self, desk: Desk) -> None:
        app = await desk.app()
        _, inner, query = await a_box(desk, app)
        before = await digest(desk, app)

        dry = await asked(desk, DeleteEntity, app, entity_id=query.entity_id, dry_run=True)
        with pytest.raises(Rejected) as used:
            await asked(desk, DeleteEntity, app, entity_id=query.entity_id)
        untouched = await digest(desk, app)
        done = await asked(desk, DeleteEntity, app, entity_id=query.entity_id, breaking=True)

        assert isinstance(dry, DeleteOutcome)
        assert (dry.revision_id, dry.entity_ids) == (None, [query.entity_id])
        assert [(one.kind, one.entity_id) for one in dry.breaks] == [
            (BreakKind.DANGLING, inner.entity_id)
        ]
        assert isinstance(used.value.rejection, EntityInUse)
        assert untouched == before
        kind, fact = await last_fact(desk)
        assert kind == "studio.EntityRemoved.v1"
        assert (fact["entity_id"], fact["entity_ids"]) == (query.entity_id, [query.entity_id])
        assert fact["revision_id"] == str(done.revision_id)
        with pytest.raises(Rejected) as gone:
            await asked(desk, DeleteEntity, app, entity_id=query.entity_id)
        assert isinstance(gone.value.rejection, EntityUnknown)

    async def test_takes_what_is_inside_and_what_nobody_uses_without_asking(
        self, desk: Desk
    ) -> None:
        app = await desk.app()
        box, inner, _ = await a_box(desk, app)

        done = await asked(desk, DeleteEntity, app, entity_id=box.entity_id)

        assert done.entity_ids == [box.entity_id, inner.entity_id]
        assert done.breaks == []

    async def test_a_datasource_is_used_by_queries_of_all_pages(self, desk: Desk) -> None:
        app = await desk.app()
        source = await added(desk, app, EntityKind.DATASOURCE, "Stock", page="")
        await added(desk, app, EntityKind.PAGE, "Other", page="")
        action = {"unpublishedAction": {"datasource": {"name": "Stock"}}}
        query = await added(desk, app, EntityKind.QUERY, "load", page="Other", **action)

        with pytest.raises(Rejected) as used:
            await asked(desk, DeleteEntity, app, entity_id=source.entity_id)

        refused = used.value.rejection
        assert isinstance(refused, EntityInUse)
        (place,) = refused.breaks
        assert (place.kind, place.entity_id) == (BreakKind.DATASOURCE, query.entity_id)
        assert place.path == "unpublishedAction.datasource.name"

    async def test_a_page_is_used_by_who_navigates_to_it(self, desk: Desk) -> None:
        app = await desk.app()
        page = await added(desk, app, EntityKind.PAGE, "Other", page="")
        link = await added(
            desk, app, EntityKind.WIDGET, "Link", onClick="{{ navigateTo('Other') }}"
        )

        with pytest.raises(Rejected) as used:
            await asked(desk, DeleteEntity, app, entity_id=page.entity_id)

        refused = used.value.rejection
        assert isinstance(refused, EntityInUse)
        (place,) = refused.breaks
        assert (place.kind, place.entity_id) == (BreakKind.MENTION, link.entity_id)
        assert (place.path, place.start, place.name) == ("onClick", 15, "Other")


async def test_an_event_of_many_long_ids_has_room_in_a_message(desk: Desk) -> None:
    folder = "pages/Home/widgets/" + "/".join(["w" * 200] * 4)
    name, widget = "pages/Home/queries/Q", {"type": "T", "text": "{{ Q.data }}"}
    files = a_page({}) | {
        f"{folder}/A{n}.json": json.dumps({**widget, "widgetName": f"A{n}"}).encode()
        for n in range(1200)
    }
    app: Any = await desk.imported(zipped(files), new_id())
    renamed = await asked(desk, RenameEntity, app, entity_id=f"query:{name}", name="R")
    facts = [await last_fact(desk)]
    copied = await asked(desk, DuplicateEntity, app, entity_id="page:pages/Home")
    facts.append(await last_fact(desk))
    gone = await asked(desk, DeleteEntity, app, entity_id=copied.entity_id)
    facts.append(await last_fact(desk))

    assert len(renamed.changes) == 1201
    assert gone.more
    for kind, fact in facts:
        assert 300 < len(fact["entity_ids"]) < 600, kind
    assert [kind.split(".")[1] for kind, _ in facts] == [
        "EntityRenamed",
        "EntityDuplicated",
        "EntityRemoved",
    ]
