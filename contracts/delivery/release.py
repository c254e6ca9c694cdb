"""Release: an immutable bundle of an app, and what is live where. Owner: delivery. Key: app_id.

Each app has a live pointer per environment; it moves only by compare-and-set on the release that
the caller believes to be live. `pointer_version` counts an app's pointer moves in both together.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event, Query, Rejection, Reply
from contracts.delivery.environment import Environment

KEY = "app_id"


class ReleaseState(StrEnum):
    """STAGED waits for its switch; SUPERSEDED was live and can be rolled back to."""

    STAGED = "staged"
    LIVE = "live"
    SUPERSEDED = "superseded"
    ABANDONED = "abandoned"


class Visibility(StrEnum):
    """Who may fetch what is live in production; staging is always for members."""

    MEMBERS = "members"
    PUBLIC = "public"


# Facts


class ReleaseStaged(Event):
    """A verified, immutable release waits for its switch."""

    workspace_id: UUID
    app_id: UUID
    release_id: UUID
    revision_id: UUID
    environment: Environment
    bundle_digest: str
    release_number: int  # counts an app's releases, from 1
    public_files: int
    public_bytes: int


class ReleaseAbandoned(Event):
    """A staged release will never go live."""

    workspace_id: UUID
    app_id: UUID
    release_id: UUID


class ReleasePublished(Event):
    """The live pointer moved to a new release. `previous_release_id` is what it replaced."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    release_id: UUID
    revision_id: UUID
    previous_release_id: UUID | None
    pointer_version: int


class ReleaseRolledBack(Event):
    """The live pointer went back to a release that was live before."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    release_id: UUID
    revision_id: UUID
    previous_release_id: UUID | None
    pointer_version: int


class AppUnpublished(Event):
    """Nothing is live in this environment now. `environments_live` says where the app still is."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    previous_release_id: UUID
    environments_live: list[Environment]
    pointer_version: int


class AppVisibilityChanged(Event):
    """Who may fetch the live app is another circle now."""

    workspace_id: UUID
    app_id: UUID
    visibility: Visibility


# Refusals


class BundleCorrupt(Rejection):
    """What the digest names is missing, altered or malformed. `rule` says what was broken."""

    app_id: UUID
    release_id: UUID
    path: str
    rule: str


class LivePointerMoved(Rejection):
    """Another release went live meanwhile. `live_release_id` is it; None = nothing is live."""

    app_id: UUID
    environment: Environment
    live_release_id: UUID | None


class AppNotReleased(Rejection):
    """Nothing of this app was ever staged in this workspace."""

    app_id: UUID


class AppIsGone(Rejection):
    """The app was deleted: nothing of it goes live again."""

    app_id: UUID


class ReleaseUnknown(Rejection):
    """No such release of this app in this workspace and environment."""

    app_id: UUID
    release_id: UUID


class ReleaseNotSwitchable(Rejection):
    """It was abandoned, or never was live: only a staged or a superseded release can go live."""

    app_id: UUID
    release_id: UUID
    state: ReleaseState


class NothingLive(Rejection):
    """The app has no live release in this environment."""

    app_id: UUID
    environment: Environment


class CursorInvalid(Rejection):
    """The cursor is not one that a page of this list gave."""

    cursor: str


# Commands


class StageRelease(Command[ReleaseStaged]):
    """Verify a bundle, file by file, and keep it as a release; repeating it changes nothing."""

    workspace_id: UUID
    app_id: UUID
    release_id: UUID
    revision_id: UUID
    environment: Environment
    bundle_digest: str


class AbandonRelease(Command[ReleaseAbandoned]):
    """Undo StageRelease; abandoning what is not there is success."""

    workspace_id: UUID
    app_id: UUID
    release_id: UUID


class SwitchLivePointer(Command[ReleasePublished]):
    """Make a staged release live if `previous_release_id` still is (None = nothing is)."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    release_id: UUID
    previous_release_id: UUID | None


class RollBack(Command[ReleaseRolledBack], permission="app.publish"):
    """Make a release live that was live before, if `expected_live_release_id` still is.

    Refused with NothingLive where nothing is: coming back on the air is a publish, with its quota.
    """

    workspace_id: UUID
    app_id: UUID
    environment: Environment
    to_release_id: UUID
    expected_live_release_id: UUID


class UnpublishApp(Command[AppUnpublished], permission="app.publish"):
    """Take the app off the air in one environment."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment


class SetAppVisibility(Command[AppVisibilityChanged], permission="app.publish"):
    """Open what is live in production to everybody, or to members only (the default)."""

    workspace_id: UUID
    app_id: UUID
    visibility: Visibility


# Questions


class Release(Reply):
    """One release and where it stands."""

    release_id: UUID
    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    environment: Environment
    release_number: int
    state: ReleaseState
    bundle_digest: str
    public_files: int
    public_bytes: int
    staged_at: datetime
    published_at: datetime | None  # when it last went live
    published_by: UUID | None  # who asked for that


class Releases(Reply):
    """Those that exist, in no order."""

    releases: list[Release]


class GetReleases(Query[Releases], permission="workspace.read"):
    """Releases by id, for many at once; unknown ids are left out."""

    workspace_id: UUID
    release_ids: list[UUID] = Field(max_length=200)


class ReleasePage(Reply):
    """Newest first. `cursor_next` is empty on the last page."""

    releases: list[Release]
    cursor_next: str = ""


class ListReleases(Query[ReleasePage], permission="workspace.read"):
    """An app's release history, in one environment or in all."""

    workspace_id: UUID
    app_id: UUID
    environment: Environment | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = ""
