"""Inviting people, and accepting."""

import pytest
from pydantic import SecretStr

from chassis.errors import NotAllowed, Rejected
from contracts.identity.workspace import (
    AcceptInvitation,
    AlreadyMember,
    InvitationForSomebodyElse,
    InvitationRevoked,
    InvitationUnknown,
    MemberAdded,
    MemberInvited,
    MembersLimitReached,
    RemoveMember,
    RevokeInvitation,
    Role,
    WorkspaceSettings,
    WorkspaceState,
)
from services.identity.handlers.members import (
    accept_invitation,
    remove_member,
    revoke_invitation,
)
from services.identity.model.workspaces import Member
from tests.services.identity.fakes import (
    START,
    a_workspace,
    acting,
)
from tests.services.identity.guests import DAY, GUEST, ID, OWNER, STRANGER, Desk


class TestInviteMember:
    async def test_keeps_a_digest_and_announces_no_address(self) -> None:
        desk = Desk()

        issued, facts = await desk.invite()

        kept = desk.kept.invitations[issued.invitation_id]
        assert issued.token.get_secret_value() not in repr(kept)
        assert (kept.role, kept.invited_by) == (Role.EDITOR, OWNER.user_id)
        assert facts == [
            MemberInvited(
                workspace_id=ID,
                invitation_id=issued.invitation_id,
                role=Role.EDITOR,
                expires_at=issued.expires_at,
            )
        ]

    async def test_offers_the_role_of_the_settings_when_none_is_named(self) -> None:
        desk = Desk()
        desk.workspace.settings = WorkspaceSettings(invitation_role=Role.EDITOR)

        issued, _ = await desk.invite(role=None)

        assert issued.role == Role.EDITOR

    async def test_a_second_one_for_an_address_voids_the_first(self) -> None:
        desk = Desk()
        first, _ = await desk.invite()

        _, facts = await desk.invite(email="GUEST@example.org")

        assert facts[1:] == [InvitationRevoked(workspace_id=ID, invitation_id=first.invitation_id)]
        assert await desk.refusal_of_accepting(first.token) == InvitationUnknown()

    async def test_members_and_open_invitations_together_fill_the_plan(self) -> None:
        desk = Desk(a_workspace(OWNER.user_id, members_max=3))
        await desk.invite("one@example.org")
        await desk.invite("two@example.org")

        with pytest.raises(Rejected) as refusal:
            await desk.invite("three@example.org")
        await desk.invite("two@example.org")  # replaces: takes no further place
        desk.clock.forward(DAY)
        await desk.invite("three@example.org")  # the others have expired

        assert refusal.value.rejection == MembersLimitReached(workspace_id=ID, members_max=3)
        assert len(desk.kept.invitations) == 1

    async def test_refuses_somebody_who_is_there(self) -> None:
        with pytest.raises(Rejected) as refusal:
            await Desk().invite(OWNER.email)

        assert refusal.value.rejection == AlreadyMember(workspace_id=ID, user_id=OWNER.user_id)


class TestAcceptInvitation:
    async def test_makes_a_member_once_however_often_it_is_repeated(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()

        answers = [await desk.accept(issued.token) for _ in range(2)]

        added = MemberAdded(
            workspace_id=ID,
            user_id=GUEST.user_id,
            role=Role.EDITOR,
            invitation_id=issued.invitation_id,
        )
        assert answers == [added, added]
        assert desk.kept.members[GUEST.user_id] == Member(Role.EDITOR, START)
        assert desk.workspaces.saves == 2  # the invitation, and one acceptance

    async def test_is_for_the_invited_address_only(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()

        refusal = await desk.refusal_of_accepting(issued.token, STRANGER)

        assert refusal == InvitationForSomebodyElse()

    async def test_anothers_accepted_invitation_is_unknown(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        await desk.accept(issued.token)

        assert await desk.refusal_of_accepting(issued.token, STRANGER) == InvitationUnknown()

    async def test_comes_too_late_after_a_day(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        desk.clock.forward(DAY)

        assert await desk.refusal_of_accepting(issued.token) == InvitationUnknown()

    async def test_does_not_bring_a_removed_member_back(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        await desk.accept(issued.token)
        await remove_member(RemoveMember(workspace_id=ID, user_id=GUEST.user_id), desk.workspaces)

        assert await desk.refusal_of_accepting(issued.token) == InvitationUnknown()

    async def test_a_plan_that_shrank_meanwhile_refuses(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        desk.kept.members_max = 1

        assert await desk.refusal_of_accepting(issued.token) == MembersLimitReached(
            workspace_id=ID, members_max=1
        )

    async def test_a_revoked_one_opens_nothing(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        command = RevokeInvitation(workspace_id=ID, invitation_id=issued.invitation_id)

        answers = [await revoke_invitation(command, desk.workspaces) for _ in range(2)]

        assert answers[0] == answers[1]
        assert desk.workspaces.saves == 2  # the invitation, and one revocation
        assert await desk.refusal_of_accepting(issued.token) == InvitationUnknown()

    @pytest.mark.parametrize("token", ["", "nonsense", "A" * 64])
    async def test_a_made_up_token_opens_nothing(self, token: str) -> None:
        assert await Desk().refusal_of_accepting(SecretStr(token)) == InvitationUnknown()

    async def test_a_workspace_that_ended_cannot_be_joined(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        desk.kept.state = WorkspaceState.DELETED

        assert await desk.refusal_of_accepting(issued.token) == InvitationUnknown()

    async def test_nobody_accepts_in_anothers_name(self) -> None:
        desk = Desk()
        issued, _ = await desk.invite()
        command = AcceptInvitation(user_id=GUEST.user_id, token=issued.token)

        with pytest.raises(NotAllowed):
            await accept_invitation(
                command, desk.workspaces, desk.users, desk.clock, acting(STRANGER.user_id)
            )
