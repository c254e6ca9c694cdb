"""Why studio says no."""

from uuid import UUID

from pydantic import Field

from contracts.base import Rejection
from contracts.studio.app.references import Finding

PROBLEMS_MAX = 50
"""So many problems are listed of a revision, or 400 KB of them; all are counted."""


class AppUnknown(Rejection):
    """No such app in this workspace."""

    app_id: UUID


class AppIsArchived(Rejection):
    """Restore it first."""

    app_id: UUID


class AppNotArchived(Rejection):
    """Only an archived app can be restored or deleted."""

    app_id: UUID


class AppLimitReached(Rejection):
    """The workspace's plan does not allow one more app."""

    workspace_id: UUID
    apps_max: int


class EntityUnknown(Rejection):
    """No such entity in the draft."""

    app_id: UUID
    entity_id: str


class EntityNameTaken(Rejection):
    """Another entity of that place has this name."""

    app_id: UUID
    name: str


class VersionConflict(Rejection):
    """Somebody changed the entity since it was read."""

    entity_id: str
    expected_version: int
    current_version: int


class SourceInvalid(Rejection):
    """An entity's source breaks a rule; `field` says where."""

    field: str
    rule: str


class RevisionUnknown(Rejection):
    """No such revision of this app."""

    app_id: UUID
    revision_id: UUID


class AppNotPublishable(Rejection):
    """The revision can't become a release; `reason` says why.

    `problems`: names that nothing has and values that wait for one another, other than those that
    an import brought; at most 50 of the `problems_count`, with long texts cut.
    """

    app_id: UUID
    reason: str
    problems: list[Finding] = Field(default_factory=list)
    problems_count: int = 0


class ImportRefused(Rejection):
    """An archive breaks a rule; nothing of it was imported. `path` is the file's name."""

    path: str
    rule: str
    detail: str
