"""Edits of a draft, an entity at a time. Each that changes something is a new revision."""

from chassis.clock import Clock
from chassis.context import Context
from contracts.studio.app import (
    AddEntity,
    ChangeEntity,
    DeleteEntity,
    EntityAdded,
    EntityChanged,
    EntityKind,
    EntityRemoved,
    RemoveEntity,
)
from services.studio.handlers.heads import advance_head
from services.studio.handlers.refactorings import delete_entity
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
    """As DeleteEntity, whatever it breaks."""
    deletion = DeleteEntity(**command.model_dump(), breaking=True)
    _, removed = await delete_entity(deletion, apps, drafts, revisions, clock, context)
    assert isinstance(removed, EntityRemoved), "nobody asked for a dry run"
    return removed


def _advance(
    app: App,
    edited: Edited,
    verb: str,
    apps: Apps,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> None:
    message = f"{verb} {edited.kind} {edited.name}"
    new_page = verb == "add" and edited.kind is EntityKind.PAGE
    past = app.made_of.begun(edited.entity_id) if new_page else None
    advance_head(app, edited.content, message, apps, revisions, clock, context, past)


HANDLERS = (add_entity, change_entity, remove_entity)
