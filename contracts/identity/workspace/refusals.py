"""Why a change of a workspace can be refused."""

from uuid import UUID

from contracts.base import Rejection


class WorkspaceUnknown(Rejection):
    """There is no such workspace, or it has ended, or it is not ready."""

    workspace_id: UUID


class WorkspaceTaken(Rejection):
    """Another workspace has this id."""

    workspace_id: UUID


class WorkspaceInUse(Rejection):
    """An active workspace is not undone."""

    workspace_id: UUID


class MemberUnknown(Rejection):
    """The user is no member of the workspace."""

    workspace_id: UUID
    user_id: UUID


class LastOwner(Rejection):
    """A workspace keeps at least one owner: make somebody else owner first."""

    workspace_id: UUID


class MembersLimitReached(Rejection):
    """The plan does not allow more members; open invitations count."""

    workspace_id: UUID
    members_max: int


class AlreadyMember(Rejection):
    """The invited person is a member."""

    workspace_id: UUID
    user_id: UUID


class InvitationUnknown(Rejection):
    """There is no such invitation: it was used, was revoked, expired or never existed."""


class InvitationForSomebodyElse(Rejection):
    """The invitation is for another e-mail address than the caller's."""


class WorkspaceNameMalformed(Rejection):
    """A name needs something to read, and no control characters."""
