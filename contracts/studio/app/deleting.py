"""An entity taken out, with all that is inside it."""

from uuid import UUID

from contracts.base import Command, Reply
from contracts.studio.app.breaking import Break


class DeleteOutcome(Reply):
    """What a deletion made, or in a dry run would make, of the head.

    `entity_ids`: all that went, the entity first; at most 2,000, or 400 KB. `breaks`: what used any
    of it. `revision_id`: the new head; null in a dry run. `more`: there is more of either than is
    listed.
    """

    app_id: UUID
    entity_ids: list[str]
    revision_id: UUID | None
    breaks: list[Break]
    more: bool


class DeleteEntity(Command[DeleteOutcome], permission="app.edit"):
    """Take an entity, and what is inside it, out of the draft. Refused as EntityInUse when that
    breaks anything, unless `breaking` says so. `dry_run`: answer what would go and what would
    break, and change nothing."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int
    breaking: bool = False
    dry_run: bool = False
