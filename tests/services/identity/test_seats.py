"""Seats that a change of plan holds: checked, kept to, dropped, applied."""

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.billing.account import EntitlementsChanged, Plan
from contracts.identity.workspace import (
    AcceptInvitation,
    ApplySeats,
    DropSeatsHold,
    HoldSeats,
    MemberAdded,
    MembersLimitReached,
    SeatsHeld,
    SeatsInUse,
    WorkspaceUnknown,
)
from services.identity.handlers.seats import apply_seats, drop_seats_hold, hold_seats
from services.identity.handlers.workspaces import limit_members
from tests.services.identity.fakes import FakeWorkspaces, a_user, a_workspace
from tests.services.identity.house import House

OWNER = a_user()


def a_kept_workspace(members_max: int) -> FakeWorkspaces:
    workspaces = FakeWorkspaces()
    workspace = a_workspace(OWNER.user_id, members_max=members_max)
    workspaces.kept[workspace.workspace_id] = workspace
    return workspaces


def a_hold(workspaces: FakeWorkspaces, members_max: int) -> HoldSeats:
    (workspace_id,) = workspaces.kept
    return HoldSeats(workspace_id=workspace_id, hold_id=new_id(), members_max=members_max)


def announced(hold: HoldSeats, members_max: int, *, ends: bool = True) -> EntitlementsChanged:
    return EntitlementsChanged(
        workspace_id=hold.workspace_id,
        plan=Plan.TEAM,
        apps_max=1,
        releases_max=1,
        members_max=members_max,
        hold_id=hold.hold_id if ends else None,
    )


class TestHoldSeats:
    async def test_repeated_changes_nothing(self) -> None:
        workspaces = a_kept_workspace(3)
        hold = a_hold(workspaces, 2)

        first = await hold_seats(hold, workspaces)
        again = await hold_seats(hold, workspaces)

        assert (
            first
            == again
            == SeatsHeld(workspace_id=hold.workspace_id, hold_id=hold.hold_id, members=1)
        )
        assert workspaces.saves == 1

    async def test_an_unknown_workspace_is_a_refusal(self) -> None:
        command = HoldSeats(workspace_id=new_id(), hold_id=new_id(), members_max=1)

        with pytest.raises(Rejected) as refusal:
            await hold_seats(command, FakeWorkspaces())

        assert refusal.value.rejection == WorkspaceUnknown(workspace_id=command.workspace_id)

    async def test_a_larger_limit_lets_nobody_more_in_yet(self) -> None:
        workspaces = a_kept_workspace(1)
        hold = a_hold(workspaces, 25)
        await hold_seats(hold, workspaces)

        workspace = workspaces.kept[hold.workspace_id]

        assert (workspace.members_max, workspace.holds) == (1, {hold.hold_id: 25})


class TestDropSeatsHold:
    async def test_dropping_what_is_not_there_saves_nothing(self) -> None:
        workspaces = a_kept_workspace(3)
        hold = a_hold(workspaces, 2)
        drop = DropSeatsHold(workspace_id=hold.workspace_id, hold_id=hold.hold_id)

        await drop_seats_hold(drop, workspaces)

        assert workspaces.saves == 0


class TestApplySeats:
    async def test_a_late_older_limit_lets_nobody_in(self) -> None:
        """A downgrade: the event of an earlier plan arrives after the saga has applied."""
        workspaces = a_kept_workspace(25)
        hold = a_hold(workspaces, 1)
        await hold_seats(hold, workspaces)
        await apply_seats(
            ApplySeats(workspace_id=hold.workspace_id, hold_id=hold.hold_id), workspaces
        )
        assert workspaces.kept[hold.workspace_id].members_max == 1

        await limit_members(announced(hold, 25, ends=False), workspaces)

        assert workspaces.kept[hold.workspace_id].holds == {hold.hold_id: 1}
        await limit_members(announced(hold, 1), workspaces)
        workspace = workspaces.kept[hold.workspace_id]
        assert (workspace.holds, workspace.members_max) == ({}, 1)

    async def test_after_the_event_it_changes_nothing(self) -> None:
        workspaces = a_kept_workspace(3)
        hold = a_hold(workspaces, 25)
        await hold_seats(hold, workspaces)
        await limit_members(announced(hold, 25), workspaces)
        saves = workspaces.saves

        await apply_seats(
            ApplySeats(workspace_id=hold.workspace_id, hold_id=hold.hold_id), workspaces
        )

        assert workspaces.kept[hold.workspace_id].members_max == 25
        assert workspaces.saves == saves


async def test_a_hold_and_a_new_member_at_the_same_moment_are_never_both_let_through(
    house: House,
) -> None:
    """Room for one more, held to nobody more: either the guest is in, or the hold is."""
    for number in range(8):
        owner_id = await house.registered(f"owner{number}@example.org")
        workspace_id = await house.owned(owner_id)
        guest = await house.registered(f"guest{number}@example.org")
        token = await house.invited(workspace_id, owner_id, f"guest{number}@example.org")

        held, joined = await house.act_at_once(
            (HoldSeats(workspace_id=workspace_id, hold_id=new_id(), members_max=1), None),
            (AcceptInvitation(user_id=guest, token=token), guest),
        )

        if isinstance(held, SeatsHeld):
            assert isinstance(joined, Rejected)
            limit = MembersLimitReached(workspace_id=workspace_id, members_max=1)
            assert joined.rejection == limit
        else:
            assert isinstance(joined, MemberAdded)
            assert isinstance(held, Rejected)
            in_use = SeatsInUse(workspace_id=workspace_id, members=2, members_max=1)
            assert held.rejection == in_use
