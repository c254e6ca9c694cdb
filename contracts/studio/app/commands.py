"""What one may ask of studio: clients first, then sagas."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.base import Command
from contracts.delivery.environment import Environment
from contracts.operation import Operation
from contracts.studio.app.facts import (
    AppArchived,
    AppCreated,
    AppDeleted,
    AppImported,
    AppRenamed,
    AppRestored,
    EntityAdded,
    EntityChanged,
    EntityRemoved,
    RevisionFrozen,
    RevisionTagged,
    RevisionUnfrozen,
)
from contracts.studio.app.history import AuthorName, CommitName, RevisionMessage
from contracts.studio.app.kinds import EntityKind


class CreateApp(Command[AppCreated], permission="app.edit"):
    """Make an app with one starter page."""

    workspace_id: UUID
    app_id: UUID
    app_name: str = Field(min_length=1, max_length=200)


class RenameApp(Command[AppRenamed], permission="app.edit"):
    """Call the app otherwise."""

    workspace_id: UUID
    app_id: UUID
    app_name: str = Field(min_length=1, max_length=200)


class ArchiveApp(Command[AppArchived], permission="app.edit"):
    """Put the app out of the way; repeating it changes nothing."""

    workspace_id: UUID
    app_id: UUID


class RestoreApp(Command[AppRestored], permission="app.edit"):
    """Take the app back from the archive."""

    workspace_id: UUID
    app_id: UUID


class DeleteApp(Command[AppDeleted], permission="workspace.manage"):
    """Delete an archived app for good."""

    workspace_id: UUID
    app_id: UUID


class AddEntity(Command[EntityAdded], permission="app.edit"):
    """Add a page, widget, query, script or datasource.

    `page` names the page that it belongs to (empty for a page or datasource), `parent_id` the
    container of a widget (empty = the page's canvas), `source` its JSON properties; `text` the body
    of a query or script.
    """

    workspace_id: UUID
    app_id: UUID
    kind: EntityKind
    page: str = ""
    parent_id: str = ""
    name: str = Field(min_length=1, max_length=200)
    source: dict[str, Any] = Field(default_factory=dict)  # the entity's own JSON
    text: str | None = None


class ChangeEntity(Command[EntityChanged], permission="app.edit"):
    """Replace an entity's JSON (`source`), its text body (`text`), or both; None = as it is."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int
    source: dict[str, Any] | None = None  # the entity's own JSON
    text: str | None = None


class RemoveEntity(Command[EntityRemoved], permission="app.edit"):
    """Take an entity, and what is inside it, out of the draft."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int


class ImportApp(Command[Operation], permission="app.edit"):
    """Make the uploaded zip the head of an app (a new one, or a new revision of one that exists).

    `archive_digest`: SHA-256 hex of the zip in the blob store. Answers at once; the operation's
    result has the fields of AppImported.

    With `authored_at` it is a commit of a history made elsewhere: a revision even when it changes
    nothing, except that a `commit` which the head is already is not repeated. Whoever imports it
    stays the revision's actor.

    With `base_revision_id` the zip holds only what differs from that revision of the app, under the
    paths of its export; `removed` names the files that went.
    """

    workspace_id: UUID
    app_id: UUID
    operation_id: UUID
    app_name: str = ""
    archive_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    author_name: AuthorName = ""
    authored_at: AwareDatetime | None = None
    message: RevisionMessage = ""
    commit: CommitName = ""
    base_revision_id: UUID | None = None
    removed: list[str] = Field(default_factory=list, max_length=50_000)


class FinishImport(Command[AppImported]):
    """Make content that is written already the app's head; what an import's worker ends with.

    `digest` is the content's, in the workspace that it was written under; what is said of a commit
    is what ImportApp said.
    """

    workspace_id: UUID
    app_id: UUID
    app_name: str
    digest: str
    format_version: int
    files: int
    author_name: AuthorName = ""
    authored_at: AwareDatetime | None = None
    message: RevisionMessage = ""
    commit: CommitName = ""


class CreateStarterApp(Command[AppCreated]):
    """The first app of a new workspace."""

    workspace_id: UUID
    app_id: UUID


class DiscardStarterApp(Command[AppDeleted]):
    """Undo CreateStarterApp; success when there is nothing to undo."""

    workspace_id: UUID
    app_id: UUID


class FreezeRevision(Command[RevisionFrozen]):
    """Check a revision, write its bundle to the blob store and keep it for a release."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID


class UnfreezeRevision(Command[RevisionUnfrozen]):
    """Undo FreezeRevision; success when there is nothing to undo."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID


class TagRevision(Command[RevisionTagged]):
    """Mark a revision as released."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    release_id: UUID
    environment: Environment
