"""Apps and their releases: what may be staged, go live, come back and go."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AppIsGone,
    AppNotReleased,
    LivePointerMoved,
    NothingLive,
    ReleaseNotSwitchable,
    ReleaseState,
    ReleaseUnknown,
    Visibility,
)


@dataclass
class Pointer:
    """What is live in one environment since the app's pointer move number `version`."""

    release_id: UUID
    version: int


@dataclass
class App:
    """What of an app is live, and for whom. Its releases are rows of their own."""

    app_id: UUID
    workspace_id: UUID
    visibility: Visibility = Visibility.MEMBERS
    pointers: dict[Environment, Pointer] = field(default_factory=dict)
    pointer_version: int = 0
    releases_staged: int = 0
    deleted: bool = False

    def live_in(self, environment: Environment) -> UUID | None:
        """The live release's id."""
        pointer = self.pointers.get(environment)
        return pointer.release_id if pointer else None

    @property
    def environments_live(self) -> list[Environment]:
        """Where the app is on the air."""
        return [environment for environment in Environment if environment in self.pointers]

    def demand_usable(self, workspace_id: UUID) -> None:
        """Rejected with AppNotReleased (another workspace's app) or AppIsGone (deleted)."""
        if self.workspace_id != workspace_id:
            raise Rejected(AppNotReleased(app_id=self.app_id))
        if self.deleted:
            raise Rejected(AppIsGone(app_id=self.app_id))

    def demand_live(self, environment: Environment, expected: UUID | None) -> None:
        """Compare before set. Rejected with LivePointerMoved when another release is live."""
        live = self.live_in(environment)
        if live != expected:
            raise Rejected(
                LivePointerMoved(app_id=self.app_id, environment=environment, live_release_id=live)
            )

    def point(self, environment: Environment, release_id: UUID) -> int:
        """Move the pointer. The number of the move."""
        self.pointer_version += 1
        self.pointers[environment] = Pointer(release_id, self.pointer_version)
        return self.pointer_version

    def clear(self, environment: Environment) -> UUID:
        """Take the app off the air there. What was live; rejected with NothingLive."""
        pointer = self.pointers.pop(environment, None)
        if pointer is None:
            raise Rejected(NothingLive(app_id=self.app_id, environment=environment))
        self.pointer_version += 1
        return pointer.release_id

    def number_release(self) -> int:
        """The number of the next release."""
        self.releases_staged += 1
        return self.releases_staged

    def show_to(self, visibility: Visibility) -> bool:
        """Change who may fetch it. False: it is so already."""
        changed = visibility != self.visibility
        self.visibility = visibility
        return changed


@dataclass
class Release:
    """An immutable bundle of an app, and where it stands.

    `went_live` and `replaced` tell of its one publish, not of later roll backs, so that a repeated
    switch is answered as the first time; 0 = it never was live.
    """

    release_id: UUID
    app_id: UUID
    workspace_id: UUID
    revision_id: UUID
    environment: Environment
    number: int
    bundle_digest: str
    public_digest: str
    public_files: int
    public_bytes: int
    staged_at: datetime
    entry: str = ""
    state: ReleaseState = ReleaseState.STAGED
    went_live: int = 0
    replaced: UUID | None = None
    published_at: datetime | None = None
    published_by: UUID | None = None

    def abandon(self) -> bool:
        """Give up a staged release. False: it is not staged, so there is nothing to undo."""
        if self.state != ReleaseState.STAGED:
            return False
        self.state = ReleaseState.ABANDONED
        return True

    def belongs_to(self, workspace_id: UUID, app_id: UUID) -> bool:
        """Whether it is that app's, tenant by tenant."""
        return (self.workspace_id, self.app_id) == (workspace_id, app_id)

    def demand_restageable(self, workspace_id: UUID, app_id: UUID) -> None:
        """A second staging of the same is success, unless it was abandoned in between."""
        if not self.belongs_to(workspace_id, app_id):
            raise Rejected(ReleaseUnknown(app_id=app_id, release_id=self.release_id))
        if self.state == ReleaseState.ABANDONED:
            self.demand(ReleaseState.STAGED)

    def demand(self, wanted: ReleaseState) -> None:
        """Rejected with ReleaseNotSwitchable when it stands elsewhere."""
        if self.state != wanted:
            raise Rejected(
                ReleaseNotSwitchable(
                    app_id=self.app_id, release_id=self.release_id, state=self.state
                )
            )

    def shine(self, at: datetime, by: UUID | None) -> None:
        """It is what is live now."""
        self.state, self.published_at, self.published_by = ReleaseState.LIVE, at, by

    def step_down(self) -> None:
        """Something else is live now, or nothing."""
        self.state = ReleaseState.SUPERSEDED


class Apps(Protocol):
    """Where apps are kept, by id. An app is here from its first staged release on."""

    async def get(self, app_id: UUID) -> App | None: ...

    def save(self, app: App) -> None: ...


class Releases(Protocol):
    """Where releases are kept, by id."""

    async def get(self, release_id: UUID) -> Release | None: ...

    def save(self, release: Release) -> None: ...


async def app_of(apps: Apps, app_id: UUID, workspace_id: UUID) -> App:
    """That workspace's app. Rejected with AppNotReleased when nothing of it was ever staged, and
    with AppIsGone once it is deleted."""
    app = await apps.get(app_id)
    if app is None:
        raise Rejected(AppNotReleased(app_id=app_id))
    app.demand_usable(workspace_id)
    return app


async def release_of(
    releases: Releases, app: App, release_id: UUID, environment: Environment
) -> Release:
    """The app's release in that environment. Rejected with ReleaseUnknown."""
    release = await releases.get(release_id)
    if (
        release is None
        or release.environment != environment
        or not release.belongs_to(app.workspace_id, app.app_id)
    ):
        raise Rejected(ReleaseUnknown(app_id=app.app_id, release_id=release_id))
    return release
