"""Delivery's handlers, with blobs in a folder and the rest in memory."""

from pathlib import Path

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.base import Rejection
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AppNotReleased,
    BundleCorrupt,
    LivePointerMoved,
    ReleaseNotSwitchable,
    ReleaseState,
    ReleaseUnknown,
)
from services.delivery.handlers import (
    abandon_release,
)
from tests.services.delivery.fakes import (
    SECRETS,
    Stage,
    a_switch,
    an_abandon,
    put_bundle,
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def refused(refusal: pytest.ExceptionInfo[Rejected]) -> Rejection:
    return refusal.value.rejection


class TestStageRelease:
    async def test_keeps_a_verified_release_and_lists_its_public_files_only(
        self, stage: Stage
    ) -> None:
        command = await stage.command()

        staged = await stage.stage(command)

        assert (staged.release_number, staged.public_files) == (1, 2)
        assert stage.index.paths == {command.bundle_digest: ["index.json", "pages/home.json"]}
        assert stage.releases.releases[command.release_id].state == ReleaseState.STAGED

    async def test_repeated_changes_nothing(self, stage: Stage) -> None:
        command = await stage.command()
        first = await stage.stage(command)

        again = await stage.stage(command)

        assert again == first
        assert stage.apps.saved == 1

    async def test_refuses_a_bundle_that_is_not_there(self, stage: Stage) -> None:
        command = await stage.command(digest="0" * 64)

        with pytest.raises(Rejected) as refusal:
            await stage.stage(command)

        assert refused(refusal) == BundleCorrupt(
            app_id=stage.app_id, release_id=command.release_id, path="bundle", rule="present"
        )
        assert stage.releases.releases == {}

    async def test_refuses_a_pack_that_was_altered_and_names_it(self, stage: Stage) -> None:
        command = await stage.command()
        for blob in (stage.folder / str(stage.workspace_id)).iterdir():
            if blob.read_bytes() in SECRETS.values():
                blob.write_bytes(b"?" * blob.stat().st_size)

        with pytest.raises(Rejected) as refusal:
            await stage.stage(command)

        assert refused(refusal) == BundleCorrupt(
            app_id=stage.app_id, release_id=command.release_id, path="private", rule="digest"
        )

    async def test_does_not_read_another_workspaces_bundle(self, stage: Stage) -> None:
        digest = await put_bundle(stage.blobs, new_id())

        with pytest.raises(Rejected) as refusal:
            await stage.stage(await stage.command(digest=digest))

        assert isinstance(refused(refusal), BundleCorrupt)

    async def test_does_not_take_over_another_workspaces_app(self, stage: Stage) -> None:
        await stage.publish()
        thief = Stage(stage.folder, app_id=stage.app_id, apps=stage.apps, releases=stage.releases)

        with pytest.raises(Rejected) as refusal:
            await thief.stage(await thief.command())

        assert refused(refusal) == AppNotReleased(app_id=stage.app_id)

    async def test_an_abandoned_release_is_not_staged_again(self, stage: Stage) -> None:
        command = await stage.command()
        await stage.stage(command)
        await abandon_release(an_abandon(command), stage.apps, stage.releases)

        with pytest.raises(Rejected) as refusal:
            await stage.stage(command)

        assert isinstance(refused(refusal), ReleaseNotSwitchable)


class TestAbandonRelease:
    async def test_with_nothing_to_undo_it_answers_and_saves_nothing(self, stage: Stage) -> None:
        command = await stage.command()

        abandoned = await abandon_release(an_abandon(command), stage.apps, stage.releases)

        assert abandoned.release_id == command.release_id
        assert stage.apps.saved == 0

    async def test_does_not_touch_what_is_live(self, stage: Stage) -> None:
        staged = await stage.stage(await stage.command())
        live = await stage.switch(a_switch(staged))
        saved = stage.apps.saved

        await abandon_release(an_abandon(staged), stage.apps, stage.releases)

        assert stage.releases.releases[live.release_id].state == ReleaseState.LIVE
        assert stage.apps.saved == saved


class TestSwitchLivePointer:
    async def test_the_release_that_was_live_steps_down(self, stage: Stage) -> None:
        first = await stage.publish()

        second = await stage.publish(previous=first.release_id)

        assert (second.previous_release_id, second.pointer_version) == (first.release_id, 2)
        states = [release.state for release in stage.releases.releases.values()]
        assert states == [ReleaseState.SUPERSEDED, ReleaseState.LIVE]

    async def test_refuses_when_another_release_won(self, stage: Stage) -> None:
        loser = await stage.stage(await stage.command())
        winner = await stage.publish()

        with pytest.raises(Rejected) as refusal:
            await stage.switch(a_switch(loser, previous=None))

        assert refused(refusal) == LivePointerMoved(
            app_id=stage.app_id,
            environment=Environment.PRODUCTION,
            live_release_id=winner.release_id,
        )
        assert stage.releases.releases[loser.release_id].state == ReleaseState.STAGED

    async def test_repeated_after_a_later_publish_answers_as_the_first_time(
        self, stage: Stage
    ) -> None:
        staged = await stage.stage(await stage.command())
        first = await stage.switch(a_switch(staged))
        later = await stage.publish(previous=first.release_id)
        saved = stage.apps.saved

        again = await stage.switch(a_switch(staged))

        assert again == first
        assert stage.apps.saved == saved
        app = stage.apps.apps[stage.app_id]
        assert app.live_in(Environment.PRODUCTION) == later.release_id

    async def test_environments_do_not_disturb_each_other(self, stage: Stage) -> None:
        staging = await stage.publish(environment=Environment.STAGING)
        production = await stage.publish()

        app = stage.apps.apps[stage.app_id]

        assert app.live_in(Environment.STAGING) == staging.release_id
        assert app.live_in(Environment.PRODUCTION) == production.release_id

    async def test_a_release_goes_live_only_where_it_was_staged(self, stage: Stage) -> None:
        staged = await stage.stage(await stage.command(Environment.STAGING))
        elsewhere = a_switch(staged).model_copy(update={"environment": Environment.PRODUCTION})

        with pytest.raises(Rejected) as refusal:
            await stage.switch(elsewhere)

        assert isinstance(refused(refusal), ReleaseUnknown)

    async def test_an_abandoned_release_does_not_go_live(self, stage: Stage) -> None:
        staged = await stage.stage(await stage.command())
        await abandon_release(an_abandon(staged), stage.apps, stage.releases)

        with pytest.raises(Rejected) as refusal:
            await stage.switch(a_switch(staged))

        assert isinstance(refused(refusal), ReleaseNotSwitchable)
