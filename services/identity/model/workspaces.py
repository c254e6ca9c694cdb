"""Workspaces: who works together, as what, and who is invited."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.identity.workspace import (
    AlreadyMember,
    InvitationForSomebodyElse,
    InvitationUnknown,
    LastOwner,
    MembersLimitReached,
    MemberUnknown,
    Role,
    SeatsInUse,
    WorkspaceNameMalformed,
    WorkspaceSettings,
    WorkspaceState,
    WorkspaceTaken,
    WorkspaceUnknown,
)
from services.identity.model.sessions import token_digest, token_of

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass
class Member:
    """A user's place in a workspace."""

    role: Role
    joined_at: datetime


class InvitationState(StrEnum):
    """Revoked and expired invitations are not kept."""

    OPEN = "open"
    ACCEPTED = "accepted"


@dataclass
class Invitation:
    """A way in for one e-mail address. An accepted one is kept, so that accepting can repeat."""

    invitation_id: UUID
    email: str
    role: Role
    token_digest: str
    invited_by: UUID
    invited_at: datetime
    expires_at: datetime
    state: InvitationState = InvitationState.OPEN
    accepted_by: UUID | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it can be accepted."""
        return self.state == InvitationState.OPEN and now < self.expires_at


@dataclass
class Workspace:
    """The tenant: its members, its invitations, its settings. It always has an owner."""

    workspace_id: UUID
    workspace_name: str
    owner_id: UUID  # who created it
    created_at: datetime
    members_max: int
    state: WorkspaceState = WorkspaceState.PENDING
    members: dict[UUID, Member] = field(default_factory=dict)
    invitations: dict[UUID, Invitation] = field(default_factory=dict)
    settings: WorkspaceSettings | None = None
    holds: dict[UUID, int] = field(default_factory=dict)
    """Limits that a change of plan keeps to meanwhile, by its hold's id."""

    # --- its life, which a saga leads

    def demand_same(self, owner_id: UUID, workspace_name: str) -> None:
        """Creating it again is success as long as it is pending. Another onboarding of one that
        is active would undo, when it fails, what the first one made."""
        same = self.owner_id == owner_id and self.workspace_name == workspace_name
        if not same or self.state != WorkspaceState.PENDING:
            raise Rejected(WorkspaceTaken(workspace_id=self.workspace_id))

    def delete(self) -> bool:
        """Undo its creation. False: there is nothing to undo. An active one is somebody else's:
        whoever activated it does not go back, and whoever does may be in doubt about a creation
        that was refused."""
        changed = self.state == WorkspaceState.PENDING
        if changed:
            self.state = WorkspaceState.DELETED
        return changed

    def activate(self) -> bool:
        """Make it ready. False: it is already."""
        if self.state == WorkspaceState.DELETED:
            raise Rejected(WorkspaceUnknown(workspace_id=self.workspace_id))
        changed, self.state = self.state != WorkspaceState.ACTIVE, WorkspaceState.ACTIVE
        return changed

    def demand_active(self) -> None:
        """People change a workspace only while it is active."""
        if self.state != WorkspaceState.ACTIVE:
            raise Rejected(WorkspaceUnknown(workspace_id=self.workspace_id))

    # --- members

    def member(self, user_id: UUID) -> Member:
        """One member. Rejected with MemberUnknown."""
        if user_id not in self.members:
            raise Rejected(MemberUnknown(workspace_id=self.workspace_id, user_id=user_id))
        return self.members[user_id]

    def change_role(self, user_id: UUID, role: Role) -> bool:
        """Promote or demote. False: it is the role already. Refused for the last owner."""
        member = self.member(user_id)
        if member.role == role:
            return False
        self._keep_an_owner(without=user_id)
        member.role = role
        return True

    def remove(self, user_id: UUID) -> bool:
        """Take a member out. False: there is none. Refused for the last owner."""
        if user_id not in self.members:
            return False
        self._keep_an_owner(without=user_id)
        del self.members[user_id]
        return True

    def _keep_an_owner(self, without: UUID) -> None:
        owners = {user_id for user_id, m in self.members.items() if m.role == Role.OWNER}
        if owners == {without}:
            raise Rejected(LastOwner(workspace_id=self.workspace_id))

    # --- invitations

    def invite(self, invitation: Invitation, member_ids: Iterable[UUID]) -> list[UUID]:
        """Add an invitation; the ids of the earlier ones for this address, which it replaces.

        `member_ids` are the users who have this address already. Refused when the plan is full.
        """
        for user_id in member_ids:
            if user_id in self.members:
                raise Rejected(AlreadyMember(workspace_id=self.workspace_id, user_id=user_id))
        now = invitation.invited_at
        self.invitations = {k: v for k, v in self.invitations.items() if now < v.expires_at}
        is_open = [item for item in self.invitations.values() if item.is_open(now)]
        replaced = [item.invitation_id for item in is_open if item.email == invitation.email]
        self._demand_room(len(is_open) - len(replaced))
        for invitation_id in replaced:
            del self.invitations[invitation_id]
        self.invitations[invitation.invitation_id] = invitation
        return replaced

    def revoke(self, invitation_id: UUID) -> bool:
        """Take an invitation back. False: there is none. An accepted one stays accepted."""
        invitation = self.invitations.get(invitation_id)
        if invitation is None or invitation.state != InvitationState.OPEN:
            return False
        del self.invitations[invitation_id]
        return True

    def invitation_for(self, token: str, email: str, user_id: UUID) -> Invitation:
        """What the token opens for this user: an open invitation, or the one they accepted.

        Rejected with InvitationUnknown or InvitationForSomebodyElse.
        """
        digest = token_digest(token)
        for invitation in self.invitations.values():
            if not hmac.compare_digest(invitation.token_digest, digest):
                continue
            if invitation.state == InvitationState.ACCEPTED and invitation.accepted_by != user_id:
                break
            if invitation.email != email:
                raise Rejected(InvitationForSomebodyElse())
            return invitation
        raise Rejected(InvitationUnknown())

    def accept(self, invitation: Invitation, user_id: UUID, now: datetime) -> bool:
        """Make the user a member. False: they have accepted already. Refused when too late, or
        when the plan is full; a member who was removed needs a new invitation."""
        if invitation.state == InvitationState.ACCEPTED and user_id in self.members:
            return False
        if not invitation.is_open(now):
            raise Rejected(InvitationUnknown())
        if user_id in self.members:
            raise Rejected(AlreadyMember(workspace_id=self.workspace_id, user_id=user_id))
        self._demand_room(0)
        self.members[user_id] = Member(invitation.role, now)
        invitation.state, invitation.accepted_by = InvitationState.ACCEPTED, user_id
        return True

    def _demand_room(self, reserved: int) -> None:
        limit = min([self.members_max, *self.holds.values()])
        if len(self.members) + reserved >= limit:
            raise Rejected(MembersLimitReached(workspace_id=self.workspace_id, members_max=limit))

    # --- its seats, while its plan changes

    def hold_seats(self, hold_id: UUID, members_max: int) -> bool:
        """Keep to a limit for now. False: it is held already. Refused with SeatsInUse."""
        if self.holds.get(hold_id) == members_max:
            return False
        if len(self.members) > members_max:
            raise Rejected(
                SeatsInUse(
                    workspace_id=self.workspace_id,
                    members=len(self.members),
                    members_max=members_max,
                )
            )
        self.holds[hold_id] = members_max
        return True

    def drop_hold(self, hold_id: UUID) -> bool:
        """Forget a hold. False: there is none."""
        return self.holds.pop(hold_id, None) is not None

    def apply_hold(self, hold_id: UUID) -> bool:
        """Make the held limit the workspace's own. False: it is already."""
        changed = self.holds.get(hold_id, self.members_max) != self.members_max
        self.members_max = self.holds.get(hold_id, self.members_max)
        return changed

    def entitle(self, members_max: int, hold_id: UUID | None) -> bool:
        """The plan's limit; it ends the hold that was made for it. False: nothing is new."""
        ended = hold_id is not None and self.drop_hold(hold_id)
        changed = self.members_max != members_max
        self.members_max = members_max
        return changed or ended


class Workspaces(Protocol):
    """Where workspaces are kept."""

    async def get(self, workspace_id: UUID) -> Workspace | None: ...

    def save(self, workspace: Workspace) -> None: ...


def clean_name(text: str) -> str:
    """A workspace's name as it is kept. Rejected with WorkspaceNameMalformed."""
    name = text.strip()
    if not name or _CONTROL.search(name):
        raise Rejected(WorkspaceNameMalformed())
    return name


def invitation_token(workspace_id: UUID, secret: bytes) -> str:
    """What an invited person is given: it says which workspace to look in."""
    return token_of(workspace_id.bytes + secret)


def workspace_of_token(token: str) -> UUID:
    """Where to look for an invitation. Rejected with InvitationUnknown."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Rejected(InvitationUnknown()) from None
    if len(raw) <= len(UUID(int=0).bytes):
        raise Rejected(InvitationUnknown())
    return UUID(bytes=raw[:16])
