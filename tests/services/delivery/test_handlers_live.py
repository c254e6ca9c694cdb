"""Delivery's handlers once something is live: back, off the air, for whom."""

from pathlib import Path

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.base import Rejection
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AppIsGone,
    AppNotReleased,
    LivePointerMoved,
    NothingLive,
    ReleaseState,
    SetAppVisibility,
    Visibility,
)
from contracts.studio.app import AppDeleted
from services.delivery.handlers import (
    abandon_release,
    roll_back,
    set_app_visibility,
    take_down_deleted_app,
    unpublish_app,
)
from tests.services.delivery.fakes import (
    Stage,
    a_roll_back,
    a_switch,
    an_abandon,
    an_unpublish,
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def refused(refusal: pytest.ExceptionInfo[Rejected]) -> Rejection:
    return refusal.value.rejection


class TestRollBack:
    async def test_goes_back_to_what_was_live_before(self, stage: Stage) -> None:
        first = await stage.publish()
        second = await stage.publish(previous=first.release_id)

        back = await roll_back(
            a_roll_back(first, second), stage.apps, stage.releases, stage.clock, stage.context
        )

        assert (back.release_id, back.previous_release_id) == (first.release_id, second.release_id)
        assert back.pointer_version == 3

    async def test_repeated_changes_nothing(self, stage: Stage) -> None:
        first = await stage.publish()
        second = await stage.publish(previous=first.release_id)
        command = a_roll_back(first, second)
        tools = (stage.apps, stage.releases, stage.clock, stage.context)
        done = await roll_back(command, *tools)
        saved = stage.apps.saved

        again = await roll_back(command, *tools)

        assert again == done
        assert stage.apps.saved == saved

    async def test_refuses_when_the_caller_saw_another_release(self, stage: Stage) -> None:
        first = await stage.publish()
        second = await stage.publish(previous=first.release_id)
        third = await stage.publish(previous=second.release_id)

        with pytest.raises(Rejected) as refusal:
            await roll_back(
                a_roll_back(first, second),
                stage.apps,
                stage.releases,
                stage.clock,
                stage.context,
            )

        moved = refused(refusal)
        assert isinstance(moved, LivePointerMoved)
        assert moved.live_release_id == third.release_id

    async def test_does_not_bring_an_unpublished_app_back_without_its_quota(
        self, stage: Stage
    ) -> None:
        first = await stage.publish()
        second = await stage.publish(previous=first.release_id)
        await unpublish_app(an_unpublish(second), stage.apps, stage.releases)

        with pytest.raises(Rejected) as refusal:
            await roll_back(
                a_roll_back(first, second),
                stage.apps,
                stage.releases,
                stage.clock,
                stage.context,
            )

        assert isinstance(refused(refusal), NothingLive)


class TestUnpublishApp:
    async def test_says_where_the_app_still_is(self, stage: Stage) -> None:
        staging = await stage.publish(environment=Environment.STAGING)
        production = await stage.publish()

        first = await unpublish_app(an_unpublish(production), stage.apps, stage.releases)
        last = await unpublish_app(an_unpublish(staging), stage.apps, stage.releases)

        assert first.environments_live == [Environment.STAGING]
        assert (last.environments_live, last.pointer_version) == ([], 4)
        assert stage.releases.releases[production.release_id].state == ReleaseState.SUPERSEDED

    async def test_refuses_when_nothing_is_live(self, stage: Stage) -> None:
        live = await stage.publish()
        await unpublish_app(an_unpublish(live), stage.apps, stage.releases)

        with pytest.raises(Rejected) as refusal:
            await unpublish_app(an_unpublish(live), stage.apps, stage.releases)

        assert isinstance(refused(refusal), NothingLive)


class TestSetAppVisibility:
    async def test_the_same_again_is_saved_by_nobody(self, stage: Stage) -> None:
        await stage.publish()
        command = SetAppVisibility(
            workspace_id=stage.workspace_id, app_id=stage.app_id, visibility=Visibility.PUBLIC
        )
        await set_app_visibility(command, stage.apps)
        saved = stage.apps.saved

        changed = await set_app_visibility(command, stage.apps)

        assert changed.visibility == Visibility.PUBLIC
        assert stage.apps.saved == saved

    async def test_of_an_app_that_was_never_released_is_refused(self, stage: Stage) -> None:
        command = SetAppVisibility(
            workspace_id=stage.workspace_id, app_id=stage.app_id, visibility=Visibility.PUBLIC
        )

        with pytest.raises(Rejected) as refusal:
            await set_app_visibility(command, stage.apps)

        assert refused(refusal) == AppNotReleased(app_id=stage.app_id)


class TestTakeDownDeletedApp:
    async def test_takes_it_off_the_air_everywhere(self, stage: Stage) -> None:
        await stage.publish(environment=Environment.STAGING)
        await stage.publish()
        event = AppDeleted(workspace_id=stage.workspace_id, app_id=stage.app_id)

        gone = await take_down_deleted_app(event, stage.apps, stage.releases)
        again = await take_down_deleted_app(event, stage.apps, stage.releases)

        assert [one.environments_live for one in gone] == [[Environment.PRODUCTION], []]
        assert again == ()

    async def test_a_publish_under_way_comes_too_late(self, stage: Stage) -> None:
        staged = await stage.stage(await stage.command())
        event = AppDeleted(workspace_id=stage.workspace_id, app_id=stage.app_id)
        await take_down_deleted_app(event, stage.apps, stage.releases)

        for attempt in (stage.switch(a_switch(staged)), stage.publish()):
            with pytest.raises(Rejected) as refusal:
                await attempt
            assert refused(refusal) == AppIsGone(app_id=stage.app_id)
        undone = await abandon_release(an_abandon(staged), stage.apps, stage.releases)

        assert undone.release_id == staged.release_id
        assert stage.releases.releases[staged.release_id].state == ReleaseState.ABANDONED

    async def test_an_app_that_was_never_released_cannot_be_later(self, stage: Stage) -> None:
        event = AppDeleted(workspace_id=stage.workspace_id, app_id=stage.app_id)

        gone = await take_down_deleted_app(event, stage.apps, stage.releases)

        assert gone == ()
        with pytest.raises(Rejected):
            await stage.publish()

    async def test_does_not_touch_another_workspaces_app(self, stage: Stage) -> None:
        live = await stage.publish()
        event = AppDeleted(workspace_id=new_id(), app_id=stage.app_id)

        gone = await take_down_deleted_app(event, stage.apps, stage.releases)

        assert gone == ()
        app = stage.apps.apps[stage.app_id]
        assert app.live_in(Environment.PRODUCTION) == live.release_id
