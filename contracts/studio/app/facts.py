"""What happened to an app."""

from uuid import UUID

from pydantic import Field

from contracts.base import Event
from contracts.delivery.environment import Environment
from contracts.studio.app.kinds import EntityKind
from contracts.studio.app.references import Finding


class AppCreated(Event):
    """An app exists, with a starter page; `revision_id` is its first head."""

    workspace_id: UUID
    app_id: UUID
    app_name: str
    revision_id: UUID


class AppRenamed(Event):
    """The app is called otherwise; nothing inside it changed."""

    workspace_id: UUID
    app_id: UUID
    app_name: str


class AppArchived(Event):
    """The app is out of the way and refuses edits and publishing until restored."""

    workspace_id: UUID
    app_id: UUID


class AppRestored(Event):
    """The app is back from the archive."""

    workspace_id: UUID
    app_id: UUID


class AppDeleted(Event):
    """The app is gone for good."""

    workspace_id: UUID
    app_id: UUID


class EntityAdded(Event):
    """A new entity is part of the draft."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    revision_id: UUID


class EntityChanged(Event):
    """An entity's source is another one."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    revision_id: UUID


class EntityRemoved(Event):
    """An entity, and what was inside it, left the draft. `entity_ids`: all that went, the entity
    first; the first 2,000, or 400 KB of them, and none from older services."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    kind: EntityKind
    name: str
    revision_id: UUID
    entity_ids: list[str] = Field(default_factory=list)


class AppImported(Event):
    """A source tree became the head. With nothing changed there is no new revision, and no fact."""

    workspace_id: UUID
    app_id: UUID
    app_name: str
    revision_id: UUID
    format_version: int
    files: int
    counts: dict[str, int]
    entities_added: int
    entities_changed: int
    entities_removed: int


class RevisionFrozen(Event):
    """A revision's bundle is written; it can't be discarded while a release needs it.

    `warnings`: names that nothing has and values that wait for one another, published all the same
    because an import brought them; at most 50 of the `warnings_count`.
    """

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID
    bundle_digest: str
    files: int
    bytes: int
    warnings: list[Finding] = Field(default_factory=list)
    warnings_count: int = 0


class RevisionUnfrozen(Event):
    """A release that was to be made of this revision will not come."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID


class RevisionTagged(Event):
    """A revision went live in an environment."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID
    environment: Environment
