"""A workspace with an owner, somebody to invite, and a stranger."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from pydantic import SecretStr

from chassis.errors import Rejected
from contracts.base import Rejection
from contracts.identity.workspace import (
    AcceptInvitation,
    InvitationIssued,
    InviteMember,
    MemberAdded,
    Role,
)
from services.identity.handlers.members import (
    accept_invitation,
    invite_member,
)
from services.identity.model.users import User
from services.identity.model.workspaces import Workspace
from tests.services.identity.fakes import (
    FakeClock,
    FakeMint,
    FakeUsers,
    FakeWorkspaces,
    a_user,
    a_workspace,
    acting,
    some_settings,
)

OWNER = a_user(900, "owner@example.org")
GUEST = a_user(901, "guest@example.org")
STRANGER = a_user(902, "stranger@example.org")
ID = UUID(int=700)
DAY = 86_400


@dataclass
class Desk:
    """The handlers with their ports, a workspace, and three users."""

    workspace: Workspace = field(default_factory=lambda: a_workspace(OWNER.user_id))
    clock: FakeClock = field(default_factory=FakeClock)
    mint: FakeMint = field(default_factory=FakeMint)

    def __post_init__(self) -> None:
        self.workspaces = FakeWorkspaces({ID: self.workspace})
        people = (OWNER, GUEST, STRANGER)
        self.users = FakeUsers({user.user_id: user for user in people})

    @property
    def kept(self) -> Workspace:
        return self.workspaces.kept[ID]

    async def invite(
        self, email: str = GUEST.email, role: Role | None = Role.EDITOR
    ) -> tuple[InvitationIssued, list[object]]:
        issued, *facts = await invite_member(
            InviteMember(workspace_id=ID, email=email, role=role),
            self.workspaces,
            self.users,
            self.mint,
            self.clock,
            some_settings(invitation_seconds_max=DAY),
            acting(OWNER.user_id),
        )
        assert isinstance(issued, InvitationIssued)
        return issued, list(facts)

    async def accept(self, token: SecretStr, user: User = GUEST) -> MemberAdded:
        return await accept_invitation(
            AcceptInvitation(user_id=user.user_id, token=token),
            self.workspaces,
            self.users,
            self.clock,
            acting(user.user_id),
        )

    async def refusal_of_accepting(self, token: SecretStr, user: User = GUEST) -> Rejection:
        with pytest.raises(Rejected) as refusal:
            await self.accept(token, user)
        return refusal.value.rejection
