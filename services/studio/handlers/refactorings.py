"""Entities moved, duplicated and deleted, with all that is inside them, in one revision each."""

from chassis.clock import Clock
from chassis.context import Context
from contracts.base import Message
from contracts.studio.app import (
    BREAKS_MAX,
    DeleteEntity,
    DeleteOutcome,
    DuplicateEntity,
    EntityDuplicated,
    EntityMoved,
    EntityRemoved,
    MoveEntity,
    MoveOutcome,
)
from services.studio.handlers.heads import advance_head
from services.studio.model import App, Apps, Drafts, Revisions, app_of
from services.studio.model.listing import ids_told, told
from services.studio.model.refactoring import Refactored, Refactoring


async def move_entity(
    command: MoveEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> tuple[Message, ...]:
    """To where it is already, there is no new revision."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    done = await drafts.refactor(app, command)
    advanced = _advance(app, command, done, "move", apps, revisions, clock, context)
    breaks = told(done.breaks, BREAKS_MAX)
    outcome = MoveOutcome(
        app_id=app.app_id,
        entity_id=done.entity_id,
        entity_version=done.edited.entity_version if done.edited else command.expected_version,
        revision_id=app.head_revision_id if done.edited else None,
        breaks=breaks,
        more=len(done.breaks) > len(breaks),
    )
    if not advanced:
        return (outcome,)
    return outcome, EntityMoved(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=done.entity_id,
        previous_entity_id=command.entity_id,
        kind=done.kind,
        name=done.name,
        entity_version=outcome.entity_version,
        entity_ids=ids_told(done.entity_ids),
        revision_id=app.head_revision_id,
    )


async def duplicate_entity(
    command: DuplicateEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> EntityDuplicated:
    """A copy beside the original."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    done = await drafts.refactor(app, command)
    _advance(app, command, done, "duplicate", apps, revisions, clock, context)
    assert done.edited is not None, "nobody asked for a dry run"
    return EntityDuplicated(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=done.entity_id,
        original_entity_id=command.entity_id,
        kind=done.kind,
        name=done.name,
        entity_version=done.edited.entity_version,
        entity_ids=ids_told(done.entity_ids),
        revision_id=app.head_revision_id,
    )


async def delete_entity(
    command: DeleteEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> tuple[Message, ...]:
    """Out of the draft; older revisions keep it."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    done = await drafts.refactor(app, command)
    advanced = _advance(app, command, done, "delete", apps, revisions, clock, context)
    entity_ids = ids_told(done.entity_ids)
    breaks = told(done.breaks, BREAKS_MAX)
    outcome = DeleteOutcome(
        app_id=app.app_id,
        entity_ids=entity_ids,
        revision_id=app.head_revision_id if done.edited else None,
        breaks=breaks,
        more=len(done.breaks) > len(breaks) or len(done.entity_ids) > len(entity_ids),
    )
    if not advanced:
        return (outcome,)
    return outcome, EntityRemoved(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=command.entity_id,
        kind=done.kind,
        name=done.name,
        revision_id=app.head_revision_id,
        entity_ids=outcome.entity_ids,
    )


def _advance(
    app: App,
    command: Refactoring,
    done: Refactored,
    verb: str,
    apps: Apps,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> bool:
    """Whether there is a new head."""
    if done.edited is None:
        return False
    message = f"{verb} {done.kind} {done.name}"
    past = app.made_of.followed(command.entity_id, done.entity_id)
    return advance_head(app, done.edited.content, message, apps, revisions, clock, context, past)


HANDLERS = (move_entity, duplicate_entity, delete_entity)
