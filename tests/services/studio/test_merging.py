"""Merges of revisions on real stores: tried dry, decided, and written as a new head."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.base import Message
from contracts.studio.app import (
    ChoiceUnknown,
    DiffRevisions,
    EntityRemoved,
    HeadMoved,
    MergeChoice,
    MergeOutcome,
    MergeRevisions,
    MergeSide,
    RemoveEntity,
    RenameEntity,
    RenameOutcome,
    RestoreRevision,
    RevisionRestored,
)
from services.studio.views.queries import diff_revisions
from tests.samples.shop import shop
from tests.services.studio.desk import Desk
from tests.services.studio.test_imports import exported, zipped

BODY = "pages/Home/queries/SaveOrder/SaveOrder.txt"
OTHER = "pages/Home/jsobjects/Utils/Utils.js"
README = "README.md"
USER = "export default {\n\tsave: () => SaveOrder.run(),\n}"


@dataclass
class Fork:
    """An app of which two people changed the first revision: `ours` is the head."""

    base: UUID
    theirs: UUID
    ours: UUID
    app_id: UUID
    files: dict[str, bytes]

    def merge(self, desk: Desk, **fields: Any) -> MergeRevisions:  # the command's fields
        given = {
            "workspace_id": desk.workspace_id,
            "app_id": self.app_id,
            "revision_base": self.base,
            "revision_theirs": self.theirs,
            "expected_head_revision_id": self.ours,
            **fields,
        }
        return MergeRevisions(**given)


async def a_fork(desk: Desk, ours: dict[str, bytes], theirs: dict[str, bytes]) -> Fork:
    files = shop(5, copies=0)
    base = await desk.imported(zipped(files), new_id())
    app_id = base.app_id
    other = await desk.imported(zipped({**files, **theirs}), app_id)
    back = await desk.studio.send(
        RestoreRevision(workspace_id=desk.workspace_id, app_id=app_id, revision_id=base.revision_id)
    )
    assert isinstance(back, RevisionRestored)
    head = await desk.imported(zipped({**files, **ours}), app_id)
    return Fork(base.revision_id, other.revision_id, head.revision_id, app_id, files)


async def outcome(desk: Desk, command: MergeRevisions) -> MergeOutcome:
    answer: Message = await desk.studio.send(command)
    assert isinstance(answer, MergeOutcome)
    return answer


async def test_what_both_did_is_the_new_head(desk: Desk) -> None:
    ours, theirs = {BODY: b"SELECT 2"}, {OTHER: b"export default {}", README: b""}
    fork = await a_fork(desk, ours, theirs)

    answer = await outcome(desk, fork.merge(desk))

    assert await exported(desk, fork.app_id) == {**fork.files, **ours, **theirs}
    assert answer.conflicts == []
    assert (answer.entities_added, answer.entities_changed, answer.entities_removed) == (0, 2, 0)
    assert answer.revision_id not in (None, fork.ours)
    facts = await desk.studio.facts()
    assert [name for name, _ in facts][-1] == "studio.RevisionsMerged.v1"
    assert len(await desk.entities(fork.app_id)) == len({**fork.files}) - bodies(fork.files)


def bodies(files: dict[str, bytes]) -> int:
    """Files that are no entities of their own: each lies beside its metadata."""
    folders = {path.rpartition("/")[0] for path in files if path.endswith("/metadata.json")}
    return sum(
        path.rpartition("/")[0] in folders and path.endswith((".txt", ".js")) for path in files
    )


async def test_a_rename_of_the_head_and_an_edit_are_one_change(desk: Desk) -> None:
    fork = await a_fork(desk, {README: b"ours"}, {BODY: b"SELECT 2", OTHER: USER.encode()})
    there = await desk.entities(fork.app_id)
    (query,) = [one for one in there if (one.page, one.name) == ("Home", "SaveOrder")]
    about = {"workspace_id": desk.workspace_id, "app_id": fork.app_id}
    version = query.entity_version
    rename = RenameEntity(
        entity_id=query.entity_id, expected_version=version, name="KeepOrder", **about
    )
    renamed = await desk.studio.send(rename)
    assert isinstance(renamed, RenameOutcome)
    assert renamed.revision_id is not None
    head = {"expected_head_revision_id": renamed.revision_id}

    answer = await outcome(desk, fork.merge(desk, **head))

    assert answer.conflicts == []
    assert (answer.entities_added, answer.entities_changed, answer.entities_removed) == (0, 2, 0)
    files = await exported(desk, fork.app_id)
    assert files[BODY.replace("SaveOrder", "KeepOrder")] == b"SELECT 2"
    assert files[OTHER] == USER.replace("SaveOrder", "KeepOrder").encode()
    assert BODY not in files
    assert answer.revision_id is not None
    revisions = {"revision_before": fork.ours, "revision_after": answer.revision_id}
    compare = DiffRevisions(detailed=True, entity_ids=[query.entity_id], **revisions, **about)
    (one,) = (await diff_revisions(compare, desk.database, desk.contents)).differences
    assert (one.change, one.entity_id) == ("changed", renamed.entity_id)
    assert one.previous_entity_id == query.entity_id
    assert [x.path for x in one.properties][-1] == "unpublishedAction.name"


async def test_a_dry_run_shows_the_conflicts_and_changes_nothing(desk: Desk) -> None:
    fork = await a_fork(desk, {BODY: b"SELECT 2"}, {BODY: b"SELECT 3"})
    facts = await desk.studio.facts()

    answer = await outcome(desk, fork.merge(desk, dry_run=True))

    (one,) = answer.conflicts
    assert (one.name, one.path, one.line) == ("SaveOrder", "text", 1)
    assert (one.ours, one.theirs, one.side) == ("SELECT 2", "SELECT 3", MergeSide.OURS)
    assert answer.revision_id is None
    assert await desk.studio.facts() == facts
    assert (await exported(desk, fork.app_id))[BODY] == b"SELECT 2"


async def test_what_the_merge_left_without_owner_is_told(desk: Desk) -> None:
    fork = await a_fork(desk, {README: b"ours"}, {OTHER: USER.encode()})
    (query,) = [
        one
        for one in await desk.entities(fork.app_id)
        if (one.page, one.name) == ("Home", "SaveOrder")
    ]
    about = {"workspace_id": desk.workspace_id, "app_id": fork.app_id}
    remove = RemoveEntity(entity_id=query.entity_id, expected_version=query.entity_version, **about)
    removed = await desk.studio.send(remove)
    assert isinstance(removed, EntityRemoved)

    answer = await outcome(
        desk, fork.merge(desk, expected_head_revision_id=removed.revision_id, dry_run=True)
    )

    (one, *more) = answer.dangling
    assert (one.name, one.path, one.start) == ("SaveOrder", "", USER.index("SaveOrder"))
    assert one.entity_id.endswith("/jsobjects/Utils")
    assert more == []
    assert answer.conflicts == []


async def test_a_conflict_goes_as_it_was_chosen(desk: Desk) -> None:
    fork = await a_fork(desk, {BODY: b"SELECT 2"}, {BODY: b"SELECT 3"})
    (one,) = (await outcome(desk, fork.merge(desk, dry_run=True))).conflicts
    choice = MergeChoice(conflict_id=one.conflict_id, side=MergeSide.THEIRS)

    answer = await outcome(desk, fork.merge(desk, choices=[choice]))

    assert [c.side for c in answer.conflicts] == [MergeSide.THEIRS]
    assert (await exported(desk, fork.app_id))[BODY] == b"SELECT 3"


async def test_with_nothing_to_bring_the_head_stays(desk: Desk) -> None:
    fork = await a_fork(desk, {BODY: b"SELECT 2"}, {README: b"new"})
    facts = await desk.studio.facts()

    answer = await outcome(desk, fork.merge(desk, revision_theirs=fork.base))

    assert answer.revision_id == fork.ours
    assert await desk.studio.facts() == facts


async def test_a_moved_head_and_unknown_choices_are_refused(desk: Desk) -> None:
    fork = await a_fork(desk, {BODY: b"SELECT 2"}, {README: b"new"})
    choice = MergeChoice(conflict_id="nothing", side=MergeSide.THEIRS)

    refusals = []
    for fields in ({"expected_head_revision_id": fork.theirs}, {"choices": [choice]}):
        with pytest.raises(Rejected) as refusal:
            await desk.studio.send(fork.merge(desk, **fields))
        refusals.append(refusal.value.rejection)

    assert refusals == [
        HeadMoved(
            app_id=fork.app_id,
            expected_head_revision_id=fork.theirs,
            head_revision_id=fork.ours,
        ),
        ChoiceUnknown(app_id=fork.app_id, conflict_ids=["nothing"]),
    ]


async def test_conflicts_below_a_long_key_have_room_in_an_answer(desk: Desk) -> None:
    path, key = "pages/Home/widgets/Odd.json", "k" * 50_000
    sides = [
        {
            "widgetName": "Odd",
            "widgetId": "odd1",
            "type": "T",
            key: {f"p{n}": side for n in range(400)},
        }
        for side in ("base", "theirs", "ours")
    ]
    base, theirs, ours = [shop(5, copies=0) | {path: json.dumps(one).encode()} for one in sides]
    first = await desk.imported(zipped(base), new_id())
    other = await desk.imported(zipped(theirs), first.app_id)
    head = await desk.imported(zipped(ours), first.app_id)
    fork = Fork(first.revision_id, other.revision_id, head.revision_id, first.app_id, base)

    tried = await outcome(desk, fork.merge(desk, dry_run=True))

    assert len(tried.conflicts) == 400
    assert tried.conflicts[0].path == f"{key}.p0"
    assert len(tried.model_dump_json()) < 3_000_000
