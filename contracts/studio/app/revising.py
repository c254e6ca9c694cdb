"""New heads made of revisions that there are: history only grows."""

from uuid import UUID

from contracts.base import Command, Event, Rejection


class RevisionRestored(Event):
    """An older revision's content is the head's again: `revision_id` is the new head. With nothing
    changed there is no new revision, and no fact."""

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    restored_revision_id: UUID
    entities_added: int
    entities_changed: int
    entities_removed: int


class HeadMoved(Rejection):
    """Somebody changed the app since it was read."""

    app_id: UUID
    expected_head_revision_id: UUID
    head_revision_id: UUID


class RestoreRevision(Command[RevisionRestored], permission="app.edit"):
    """Make a revision's content the head's, as a new revision; those between stay in the history.

    `expected_head_revision_id`: the head that the caller saw; left out = whatever it is by now.
    """

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    expected_head_revision_id: UUID | None = None
