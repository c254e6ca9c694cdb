"""What one may ask about workspaces, and the answers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from contracts.base import Query, Reply
from contracts.identity.workspace.kinds import Role, WorkspaceSettings, WorkspaceState


class Workspace(Reply):
    """A workspace as one of its members sees it. `role` is the asking member's."""

    workspace_id: UUID
    workspace_name: str
    state: WorkspaceState
    role: Role
    settings: WorkspaceSettings
    members: int
    members_max: int
    created_at: datetime
    version: int  # the aggregateversion of the last event that this includes


class Workspaces(Reply):
    """Some workspaces, oldest first."""

    workspaces: list[Workspace]


class ListWorkspaces(Query[Workspaces], permission="user", key="user_id"):
    """The workspaces that the caller is a member of; those that have ended are left out."""

    user_id: UUID


class GetWorkspaces(Query[Workspaces], permission="user"):
    """Workspaces by id; those that the caller is no member of are left out."""

    workspace_ids: list[UUID] = Field(max_length=200)


class Member(Reply):
    """A user's place in a workspace."""

    workspace_id: UUID
    user_id: UUID
    role: Role
    joined_at: datetime


class Members(Reply):
    """Members of some workspaces, by workspace, then in order of joining."""

    members: list[Member]


class ListMembers(Query[Members], permission="user"):
    """The members of workspaces that the caller is a member of; other workspaces are left out.

    `role` narrows; `limit` counts for each workspace.
    """

    workspace_ids: list[UUID] = Field(max_length=200)
    role: Role | None = None
    limit: int = Field(default=200, ge=1, le=1000)


class Invitation(Reply):
    """An invitation that can be accepted."""

    workspace_id: UUID
    invitation_id: UUID
    email: str
    role: Role
    invited_by: UUID
    invited_at: datetime
    expires_at: datetime


class Invitations(Reply):
    """Open invitations, newest first. There are no more than the plan allows members."""

    invitations: list[Invitation]


class ListInvitations(Query[Invitations], permission="member.manage"):
    """The open invitations of a workspace."""

    workspace_id: UUID


class Grant(Reply):
    """A permission and why it is held. `source`: `role:editor`, or `user` for every user."""

    permission_name: str
    source: str


class Permissions(Reply):
    """What a user may do in a workspace. `role` is None for those who are no members."""

    workspace_id: UUID
    user_id: UUID
    role: Role | None
    grants: list[Grant]


class EffectivePermissions(Query[Permissions], permission="workspace.read"):
    """What a user may do in this workspace, and why."""

    workspace_id: UUID
    user_id: UUID
