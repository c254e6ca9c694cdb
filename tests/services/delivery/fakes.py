"""Delivery in memory, and builders of its commands and bundles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from chassis.clock import Clock, new_id
from chassis.context import Context, trusted_context
from chassis.stores.blobs import Blobs, FolderBlobs
from contracts.delivery.bundle import Bundle, BundleFile, BundlePart, encode
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AbandonRelease,
    ReleasePublished,
    ReleaseStaged,
    RollBack,
    StageRelease,
    SwitchLivePointer,
    UnpublishApp,
)
from services.delivery.handlers import stage_release, switch_live_pointer
from services.delivery.model.app import App, Release
from services.delivery.settings import Settings

EMPTY_DIGEST = sha256(b"").hexdigest()
PAGES = {"index.json": b'{"pages": ["home"]}', "pages/home.json": b'{"widgets": []}'}
SECRETS = {"queries/orders.json": b'{"body": "select * from orders"}'}


class FakeApps:
    """Fulfils Apps; `saved` counts what a real store would write."""

    def __init__(self) -> None:
        self.apps: dict[UUID, App] = {}
        self.saved = 0

    async def get(self, app_id: UUID) -> App | None:
        return self.apps.get(app_id)

    def save(self, app: App) -> None:
        self.apps[app.app_id] = app
        self.saved += 1


class FakeReleases:
    """Fulfils Releases."""

    def __init__(self) -> None:
        self.releases: dict[UUID, Release] = {}

    async def get(self, release_id: UUID) -> Release | None:
        return self.releases.get(release_id)

    def save(self, release: Release) -> None:
        self.releases[release.release_id] = release


class FakeIndex:
    """Fulfils BundleIndex."""

    def __init__(self) -> None:
        self.paths: dict[str, list[str]] = {}

    def add(self, workspace_id: UUID, bundle_digest: str, files: Sequence[BundleFile]) -> None:
        self.paths[bundle_digest] = [file.path for file in files]


class FixedClock:
    """Time stands still until told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def a_part(files: dict[str, bytes]) -> tuple[BundlePart, bytes]:
    """A pack and its description."""
    listed: list[BundleFile] = []
    pack = b""
    for path, body in sorted(files.items()):
        listed.append(
            BundleFile(
                path=path,
                digest=sha256(body).hexdigest(),
                size=len(body),
                offset=len(pack),
                content_type="application/json",
            )
        )
        pack += body
    return BundlePart(digest=sha256(pack).hexdigest(), size=len(pack), files=listed), pack


async def put_bundle(
    blobs: Blobs,
    workspace_id: UUID,
    public: dict[str, bytes] = PAGES,
    private: dict[str, bytes] = SECRETS,
) -> str:
    """What studio does when it freezes a revision; the bundle's digest."""
    shown, shown_pack = a_part(public)
    hidden, hidden_pack = a_part(private)
    for pack in (shown_pack, hidden_pack):
        if pack:
            await blobs.put(workspace_id, pack)
    bundle = Bundle(entry=min(public, default=""), public=shown, private=hidden)
    return await blobs.put(workspace_id, encode(bundle))


def a_switch(
    staged: ReleaseStaged | StageRelease, previous: UUID | None = None
) -> SwitchLivePointer:
    return SwitchLivePointer(
        workspace_id=staged.workspace_id,
        app_id=staged.app_id,
        environment=staged.environment,
        release_id=staged.release_id,
        previous_release_id=previous,
    )


def an_abandon(staged: ReleaseStaged | StageRelease) -> AbandonRelease:
    return AbandonRelease(
        workspace_id=staged.workspace_id, app_id=staged.app_id, release_id=staged.release_id
    )


def a_roll_back(to: ReleasePublished, live: ReleasePublished) -> RollBack:
    return RollBack(
        workspace_id=to.workspace_id,
        app_id=to.app_id,
        environment=to.environment,
        to_release_id=to.release_id,
        expected_live_release_id=live.release_id,
    )


def an_unpublish(live: ReleasePublished) -> UnpublishApp:
    return UnpublishApp(
        workspace_id=live.workspace_id, app_id=live.app_id, environment=live.environment
    )


@dataclass
class Stage:
    """One workspace's app and everything that a handler needs."""

    folder: Path
    workspace_id: UUID = field(default_factory=new_id)
    app_id: UUID = field(default_factory=new_id)
    apps: FakeApps = field(default_factory=FakeApps)
    releases: FakeReleases = field(default_factory=FakeReleases)
    index: FakeIndex = field(default_factory=FakeIndex)
    clock: Clock = field(default_factory=FixedClock)
    settings: Settings = field(
        default_factory=lambda: Settings(context_key="a test's key of contexts")
    )

    @property
    def blobs(self) -> FolderBlobs:
        return FolderBlobs(self.folder)

    @property
    def context(self) -> Context:
        return trusted_context(actor_id=new_id(), workspace_id=self.workspace_id)

    async def command(
        self, environment: Environment = Environment.PRODUCTION, digest: str = ""
    ) -> StageRelease:
        return StageRelease(
            workspace_id=self.workspace_id,
            app_id=self.app_id,
            release_id=new_id(),
            revision_id=new_id(),
            environment=environment,
            bundle_digest=digest or await put_bundle(self.blobs, self.workspace_id),
        )

    async def stage(self, command: StageRelease) -> ReleaseStaged:
        return await stage_release(
            command,
            self.apps,
            self.releases,
            self.index,
            self.blobs,
            self.settings,
            self.clock,
        )

    async def switch(self, command: SwitchLivePointer) -> ReleasePublished:
        return await switch_live_pointer(
            command, self.apps, self.releases, self.clock, self.context
        )

    async def publish(
        self,
        previous: UUID | None = None,
        environment: Environment = Environment.PRODUCTION,
    ) -> ReleasePublished:
        """Stage a release and make it live."""
        staged = await self.stage(await self.command(environment))
        return await self.switch(a_switch(staged, previous))
