"""Publishing refuses what is wrong, unless an import brought it: on real stores."""

import json
from typing import Any
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.base import Message
from contracts.studio.app import (
    PROBLEMS_MAX,
    AddEntity,
    AppImported,
    AppNotPublishable,
    EntityAdded,
    EntityKind,
    FindingRule,
    FreezeRevision,
    RemoveEntity,
    RevisionFrozen,
    Severity,
    ValidateApp,
)
from services.studio.appsmith import new_app
from services.studio.views.references import validate_app
from tests.services.studio.desk import Desk
from tests.services.studio.test_imports import zipped


def an_app(body: str) -> dict[str, bytes]:
    """A starter app with a query that has this body, and another one."""
    files = dict(new_app("Shop").files)
    for name, text in (("Old", body), ("Other", "SELECT 1")):
        action = {"name": name, "pluginType": "DB", "actionConfiguration": {"body": text}}
        folder = f"pages/Home/queries/{name}"
        files[f"{folder}/{name}.txt"] = text.encode()
        files[f"{folder}/metadata.json"] = json.dumps({"unpublishedAction": action}).encode()
    return files


async def imported(desk: Desk, body: str, app_id: UUID | None = None) -> AppImported:
    return await desk.imported(zipped(an_app(body)), app_id or new_id())


async def add_widget(desk: Desk, app_id: UUID, name: str, **source: Any) -> EntityAdded:
    command = AddEntity(
        workspace_id=desk.workspace_id,
        app_id=app_id,
        kind=EntityKind.WIDGET,
        page="Home",
        name=name,
        source={"type": "TEXT_WIDGET", **source},
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, EntityAdded)
    return answer


async def frozen(desk: Desk, app_id: UUID, revision_id: UUID | None) -> RevisionFrozen:
    """Raises Rejected."""
    assert revision_id is not None
    command = FreezeRevision(
        workspace_id=desk.workspace_id,
        app_id=app_id,
        revision_id=revision_id,
        release_id=new_id(),
    )
    answer = await desk.studio.send(command)
    assert isinstance(answer, RevisionFrozen)
    return answer


async def refused(desk: Desk, app_id: UUID, revision_id: UUID | None) -> AppNotPublishable:
    with pytest.raises(Rejected) as refusal:
        await frozen(desk, app_id, revision_id)
    rejection = refusal.value.rejection
    assert isinstance(rejection, AppNotPublishable)
    assert await freezes(desk, app_id) == {}
    return rejection


async def freezes(desk: Desk, app_id: UUID) -> dict[str, str]:
    state = await desk.database.fetchval("SELECT state FROM app WHERE id = $1", app_id)
    return dict(state["freezes"])


def missing(found: AppNotPublishable | RevisionFrozen) -> list[str]:
    listed = found.problems if isinstance(found, AppNotPublishable) else found.warnings
    return [one.missing for one in listed]


async def test_a_name_that_nothing_has_is_refused_with_its_place(desk: Desk) -> None:
    app = await desk.app()
    await add_widget(desk, app.app_id, "Total", text="1")
    user = await add_widget(desk, app.app_id, "Label", text="Sum: {{ Totl.text }}")

    found = await refused(desk, app.app_id, user.revision_id)

    (problem,) = found.problems
    assert (problem.rule, problem.name, problem.page) == (FindingRule.MISSING, "Label", "Home")
    assert (problem.missing, problem.meant) == ("Totl", "Total")
    assert problem.place is not None
    assert (problem.place.path, problem.place.start, problem.place.end) == ("text", 8, 12)
    assert found.problems_count == 1
    assert found.reason.startswith("1 problem")
    assert "studio.RevisionFrozen.v1" not in [name for name, _ in await desk.studio.facts()]


async def test_values_that_wait_for_one_another_are_refused(desk: Desk) -> None:
    app = await desk.app()
    await add_widget(desk, app.app_id, "A", text="{{ B.text }}")
    second = await add_widget(desk, app.app_id, "B", text="{{ A.text }}")

    found = await refused(desk, app.app_id, second.revision_id)

    (problem,) = found.problems
    assert [(one.name, one.path) for one in problem.cycle] == [("A", "text"), ("B", "text")]


async def test_what_is_mended_is_published_and_the_broken_revision_still_is_not(
    desk: Desk,
) -> None:
    app = await desk.app()
    user = await add_widget(desk, app.app_id, "Label", text="{{ Total.text }}")
    mended = await add_widget(desk, app.app_id, "Total", text="1")

    answer = await frozen(desk, app.app_id, mended.revision_id)

    assert (answer.warnings, answer.warnings_count) == ([], 0)
    with pytest.raises(Rejected):
        await frozen(desk, app.app_id, user.revision_id)


async def test_code_that_is_no_javascript_is_kept_and_published(desk: Desk) -> None:
    app = await desk.app()
    broken = await add_widget(desk, app.app_id, "Label", text="{{ 1 + }}")

    assert (await frozen(desk, app.app_id, broken.revision_id)).warnings == []


