"""New heads made of revisions that there are."""

from uuid import UUID

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from contracts.base import Message
from contracts.studio.app import (
    ChoiceUnknown,
    MergeOutcome,
    MergeRevisions,
    RestoreRevision,
    RevisionRestored,
    RevisionsMerged,
    RevisionUnknown,
)
from services.studio.handlers.heads import advance_head
from services.studio.model import Adopted, App, Apps, Drafts, Revisions, app_of
from services.studio.model.merging import MergedContent, Merges
from services.studio.model.revision import Revision


async def restore_revision(
    command: RestoreRevision,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> RevisionRestored:
    """What it held is the head's again. With the same content there is no new revision."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    app.demand_head(command.expected_head_revision_id)
    restored = await revision_of(revisions, app, command.revision_id)
    if app.head_digest == restored.digest:
        return _restored(app, restored, None)
    adopted = await drafts.adopt(app, app.app_id, app.workspace_id, restored.digest)
    message = f"restore revision {restored.number}"
    past = restored.made_of
    advance_head(app, adopted.content, message, apps, revisions, clock, context, past)
    return _restored(app, restored, adopted)


async def merge_revisions(
    command: MergeRevisions,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    merges: Merges,
    clock: Clock,
    context: Context,
) -> tuple[Message, ...]:
    """The head with what another revision changed. With nothing to change it stays."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    app.demand_head(command.expected_head_revision_id)
    base = await revision_of(revisions, app, command.revision_base)
    theirs = await revision_of(revisions, app, command.revision_theirs)
    merged = await merges.merge(
        app.workspace_id,
        (base.digest, app.head_digest, theirs.digest),
        {one.conflict_id: one.side for one in command.choices},
        write=not command.dry_run,
    )
    if merged.unknown:
        raise Rejected(ChoiceUnknown(app_id=app.app_id, conflict_ids=merged.unknown))
    if command.dry_run:
        return (_outcome(app, merged, None),)
    if merged.digest == app.head_digest:
        return (_outcome(app, merged, app.head_revision_id),)
    adopted = await drafts.adopt(app, app.app_id, app.workspace_id, merged.digest)
    message = f"merge revision {theirs.number}"
    past = theirs.made_of.merged(app.made_of)
    advance_head(app, adopted.content, message, apps, revisions, clock, context, past)
    return _outcome(app, merged, app.head_revision_id), _merged(app, command, merged)


async def revision_of(revisions: Revisions, app: App, revision_id: UUID) -> Revision:
    """One of the app's revisions; Rejected when it has none of that id."""
    revision = await revisions.get(revision_id)
    if revision is None or revision.app_id != app.app_id:
        raise Rejected(RevisionUnknown(app_id=app.app_id, revision_id=revision_id))
    return revision


def _outcome(app: App, merged: MergedContent, revision_id: UUID | None) -> MergeOutcome:
    return MergeOutcome(
        app_id=app.app_id,
        revision_id=revision_id,
        conflicts=merged.conflicts,
        more=merged.more,
        entities_added=merged.added,
        entities_changed=merged.changed,
        entities_removed=merged.removed,
        dangling=merged.dangling,
    )


def _merged(app: App, command: MergeRevisions, merged: MergedContent) -> RevisionsMerged:
    return RevisionsMerged(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        revision_id=app.head_revision_id,
        revision_base=command.revision_base,
        revision_theirs=command.revision_theirs,
        conflicts=len(merged.conflicts),
        entities_added=merged.added,
        entities_changed=merged.changed,
        entities_removed=merged.removed,
    )


def _restored(app: App, restored: Revision, adopted: Adopted | None) -> RevisionRestored:
    return RevisionRestored(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        revision_id=app.head_revision_id,
        restored_revision_id=restored.revision_id,
        entities_added=adopted.added if adopted else 0,
        entities_changed=adopted.changed if adopted else 0,
        entities_removed=adopted.removed if adopted else 0,
    )


HANDLERS = (restore_revision, merge_revisions)
