"""Apps come, change their name, go to the archive and end."""

from uuid import UUID

from chassis.clock import Clock, new_id
from chassis.context import Context
from chassis.errors import Rejected
from contracts.billing.account import EntitlementsChanged
from contracts.studio.app import (
    AppArchived,
    AppCreated,
    AppDeleted,
    AppRenamed,
    AppRestored,
    AppUnknown,
    ArchiveApp,
    CreateApp,
    CreateStarterApp,
    DeleteApp,
    DiscardStarterApp,
    RenameApp,
    RestoreApp,
)
from services.studio.model import (
    ACTIVE,
    ARCHIVED,
    App,
    Apps,
    Drafts,
    Revisions,
    app_of,
    new_app,
)
from services.studio.model.shelf import Shelves, shelf_of

STARTER_NAME = "My first app"


async def create_app(
    command: CreateApp,
    apps: Apps,
    shelves: Shelves,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> AppCreated:
    """An app with one starter page."""
    app = await apps.get(command.app_id)
    if app is None:
        shelf = await shelf_of(shelves, command.workspace_id)
        shelf.put(command.app_id)
        shelves.save(shelf)
        content = await drafts.start(command.app_id, command.workspace_id, command.app_name)
        app, first = new_app(
            command, command.app_name, content, new_id(), context.actor_id, clock.now()
        )
        revisions.save(first)
        apps.save(app)
    elif app.workspace_id != command.workspace_id:
        raise Rejected(AppUnknown(app_id=command.app_id))
    return _created(app)


async def create_starter_app(
    command: CreateStarterApp,
    apps: Apps,
    shelves: Shelves,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> AppCreated:
    """The first app of a workspace, under a name of ours."""
    create = CreateApp(
        workspace_id=command.workspace_id, app_id=command.app_id, app_name=STARTER_NAME
    )
    return await create_app(create, apps, shelves, drafts, revisions, clock, context)


async def discard_starter_app(
    command: DiscardStarterApp, apps: Apps, shelves: Shelves, drafts: Drafts
) -> AppDeleted:
    """Undo it, if there is anything to undo."""
    await _drop(command.workspace_id, command.app_id, apps, shelves, drafts)
    return AppDeleted(workspace_id=command.workspace_id, app_id=command.app_id)


async def rename_app(command: RenameApp, apps: Apps, clock: Clock) -> AppRenamed:
    """Another name; the content stays."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    if app.app_name != command.app_name:
        app.app_name, app.updated_at = command.app_name, clock.now()
        apps.save(app)
    return AppRenamed(workspace_id=app.workspace_id, app_id=app.app_id, app_name=app.app_name)


async def archive_app(command: ArchiveApp, apps: Apps, clock: Clock) -> AppArchived:
    """Out of the way, with everything kept."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    if app.state != ARCHIVED:
        app.state, app.updated_at = ARCHIVED, clock.now()
        apps.save(app)
    return AppArchived(workspace_id=app.workspace_id, app_id=app.app_id)


async def restore_app(command: RestoreApp, apps: Apps, clock: Clock) -> AppRestored:
    """Back from the archive."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_archived()
    app.state, app.updated_at = ACTIVE, clock.now()
    apps.save(app)
    return AppRestored(workspace_id=app.workspace_id, app_id=app.app_id)


async def delete_app(
    command: DeleteApp, apps: Apps, shelves: Shelves, drafts: Drafts
) -> AppDeleted:
    """For good, and only from the archive."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_archived()
    await _drop(command.workspace_id, command.app_id, apps, shelves, drafts)
    return AppDeleted(workspace_id=command.workspace_id, app_id=command.app_id)


async def apply_entitlements(event: EntitlementsChanged, shelves: Shelves) -> None:
    """Remember how many apps the workspace's plan allows."""
    shelf = await shelf_of(shelves, event.workspace_id)
    shelf.entitle(event.apps_max, event.hold_id)
    shelves.save(shelf)


async def _drop(
    workspace_id: UUID, app_id: UUID, apps: Apps, shelves: Shelves, drafts: Drafts
) -> None:
    app = await apps.get(app_id)
    if app is None or app.workspace_id != workspace_id:
        return
    shelf = await shelf_of(shelves, workspace_id)
    if shelf.take(app_id):
        shelves.save(shelf)
    drafts.drop(app_id)
    apps.delete(app)


def _created(app: App) -> AppCreated:
    return AppCreated(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        app_name=app.app_name,
        revision_id=app.head_revision_id,
    )


HANDLERS = (
    create_app,
    create_starter_app,
    discard_starter_app,
    rename_app,
    archive_app,
    restore_app,
    delete_app,
    apply_entitlements,
)
