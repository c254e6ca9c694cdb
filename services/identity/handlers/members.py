"""Members and invitations."""

from datetime import timedelta

from pydantic import SecretStr

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import NotAllowed, Rejected
from contracts.base import Message
from contracts.identity.workspace import (
    AcceptInvitation,
    ChangeMemberRole,
    InvitationIssued,
    InvitationRevoked,
    InvitationUnknown,
    InviteMember,
    LeaveWorkspace,
    MemberAdded,
    MemberInvited,
    MemberRemoved,
    MemberRoleChanged,
    RemoveMember,
    RevokeInvitation,
    WorkspaceSettings,
    WorkspaceState,
)
from services.identity.handlers.common import active_workspace, demand_self, known_user
from services.identity.model.passwords import Mint
from services.identity.model.sessions import token_digest
from services.identity.model.users import Users, normal_email
from services.identity.model.workspaces import (
    Invitation,
    Workspaces,
    invitation_token,
    workspace_of_token,
)
from services.identity.settings import Settings


async def invite_member(
    command: InviteMember,
    workspaces: Workspaces,
    users: Users,
    mint: Mint,
    clock: Clock,
    settings: Settings,
    context: Context,
) -> tuple[Message, ...]:
    """The token goes to who invites, and they pass it on."""
    if context.actor_id is None:
        raise NotAllowed("an invitation comes from somebody")
    email = normal_email(command.email)
    workspace = await active_workspace(workspaces, command.workspace_id)
    token = invitation_token(workspace.workspace_id, mint.secret())
    default = workspace.settings or WorkspaceSettings()
    now = clock.now()
    invitation = Invitation(
        invitation_id=mint.id(),
        email=email,
        role=command.role or default.invitation_role,
        token_digest=token_digest(token),
        invited_by=context.actor_id,
        invited_at=now,
        expires_at=now + timedelta(seconds=settings.invitation_seconds_max),
    )
    registered = await users.by_email(email)
    replaced = workspace.invite(invitation, [registered.user_id] if registered else [])
    workspaces.save(workspace)
    shared = {
        "workspace_id": workspace.workspace_id,
        "invitation_id": invitation.invitation_id,
        "role": invitation.role,
        "expires_at": invitation.expires_at,
    }
    revoked = [
        InvitationRevoked(workspace_id=workspace.workspace_id, invitation_id=invitation_id)
        for invitation_id in replaced
    ]
    return InvitationIssued(token=SecretStr(token), **shared), MemberInvited(**shared), *revoked


async def revoke_invitation(command: RevokeInvitation, workspaces: Workspaces) -> InvitationRevoked:
    """Its token opens nothing any more."""
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.revoke(command.invitation_id):
        workspaces.save(workspace)
    return InvitationRevoked(
        workspace_id=workspace.workspace_id, invitation_id=command.invitation_id
    )


async def accept_invitation(
    command: AcceptInvitation,
    workspaces: Workspaces,
    users: Users,
    clock: Clock,
    context: Context,
) -> MemberAdded:
    """The token says where, the caller's address says that it is theirs."""
    demand_self(command.user_id, context)
    token = command.token.get_secret_value()
    user = await known_user(users, command.user_id)
    workspace = await workspaces.get(workspace_of_token(token))
    if workspace is None or workspace.state != WorkspaceState.ACTIVE:
        raise Rejected(InvitationUnknown())
    invitation = workspace.invitation_for(token, user.email, user.user_id)
    if workspace.accept(invitation, user.user_id, clock.now()):
        workspaces.save(workspace)
    return MemberAdded(
        workspace_id=workspace.workspace_id,
        user_id=user.user_id,
        role=invitation.role,
        invitation_id=invitation.invitation_id,
    )


async def change_member_role(
    command: ChangeMemberRole, workspaces: Workspaces
) -> MemberRoleChanged:
    """Promote or demote."""
    workspace = await active_workspace(workspaces, command.workspace_id)
    previous_role = workspace.member(command.user_id).role
    if workspace.change_role(command.user_id, command.role):
        workspaces.save(workspace)
    return MemberRoleChanged(
        workspace_id=workspace.workspace_id,
        user_id=command.user_id,
        role=command.role,
        previous_role=previous_role,
    )


async def remove_member(command: RemoveMember, workspaces: Workspaces) -> MemberRemoved:
    """Take somebody out."""
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.remove(command.user_id):
        workspaces.save(workspace)
    return MemberRemoved(workspace_id=workspace.workspace_id, user_id=command.user_id)


async def leave_workspace(
    command: LeaveWorkspace, workspaces: Workspaces, context: Context
) -> MemberRemoved:
    """Take oneself out."""
    if context.actor_id is None:
        raise NotAllowed("somebody has to leave")
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.remove(context.actor_id):
        workspaces.save(workspace)
    return MemberRemoved(workspace_id=workspace.workspace_id, user_id=context.actor_id)


HANDLERS = (
    invite_member,
    revoke_invitation,
    accept_invitation,
    change_member_role,
    remove_member,
    leave_workspace,
)
