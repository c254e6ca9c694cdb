"""A copy of an entity, with all that is inside it."""

from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event
from contracts.studio.app.kinds import EntityKind


class EntityDuplicated(Event):
    """There is a copy of an entity. `entity_id`: the copy; `original_entity_id`: what it is a copy
    of. `entity_ids`: all that is new, the copy first; the first 2,000, or 400 KB of
    them."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    original_entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    entity_ids: list[str]
    revision_id: UUID


class DuplicateEntity(Command[EntityDuplicated], permission="app.edit"):
    """Copy a widget with all that is inside it, a query, a script with its functions, or a page.

    All copies have names and ids of their own. Code in the copy that means something that was
    copied with it means the copy; all other code stays as it is. What is inside a page keeps its
    names. `name`: the copy's; empty: a free one, as `TableCopy`.
    """

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int
    name: str = Field(default="", max_length=200)
