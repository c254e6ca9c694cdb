"""Studio's part in publishing: freeze a revision, let go of it, mark it as released."""

from chassis.errors import Rejected
from contracts.studio.app import (
    AppNotPublishable,
    FreezeRevision,
    RevisionFrozen,
    RevisionTagged,
    RevisionUnfrozen,
    RevisionUnknown,
    TagRevision,
    UnfreezeRevision,
)
from services.studio.model import App, Apps, Revisions, app_of
from services.studio.model.releasing import Bundles, Checked, Checks


async def freeze_revision(
    command: FreezeRevision, apps: Apps, revisions: Revisions, checks: Checks, bundles: Bundles
) -> RevisionFrozen:
    """Hold a revision for a release, and write its bundle. Not with names that nothing has or with
    values that wait for one another, unless an import brought them: then it warns."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    revision = await revisions.get(command.revision_id)
    if app.freeze(command.release_id, revision, command.revision_id):
        apps.save(app)
    assert revision is not None, "freeze refuses a revision that is not there"
    checked = await checks.check(revision)
    if checked.problems_count:
        raise Rejected(_refusal(app, checked))
    frozen = await bundles.write(revision)
    return RevisionFrozen(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        revision_id=revision.revision_id,
        release_id=command.release_id,
        bundle_digest=frozen.bundle_digest,
        files=frozen.files,
        bytes=frozen.bytes,
        warnings=list(checked.warnings),
        warnings_count=checked.warnings_count,
    )


def _refusal(app: App, checked: Checked) -> AppNotPublishable:
    count = checked.problems_count
    what = "1 problem" if count == 1 else f"{count} problems"
    return AppNotPublishable(
        app_id=app.app_id,
        reason=f"{what}: names that nothing has, or values that wait for one another",
        problems=list(checked.problems),
        problems_count=count,
    )


async def unfreeze_revision(command: UnfreezeRevision, apps: Apps) -> RevisionUnfrozen:
    """Let go of it, if it is held."""
    app = await apps.get(command.app_id)
    if app and app.workspace_id == command.workspace_id and app.unfreeze(command.release_id):
        apps.save(app)
    return RevisionUnfrozen(
        workspace_id=command.workspace_id,
        app_id=command.app_id,
        revision_id=command.revision_id,
        release_id=command.release_id,
    )


async def tag_revision(command: TagRevision, apps: Apps, revisions: Revisions) -> RevisionTagged:
    """Remember that it went live. An app that was deleted meanwhile has nothing to remember."""
    app = await apps.get(command.app_id)
    revision = await revisions.get(command.revision_id)
    if revision and revision.workspace_id != command.workspace_id:
        refusal = RevisionUnknown(app_id=command.app_id, revision_id=command.revision_id)
        raise Rejected(refusal)
    if revision and revision.tag(command.environment):
        revisions.save(revision)
    if app and app.unfreeze(command.release_id):
        apps.save(app)
    return RevisionTagged(
        workspace_id=command.workspace_id,
        app_id=command.app_id,
        revision_id=command.revision_id,
        release_id=command.release_id,
        environment=command.environment,
    )


HANDLERS = (freeze_revision, unfreeze_revision, tag_revision)
