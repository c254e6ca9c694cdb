"""What one may ask of workspaces."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Reply
from contracts.identity.secret import Secret
from contracts.identity.workspace.facts import (
    InvitationRevoked,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    WorkspaceActivated,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceRenamed,
    WorkspaceSettingsChanged,
)
from contracts.identity.workspace.kinds import Role, WorkspaceSettings


class CreateWorkspace(Command[WorkspaceCreated]):
    """Begin a workspace with its owner; repeating it changes nothing."""

    workspace_id: UUID
    owner_id: UUID
    workspace_name: str = Field(min_length=1, max_length=120)


class DeleteWorkspace(Command[WorkspaceDeleted]):
    """Undo CreateWorkspace; deleting what is not there is success."""

    workspace_id: UUID


class ActivateWorkspace(Command[WorkspaceActivated]):
    """All that the workspace needs exists; repeating it changes nothing."""

    workspace_id: UUID


class ApplyDefaultSettings(Command[WorkspaceSettingsChanged]):
    """Give a workspace its first settings; those that it has stay."""

    workspace_id: UUID


class ChangeWorkspaceSettings(Command[WorkspaceSettingsChanged], permission="workspace.manage"):
    """Replace the settings. The same again is success."""

    workspace_id: UUID
    settings: WorkspaceSettings


class RenameWorkspace(Command[WorkspaceRenamed], permission="workspace.manage"):
    """Give the workspace another name. The same again is success."""

    workspace_id: UUID
    workspace_name: str = Field(min_length=1, max_length=120)


class ChangeMemberRole(Command[MemberRoleChanged], permission="member.manage"):
    """Promote or demote a member. The same role again is success."""

    workspace_id: UUID
    user_id: UUID
    role: Role


class RemoveMember(Command[MemberRemoved], permission="member.manage"):
    """Take a member out. Removing who is not there is success."""

    workspace_id: UUID
    user_id: UUID


class LeaveWorkspace(Command[MemberRemoved], permission="workspace.read"):
    """Take the caller out."""

    workspace_id: UUID


class InvitationIssued(Reply):
    """The token is shown here and never again: pass it on to the invited person."""

    workspace_id: UUID
    invitation_id: UUID
    role: Role
    token: Secret
    expires_at: datetime


class InviteMember(Command[InvitationIssued], permission="member.manage", secret=True):
    """Invite somebody by e-mail address; an earlier invitation of theirs is revoked."""

    workspace_id: UUID
    email: str = Field(max_length=320)
    role: Role | None = None  # None: the one of the workspace's settings


class RevokeInvitation(Command[InvitationRevoked], permission="member.manage"):
    """Take an invitation back. Revoking what is gone is success."""

    workspace_id: UUID
    invitation_id: UUID


class AcceptInvitation(Command[MemberAdded], permission="user", key="user_id"):
    """Become a member. The same user may repeat it."""

    user_id: UUID  # the caller's own
    token: Secret
