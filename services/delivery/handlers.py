"""What delivery does when it is asked, and when an app is deleted.

A repeated command changes nothing, saves nothing and is answered as the first time.
"""

import asyncio

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from chassis.stores.blobs import BlobCorrupt, Blobs, BlobUnknown
from contracts.delivery.bundle import Bundle
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AbandonRelease,
    AppUnpublished,
    AppVisibilityChanged,
    BundleCorrupt,
    NothingLive,
    ReleaseAbandoned,
    ReleasePublished,
    ReleaseRolledBack,
    ReleaseStaged,
    ReleaseState,
    RollBack,
    SetAppVisibility,
    StageRelease,
    SwitchLivePointer,
    UnpublishApp,
)
from contracts.studio.app import AppDeleted
from services.delivery.model.app import App, Apps, Release, Releases, app_of, release_of
from services.delivery.model.bundle import (
    BundleBroken,
    BundleIndex,
    check_document,
    check_pack,
)
from services.delivery.settings import Settings


async def stage_release(
    command: StageRelease,
    apps: Apps,
    releases: Releases,
    index: BundleIndex,
    blobs: Blobs,
    settings: Settings,
    clock: Clock,
) -> ReleaseStaged:
    """Verify the bundle before anything of it is kept."""
    release = await releases.get(command.release_id)
    if release is None:
        bundle = await _sound_bundle(command, blobs, settings)
        app = await apps.get(command.app_id) or App(command.app_id, command.workspace_id)
        app.demand_usable(command.workspace_id)
        release = Release(
            release_id=command.release_id,
            app_id=app.app_id,
            workspace_id=app.workspace_id,
            revision_id=command.revision_id,
            environment=command.environment,
            number=app.number_release(),
            bundle_digest=command.bundle_digest,
            public_digest=bundle.public.digest,
            public_files=len(bundle.public.files),
            public_bytes=bundle.public.size,
            entry=bundle.entry,
            staged_at=clock.now(),
        )
        index.add(app.workspace_id, command.bundle_digest, bundle.public.files)
        releases.save(release)
        apps.save(app)
    release.demand_restageable(command.workspace_id, command.app_id)
    return _staged(release)


async def abandon_release(
    command: AbandonRelease, apps: Apps, releases: Releases
) -> ReleaseAbandoned:
    """Give up what was staged, if anything was."""
    release = await releases.get(command.release_id)
    if release and release.belongs_to(command.workspace_id, command.app_id) and release.abandon():
        app = await apps.get(command.app_id)
        assert app, "an app is saved with its first release"
        releases.save(release)
        apps.save(app)
    return ReleaseAbandoned(
        workspace_id=command.workspace_id, app_id=command.app_id, release_id=command.release_id
    )


async def switch_live_pointer(
    command: SwitchLivePointer, apps: Apps, releases: Releases, clock: Clock, context: Context
) -> ReleasePublished:
    """Compare and set; the release that was live steps down."""
    app = await app_of(apps, command.app_id, command.workspace_id)
    release = await release_of(releases, app, command.release_id, command.environment)
    if not release.went_live:
        release.demand(ReleaseState.STAGED)
        app.demand_live(command.environment, command.previous_release_id)
        await _step_down(app, releases, command.environment)
        release.replaced = command.previous_release_id
        release.went_live = app.point(command.environment, release.release_id)
        release.shine(clock.now(), context.actor_id)
        releases.save(release)
        apps.save(app)
    return ReleasePublished(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        environment=release.environment,
        release_id=release.release_id,
        revision_id=release.revision_id,
        previous_release_id=release.replaced,
        pointer_version=release.went_live,
    )


