"""Imports: begun at once, worked off outside any transaction, ended by a command to oneself."""

from chassis.clock import Clock, new_id
from chassis.context import Context
from chassis.errors import Rejected
from chassis.work import Operations
from contracts.operation import Operation
from contracts.studio.app import (
    AppImported,
    AppUnknown,
    FinishImport,
    ImportApp,
    RevisionUnknown,
)
from services.studio.model import (
    Adopted,
    App,
    Apps,
    Drafts,
    Revisions,
    app_of,
    new_app,
)
from services.studio.model.past import Past
from services.studio.model.shelf import Shelves, shelf_of

BASE_DIGEST = "base_digest"
"""Beside the command's fields in the work's input: the content of `base_revision_id`."""


async def import_app(
    command: ImportApp, apps: Apps, shelves: Shelves, revisions: Revisions, operations: Operations
) -> Operation:
    """Refuse what can be refused now; the rest is the worker's (services/studio/work.py)."""
    app = await apps.get(command.app_id)
    if app is None:
        shelf = await shelf_of(shelves, command.workspace_id)
        shelf.put(command.app_id)  # only to ask: nothing is saved before there is an app
    else:
        (await app_of(apps, command.workspace_id, command.app_id)).demand_editable()
    return operations.begin(
        operation_id=command.operation_id,
        kind="import_app",
        workspace_id=command.workspace_id,
        subject_id=str(command.app_id),
        input={**command.model_dump(mode="json"), BASE_DIGEST: await _base(command, revisions)},
    )


async def _base(command: ImportApp, revisions: Revisions) -> str:
    """The digest of what the archive is a change of; empty when it is whole."""
    if command.base_revision_id is None:
        return ""
    revision = await revisions.get(command.base_revision_id)
    mine = (command.workspace_id, command.app_id)
    if revision is None or (revision.workspace_id, revision.app_id) != mine:
        unknown = RevisionUnknown(app_id=command.app_id, revision_id=command.base_revision_id)
        raise Rejected(unknown)
    return revision.digest


async def finish_import(
    command: FinishImport,
    apps: Apps,
    shelves: Shelves,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> AppImported:
    """Make the written content the head. With the same content there is no new revision, unless
    it is a commit of a history: some change nothing, and they are part of it all the same."""
    app = await apps.get(command.app_id)
    if app is not None and app.workspace_id != command.workspace_id:
        raise Rejected(AppUnknown(app_id=command.app_id))
    if app is not None:
        app.demand_editable()
    if app is not None and await _is_head(command, app, revisions):
        return _imported(command, app, None)
    adopted = await drafts.adopt(app, command.app_id, command.workspace_id, command.digest)
    actor, past = context.actor_id, Past([command.digest])
    if app is None:
        shelf = await shelf_of(shelves, command.workspace_id)
        shelf.put(command.app_id)
        shelves.save(shelf)
        app, revision = new_app(
            command, command.app_name, adopted.content, new_id(), actor, clock.now(), past
        )
    else:
        revision = app.advance(new_id(), adopted.content, "import", actor, clock.now(), past)
    revision.credit(command)
    revisions.save(revision)
    apps.save(app)
    return _imported(command, app, adopted)


async def _is_head(command: FinishImport, app: App, revisions: Revisions) -> bool:
    """A commit is told by its name too: the one before it may have the same content. What was made
    here and is imported now counts as imported from now on."""
    if command.authored_at is None or app.head_digest != command.digest:
        return app.head_digest == command.digest and command.digest in app.made_of.imports
    head = await revisions.get(app.head_revision_id)
    return head is not None and bool(command.commit) and head.commit == command.commit


def _imported(command: FinishImport, app: App, adopted: Adopted | None) -> AppImported:
    return AppImported(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        app_name=app.app_name,
        revision_id=app.head_revision_id,
        format_version=command.format_version,
        files=command.files,
        counts=app.counts,
        entities_added=adopted.added if adopted else 0,
        entities_changed=adopted.changed if adopted else 0,
        entities_removed=adopted.removed if adopted else 0,
    )


HANDLERS = (import_app, finish_import)
