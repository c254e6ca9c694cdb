"""Who holds a token, and what they may do."""

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.identity.session import Authorize, Authorized, SessionEnded
from contracts.identity.workspace import (
    EffectivePermissions,
    Grant,
    Permissions,
    Role,
    WorkspaceState,
)
from services.identity.model.permissions import FOR_EVERYONE, OPERATOR, permissions_in
from services.identity.model.sessions import token_digest
from services.identity.settings import Settings
from services.identity.store.access import AccessReader


async def authorize(query: Authorize, reader: AccessReader, settings: Settings) -> Authorized:
    """Asked for every request. Operators are named by the platform's settings, in no workspace."""
    token = query.token.get_secret_value()
    access = await reader.find(token_digest(token), query.workspace_id)
    if access is None:
        raise Rejected(SessionEnded())
    state = access.state or WorkspaceState.DELETED
    is_operator = access.user_id in settings.operator_user_ids
    held = FOR_EVERYONE | {OPERATOR} if is_operator else FOR_EVERYONE
    return Authorized(
        user_id=access.user_id,
        session_id=access.session_id,
        expires_at=access.expires_at,
        workspace_id=query.workspace_id,
        role=access.role,
        permissions=sorted(held | permissions_in(access.role, state)),
    )


async def effective_permissions(query: EffectivePermissions, database: Database) -> Permissions:
    """A user's permissions, and where each comes from."""
    row = await database.fetchrow(
        "SELECT state -> 'members' -> $2::text ->> 'role' AS role, state ->> 'state' AS state"
        " FROM workspace WHERE id = $1",
        query.workspace_id,
        str(query.user_id),
    )
    role = Role(row["role"]) if row and row["role"] else None
    held = permissions_in(role, WorkspaceState(row["state"])) if row else frozenset()
    grants = [Grant(permission_name="user", source="user")]
    grants += [Grant(permission_name=name, source=f"role:{role}") for name in sorted(held)]
    return Permissions(
        workspace_id=query.workspace_id, user_id=query.user_id, role=role, grants=grants
    )
