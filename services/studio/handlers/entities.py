"""Edits of a draft, an entity at a time. Each that changes something is a new revision."""

from chassis.clock import Clock, new_id
from chassis.context import Context
from contracts.studio.app import (
    AddEntity,
    ChangeEntity,
    EntityAdded,
    EntityChanged,
    EntityRemoved,
    RemoveEntity,
)
from services.studio.model import Addition, App, Apps, Drafts, Edited, Revisions, app_of


async def add_entity(
    command: AddEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> EntityAdded:
    """A new page, widget, query, script or datasource."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    addition = Addition(
        kind=command.kind,
        page=command.page,
        parent_id=command.parent_id,
        name=command.name,
        source=command.source,
        text=command.text,
    )
    edited = await drafts.add(app, addition)
    _advance(app, edited, "add", apps, revisions, clock, context)
    return EntityAdded(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=edited.entity_id,
        kind=edited.kind,
        name=edited.name,
        entity_version=edited.entity_version,
        revision_id=app.head_revision_id,
    )


async def change_entity(
    command: ChangeEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> EntityChanged:
    """Another source; with the same source there is no new revision."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    edited = await drafts.change(
        app, command.entity_id, command.expected_version, command.source, command.text
    )
    _advance(app, edited, "change", apps, revisions, clock, context)
    return EntityChanged(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=edited.entity_id,
        kind=edited.kind,
        name=edited.name,
        entity_version=edited.entity_version,
        revision_id=app.head_revision_id,
    )


async def remove_entity(
    command: RemoveEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> EntityRemoved:
    """Out of the draft, with what is inside it; older revisions keep it."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    edited = await drafts.remove(app, command.entity_id, command.expected_version)
    _advance(app, edited, "remove", apps, revisions, clock, context)
    return EntityRemoved(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=edited.entity_id,
        kind=edited.kind,
        name=edited.name,
        revision_id=app.head_revision_id,
    )


def _advance(
    app: App,
    edited: Edited,
    verb: str,
    apps: Apps,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> None:
    if edited.content.digest == app.head_digest:
        return
    message = f"{verb} {edited.kind} {edited.name}"
    revision = app.advance(new_id(), edited.content, message, context.actor_id, clock.now())
    revisions.save(revision)
    apps.save(app)


HANDLERS = (add_entity, change_entity, remove_entity)
