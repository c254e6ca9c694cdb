"""What happens to workspaces."""

from datetime import datetime
from uuid import UUID

from contracts.base import Event
from contracts.identity.workspace.kinds import Role, WorkspaceSettings


class WorkspaceCreated(Event):
    """A workspace exists, but is not ready."""

    workspace_id: UUID
    owner_id: UUID
    workspace_name: str


class WorkspaceDeleted(Event):
    """The workspace is no more, or never came to be."""

    workspace_id: UUID


class WorkspaceActivated(Event):
    """The workspace is ready for its members."""

    workspace_id: UUID
    owner_id: UUID
    workspace_name: str


class WorkspaceSettingsChanged(Event):
    """The settings that hold from now on."""

    workspace_id: UUID
    settings: WorkspaceSettings


class WorkspaceRenamed(Event):
    """The workspace has another name."""

    workspace_id: UUID
    workspace_name: str


class MemberInvited(Event):
    """Somebody may become a member until then."""

    workspace_id: UUID
    invitation_id: UUID
    role: Role
    expires_at: datetime


class InvitationRevoked(Event):
    """The invitation's token is void."""

    workspace_id: UUID
    invitation_id: UUID


class MemberAdded(Event):
    """An invited user has joined."""

    workspace_id: UUID
    user_id: UUID
    role: Role
    invitation_id: UUID


class MemberRoleChanged(Event):
    """A member may do more, or less."""

    workspace_id: UUID
    user_id: UUID
    role: Role
    previous_role: Role


class MemberRemoved(Event):
    """A member has left, or was removed."""

    workspace_id: UUID
    user_id: UUID
