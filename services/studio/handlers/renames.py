"""Renames: the entity and all that refers to it, in one revision."""

from chassis.clock import Clock
from chassis.context import Context
from contracts.base import Message
from contracts.studio.app import CHANGES_MAX, EntityRenamed, RenameEntity, RenameOutcome
from services.studio.handlers.heads import advance_head
from services.studio.model import App, Apps, Drafts, Revisions, app_of
from services.studio.model.listing import ids_told, told
from services.studio.model.renaming import Renaming


async def rename_entity(
    command: RenameEntity,
    apps: Apps,
    drafts: Drafts,
    revisions: Revisions,
    clock: Clock,
    context: Context,
) -> tuple[Message, ...]:
    """With the name that it has there is no new revision."""
    app = await app_of(apps, command.workspace_id, command.app_id)
    app.demand_editable()
    renaming = await drafts.rename(app, command)
    edited = renaming.edited
    if edited is None:
        return (_outcome(app, command, renaming),)
    message, content = f"rename to {edited.name}", edited.content
    past = app.made_of.followed(command.entity_id, edited.entity_id)
    if not advance_head(app, content, message, apps, revisions, clock, context, past):
        return (_outcome(app, command, renaming),)
    renamed = EntityRenamed(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        entity_id=edited.entity_id,
        previous_entity_id=command.entity_id,
        kind=edited.kind,
        name=edited.name,
        entity_version=edited.entity_version,
        entity_ids=ids_told(renaming.entity_ids),
        revision_id=app.head_revision_id,
    )
    return _outcome(app, command, renaming), renamed


def _outcome(app: App, command: RenameEntity, renaming: Renaming) -> RenameOutcome:
    edited = renaming.edited
    changes = told(renaming.changes, CHANGES_MAX)
    mentions = told(renaming.mentions, CHANGES_MAX)
    unclear = told(renaming.unclear, CHANGES_MAX)
    all_of = len(renaming.changes) + len(renaming.mentions) + len(renaming.unclear)
    return RenameOutcome(
        app_id=app.app_id,
        entity_id=renaming.entity_id,
        name=command.name,
        entity_version=edited.entity_version if edited else command.expected_version,
        revision_id=app.head_revision_id if edited else None,
        changes=changes,
        mentions=mentions,
        unclear=unclear,
        more=all_of > len(changes) + len(mentions) + len(unclear),
    )


HANDLERS = (rename_entity,)