async def roll_back(
    command: RollBack, apps: Apps, releases: Releases, clock: Clock, context: Context
) -> ReleaseRolledBack:
    """Compare and set to a release that was live before."""
    app = await app_of(apps, command.app_id, command.workspace_id)
    release = await release_of(releases, app, command.to_release_id, command.environment)
    if app.live_in(command.environment) is None:
        raise Rejected(NothingLive(app_id=app.app_id, environment=command.environment))
    if app.live_in(command.environment) != release.release_id:
        app.demand_live(command.environment, command.expected_live_release_id)
        release.demand(ReleaseState.SUPERSEDED)
        await _step_down(app, releases, command.environment)
        app.point(command.environment, release.release_id)
        release.shine(clock.now(), context.actor_id)
        releases.save(release)
        apps.save(app)
    return ReleaseRolledBack(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        environment=release.environment,
        release_id=release.release_id,
        revision_id=release.revision_id,
        previous_release_id=command.expected_live_release_id,
        pointer_version=app.pointer_version,
    )


async def unpublish_app(command: UnpublishApp, apps: Apps, releases: Releases) -> AppUnpublished:
    """Take the app off the air in one environment."""
    app = await app_of(apps, command.app_id, command.workspace_id)
    unpublished = await _unpublish(app, releases, command.environment)
    apps.save(app)
    return unpublished


async def set_app_visibility(command: SetAppVisibility, apps: Apps) -> AppVisibilityChanged:
    """Say who may fetch what is live in production."""
    app = await app_of(apps, command.app_id, command.workspace_id)
    if app.show_to(command.visibility):
        apps.save(app)
    return AppVisibilityChanged(
        workspace_id=app.workspace_id, app_id=app.app_id, visibility=app.visibility
    )


async def take_down_deleted_app(
    event: AppDeleted, apps: Apps, releases: Releases
) -> tuple[AppUnpublished, ...]:
    """A deleted app is on the air nowhere, and a publish that is under way comes too late."""
    app = await apps.get(event.app_id) or App(event.app_id, event.workspace_id)
    if app.workspace_id != event.workspace_id or app.deleted:
        return ()
    app.deleted = True
    apps.save(app)
    return tuple([await _unpublish(app, releases, place) for place in app.environments_live])


async def _sound_bundle(command: StageRelease, blobs: Blobs, settings: Settings) -> Bundle:
    """The verified bundle. Rejected with BundleCorrupt, which names the file and the rule."""
    blob = "bundle"
    try:
        document = await blobs.get(command.workspace_id, command.bundle_digest)
        bundle = check_document(document, command.bundle_digest, settings.bundle_limits)
        for blob, part in (("public", bundle.public), ("private", bundle.private)):
            pack = await blobs.get(command.workspace_id, part.digest) if part.size else b""
            # Hashing releases the interpreter's lock: other keys go on meanwhile.
            await asyncio.to_thread(check_pack, blob, part, pack)
    except BlobUnknown as missing:
        raise _corrupt(command, blob, "present") from missing
    except BlobCorrupt as altered:
        raise _corrupt(command, blob, "digest") from altered
    except BundleBroken as broken:
        raise _corrupt(command, broken.path, broken.rule) from broken
    return bundle


def _corrupt(command: StageRelease, path: str, rule: str) -> Rejected:
    return Rejected(
        BundleCorrupt(app_id=command.app_id, release_id=command.release_id, path=path, rule=rule)
    )


async def _step_down(app: App, releases: Releases, environment: Environment) -> None:
    live = app.live_in(environment)
    if live is not None:
        release = await release_of(releases, app, live, environment)
        release.step_down()
        releases.save(release)


async def _unpublish(app: App, releases: Releases, environment: Environment) -> AppUnpublished:
    await _step_down(app, releases, environment)
    previous_release_id = app.clear(environment)
    return AppUnpublished(
        workspace_id=app.workspace_id,
        app_id=app.app_id,
        environment=environment,
        previous_release_id=previous_release_id,
        environments_live=app.environments_live,
        pointer_version=app.pointer_version,
    )


def _staged(release: Release) -> ReleaseStaged:
    return ReleaseStaged(
        workspace_id=release.workspace_id,
        app_id=release.app_id,
        release_id=release.release_id,
        revision_id=release.revision_id,
        environment=release.environment,
        bundle_digest=release.bundle_digest,
        release_number=release.number,
        public_files=release.public_files,
        public_bytes=release.public_bytes,
    )


HANDLERS = (
    stage_release,
    abandon_release,
    switch_live_pointer,
    roll_back,
    unpublish_app,
    set_app_visibility,
    take_down_deleted_app,
)