async def test_what_an_import_brought_is_published_with_a_warning(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")

    answer = await frozen(desk, app.app_id, app.revision_id)

    (warning,) = answer.warnings
    assert (warning.name, warning.missing, answer.warnings_count) == ("Old", "gone", 1)


async def test_what_was_added_since_is_refused_and_nothing_else_is_listed(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    fine = await add_widget(desk, app.app_id, "Fine", text="{{ gone.text }}")
    worse = await add_widget(desk, app.app_id, "Worse", text="{{ lost.text }}")

    answer = await frozen(desk, app.app_id, fine.revision_id)
    with pytest.raises(Rejected) as refusal:
        await frozen(desk, app.app_id, worse.revision_id)

    assert missing(answer) == ["gone", "gone"]
    assert isinstance(refusal.value.rejection, AppNotPublishable)
    assert missing(refusal.value.rejection) == ["lost"]


async def test_an_entity_that_was_imported_may_not_leave_its_users_behind(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ Other.data }}")
    (other,) = [one for one in await desk.entities(app.app_id) if one.name == "Other"]
    command = RemoveEntity(
        workspace_id=desk.workspace_id,
        app_id=app.app_id,
        entity_id=other.entity_id,
        expected_version=other.entity_version,
    )
    await desk.studio.send(command)

    found = await refused(desk, app.app_id, await head(desk, app.app_id))

    assert missing(found) == ["Other"]


async def test_validation_tells_first_what_would_be_refused(desk: Desk) -> None:
    app = await imported(desk, "SELECT {{ gone.text }}")
    await add_widget(desk, app.app_id, "Worse", text="{{ lost.text }}")
    query = ValidateApp(workspace_id=desk.workspace_id, app_id=app.app_id)

    found = (await validate_app(query, desk.database, desk.graphs)).findings

    errors = [(one.missing, one.imported) for one in found if one.severity is Severity.ERROR]
    assert errors == [("lost", False), ("gone", True)]


async def test_an_app_of_before_is_warned_of_and_edits_are_judged_from_then_on(
    desk: Desk,
) -> None:
    app = await desk.app()
    old = await add_widget(desk, app.app_id, "Label", text="{{ gone.text }}")
    for table in ("app", "app_revision"):
        await desk.database.execute(f"UPDATE {table} SET state = state - 'past'")

    before = await frozen(desk, app.app_id, old.revision_id)
    edited = await add_widget(desk, app.app_id, "Fine", text="1")
    after = await frozen(desk, app.app_id, edited.revision_id)
    worse = await add_widget(desk, app.app_id, "Worse", text="{{ lost.text }}")

    assert missing(before) == missing(after) == ["gone"]
    with pytest.raises(Rejected):
        await frozen(desk, app.app_id, worse.revision_id)


async def test_of_many_problems_some_are_listed_and_all_are_counted(desk: Desk) -> None:
    app = await desk.app()
    names = " + ".join(f"missing{number}" for number in range(PROBLEMS_MAX + 7))
    many = await add_widget(desk, app.app_id, "Label", text=f"{{{{ {names} + {'x' * 2000} }}}}")

    found = await refused(desk, app.app_id, many.revision_id)

    assert (len(found.problems), found.problems_count) == (PROBLEMS_MAX, PROBLEMS_MAX + 8)
    assert max(len(one.missing) for one in found.problems) <= 301
    assert size(found) < 64 * 1024


async def test_long_cycles_of_long_names_have_room_in_a_message(desk: Desk) -> None:
    app = await desk.app()
    long = "\u53d8" * 280
    for n in range(20):
        here, there = (f"W{m % 20}_{long[:60]}" for m in (n, n + 1))
        values = {f"p{m}{long}": f"{{{{ {there}.p{m}{long} }}}}" for m in range(60)}
        last = await add_widget(desk, app.app_id, here, **values)

    found = await refused(desk, app.app_id, last.revision_id)

    assert found.problems_count == 60
    assert 5 < len(found.problems) < PROBLEMS_MAX
    assert size(found) < 500_000


async def test_what_no_database_takes_is_told_without_it(desk: Desk) -> None:
    app = await desk.app()
    hostile = {"a\0b": "{{ gone.x }}", "x" * 2000: "{{ gone.y }}"}
    widget = await add_widget(desk, app.app_id, "Label", options=hostile)

    found = await refused(desk, app.app_id, widget.revision_id)

    text = found.model_dump_json()
    assert await desk.database.fetchval("SELECT ($1::text)::jsonb->>'problems_count'", text) == "2"
    assert size(found) < 2000


def size(message: Message) -> int:
    return len(message.model_dump_json())


async def head(desk: Desk, app_id: UUID) -> UUID:
    state = await desk.database.fetchval("SELECT state FROM app WHERE id = $1", app_id)
    return UUID(state["head_revision_id"])
