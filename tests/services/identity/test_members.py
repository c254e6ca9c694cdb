"""Changing roles, removing members, leaving."""

from uuid import UUID

import pytest

from chassis.errors import Rejected
from contracts.identity.workspace import (
    ChangeMemberRole,
    LastOwner,
    LeaveWorkspace,
    MemberRemoved,
    MemberRoleChanged,
    MemberUnknown,
    RemoveMember,
    Role,
    WorkspaceUnknown,
)
from services.identity.handlers.members import (
    change_member_role,
    leave_workspace,
    remove_member,
)
from services.identity.model.workspaces import Member
from tests.services.identity.fakes import (
    START,
    acting,
)
from tests.services.identity.guests import GUEST, ID, OWNER, Desk


class TestChangingMembers:
    async def test_promotes_once(self) -> None:
        desk = Desk()
        desk.workspace.members[GUEST.user_id] = Member(Role.VIEWER, START)
        command = ChangeMemberRole(workspace_id=ID, user_id=GUEST.user_id, role=Role.OWNER)

        first = await change_member_role(command, desk.workspaces)
        await change_member_role(command, desk.workspaces)

        assert first == MemberRoleChanged(
            workspace_id=ID,
            user_id=GUEST.user_id,
            role=Role.OWNER,
            previous_role=Role.VIEWER,
        )
        assert desk.workspaces.saves == 1

    async def test_the_last_owner_can_neither_be_demoted_nor_removed_nor_leave(self) -> None:
        desk = Desk()
        desk.workspace.members[GUEST.user_id] = Member(Role.EDITOR, START)
        demotion = ChangeMemberRole(workspace_id=ID, user_id=OWNER.user_id, role=Role.EDITOR)
        removal = RemoveMember(workspace_id=ID, user_id=OWNER.user_id)
        refusals = []

        for attempt in (
            change_member_role(demotion, desk.workspaces),
            remove_member(removal, desk.workspaces),
            leave_workspace(
                LeaveWorkspace(workspace_id=ID), desk.workspaces, acting(OWNER.user_id)
            ),
        ):
            with pytest.raises(Rejected) as refusal:
                await attempt
            refusals.append(refusal.value.rejection)

        assert refusals == [LastOwner(workspace_id=ID)] * 3

    async def test_an_owner_may_leave_when_there_is_another(self) -> None:
        desk = Desk()
        desk.workspace.members[GUEST.user_id] = Member(Role.OWNER, START)

        answer = await leave_workspace(
            LeaveWorkspace(workspace_id=ID), desk.workspaces, acting(OWNER.user_id)
        )

        assert answer == MemberRemoved(workspace_id=ID, user_id=OWNER.user_id)
        assert list(desk.kept.members) == [GUEST.user_id]

    async def test_removing_who_is_not_there_is_success(self) -> None:
        desk = Desk()
        command = RemoveMember(workspace_id=ID, user_id=GUEST.user_id)

        answer = await remove_member(command, desk.workspaces)

        assert answer == MemberRemoved(workspace_id=ID, user_id=GUEST.user_id)
        assert desk.workspaces.saves == 0

    async def test_the_role_of_a_stranger_cannot_be_changed(self) -> None:
        command = ChangeMemberRole(workspace_id=ID, user_id=GUEST.user_id, role=Role.EDITOR)

        with pytest.raises(Rejected) as refusal:
            await change_member_role(command, Desk().workspaces)

        assert refusal.value.rejection == MemberUnknown(workspace_id=ID, user_id=GUEST.user_id)

    async def test_a_workspace_that_is_not_there_has_no_members_to_change(self) -> None:
        nowhere = UUID(int=1)

        with pytest.raises(Rejected) as refusal:
            await remove_member(
                RemoveMember(workspace_id=nowhere, user_id=GUEST.user_id), Desk().workspaces
            )

        assert refusal.value.rejection == WorkspaceUnknown(workspace_id=nowhere)
