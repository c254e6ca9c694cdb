"""Room for apps that a change of plan holds: checked, kept to, dropped, applied."""

import asyncio
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.errors import Rejected
from contracts.billing.account import EntitlementsChanged, Plan
from contracts.studio.app import (
    AppCreated,
    AppLimitReached,
    ApplyApps,
    AppsHeld,
    AppsInUse,
    DropAppsHold,
    HoldApps,
)
from tests.services.participant import an_envelope
from tests.services.studio.desk import Desk, desk_hears_plan


def a_hold(desk: Desk, apps_max: int) -> HoldApps:
    return HoldApps(workspace_id=desk.workspace_id, hold_id=new_id(), apps_max=apps_max)


async def hears(desk: Desk, apps_max: int, hold_id: UUID) -> None:
    """What billing announces when a change of plan is applied."""
    event = EntitlementsChanged(
        workspace_id=desk.workspace_id,
        plan=Plan.FREE,
        apps_max=apps_max,
        releases_max=2,
        members_max=3,
        hold_id=hold_id,
    )
    await desk.studio.hear(an_envelope(event, SystemClock()))


async def refused(desk: Desk) -> AppLimitReached:
    with pytest.raises(Rejected) as refusal:
        await desk.app()
    assert isinstance(refusal.value.rejection, AppLimitReached)
    return refusal.value.rejection


async def test_no_app_is_added_beyond_a_hold_until_it_is_dropped(desk: Desk) -> None:
    hold = a_hold(desk, 1)
    held = await desk.studio.send(hold)
    assert held == AppsHeld(workspace_id=desk.workspace_id, hold_id=hold.hold_id, apps=1)
    assert (await refused(desk)).apps_max == 1

    drop = DropAppsHold(workspace_id=desk.workspace_id, hold_id=hold.hold_id)
    await desk.studio.send(drop)
    await desk.studio.send(drop)  # under another id

    assert isinstance(await desk.app(), AppCreated)


async def test_a_limit_below_what_is_there_is_refused(desk: Desk) -> None:
    await desk.app()

    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(a_hold(desk, 1))

    in_use = AppsInUse(workspace_id=desk.workspace_id, apps=2, apps_max=1)
    assert refusal.value.rejection == in_use


async def test_a_late_older_limit_lets_no_app_in(desk: Desk) -> None:
    hold = a_hold(desk, 1)
    await desk.studio.send(hold)
    await desk.studio.send(ApplyApps(workspace_id=desk.workspace_id, hold_id=hold.hold_id))

    await desk_hears_plan(desk, 50)

    assert (await refused(desk)).apps_max == 1
    await hears(desk, 1, hold.hold_id)
    assert (await refused(desk)).apps_max == 1


async def test_a_larger_limit_counts_from_when_it_is_applied(desk: Desk) -> None:
    await desk_hears_plan(desk, 1)
    hold = a_hold(desk, 50)
    await desk.studio.send(hold)
    assert (await refused(desk)).apps_max == 1

    await desk.studio.send(ApplyApps(workspace_id=desk.workspace_id, hold_id=hold.hold_id))

    assert isinstance(await desk.app(), AppCreated)
    await hears(desk, 50, hold.hold_id)
    assert isinstance(await desk.app(), AppCreated)


async def test_a_hold_and_new_apps_at_the_same_moment_never_exceed_the_limit(desk: Desk) -> None:
    hold = a_hold(desk, 2)

    held, *apps = await asyncio.gather(
        desk.studio.send(hold), *(desk.app() for _ in range(3)), return_exceptions=True
    )

    made = 1 + sum(isinstance(app, AppCreated) for app in apps)
    if isinstance(held, AppsHeld):
        assert made == 2
    else:
        assert isinstance(held, Rejected)
        assert isinstance(held.rejection, AppsInUse)
        assert made > 2
