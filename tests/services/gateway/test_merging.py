"""Merging and restoring revisions: ids that agree, choices, and conflicts as clients see them."""

from chassis.errors import Rejected
from contracts.studio.app import (
    EntityKind,
    HeadMoved,
    MergeChoice,
    MergeClash,
    MergeConflict,
    MergeOutcome,
    MergeRevisions,
    MergeSide,
    RestoreRevision,
    RevisionRestored,
)
from services.gateway import ids
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    REVISION,
    WORKSPACE,
    a_client,
    a_world,
    code,
    graphql,
)

REVISION_ID = ids.encode("Revision", WORKSPACE, APP, REVISION)
SIDES = {
    "revisionBase": REVISION_ID,
    "revisionTheirs": REVISION_ID,
    "expectedHeadRevisionId": REVISION_ID,
}
MERGE = """mutation($input: MergeRevisionsInput!) { mergeRevisions(input: $input) {
    __typename ... on Failure { code } ... on HeadMoved { headRevisionId }
    ... on MergeOutcome {
        revisionId conflicts { conflictId entityId path ours theirs side } } } }"""
RESTORE = """mutation($input: RestoreRevisionInput!) { restoreRevision(input: $input) {
    __typename ... on RevisionRestored { revisionId restoredRevisionId } } }"""
CONFLICT = MergeConflict(
    conflict_id="c1",
    entity_id="widget:w",
    kind=EntityKind.WIDGET,
    name="Total",
    page="Home",
    path="text",
    line=0,
    clash=MergeClash.CHANGED,
    base='"a"',
    ours='"b"',
    theirs=None,
    cut=False,
    side=MergeSide.THEIRS,
)
OUTCOME = MergeOutcome(
    app_id=APP,
    revision_id=None,
    conflicts=[CONFLICT],
    more=False,
    entities_added=0,
    entities_changed=1,
    entities_removed=0,
)


async def test_a_dry_merge_shows_its_conflicts_and_takes_choices() -> None:
    world, fake = a_world({MergeRevisions: OUTCOME})
    choices = [{"conflictId": "c1", "side": "THEIRS"}]

    async with a_client(world) as client:
        given = {**SIDES, "choices": choices, "dryRun": True}
        result = await graphql(client, MERGE, input=given)

    expected = {
        "conflictId": "c1",
        "entityId": ids.encode("Entity", WORKSPACE, APP, "widget:w"),
        "path": "text",
        "ours": '"b"',
        "theirs": None,
        "side": "THEIRS",
    }
    answer = result["data"]["mergeRevisions"]
    assert (answer["revisionId"], answer["conflicts"]) == (None, [expected])
    command, _ = fake.sent[0]
    assert command == MergeRevisions(
        workspace_id=WORKSPACE,
        app_id=APP,
        revision_base=REVISION,
        revision_theirs=REVISION,
        expected_head_revision_id=REVISION,
        choices=[MergeChoice(conflict_id="c1", side=MergeSide.THEIRS)],
        dry_run=True,
    )


async def test_a_head_that_moved_is_a_refusal_that_names_it() -> None:
    moved = HeadMoved(app_id=APP, expected_head_revision_id=REVISION, head_revision_id=REVISION)
    world, _ = a_world({MergeRevisions: Rejected(moved)})

    async with a_client(world) as client:
        result = await graphql(client, MERGE, input=SIDES)

    answer = result["data"]["mergeRevisions"]
    assert answer == {
        "__typename": "HeadMoved",
        "code": "HEAD_MOVED",
        "headRevisionId": REVISION_ID,
    }


async def test_revisions_of_two_apps_are_not_merged() -> None:
    world, fake = a_world({MergeRevisions: OUTCOME})
    other = ids.encode("Revision", OTHER_WORKSPACE, APP, REVISION)

    async with a_client(world) as client:
        result = await graphql(client, MERGE, input={**SIDES, "revisionTheirs": other})

    assert code(result) == "BAD_INPUT"
    assert fake.sent == []


async def test_a_revision_is_restored_by_its_id_alone() -> None:
    restored = RevisionRestored(
        workspace_id=WORKSPACE,
        app_id=APP,
        revision_id=REVISION,
        restored_revision_id=REVISION,
        entities_added=0,
        entities_changed=0,
        entities_removed=0,
    )
    world, fake = a_world({RestoreRevision: restored})

    async with a_client(world) as client:
        result = await graphql(client, RESTORE, input={"revisionId": REVISION_ID})

    answer = result["data"]["restoreRevision"]
    assert answer["restoredRevisionId"] == REVISION_ID
    command, _ = fake.sent[0]
    assert command == RestoreRevision(workspace_id=WORKSPACE, app_id=APP, revision_id=REVISION)
