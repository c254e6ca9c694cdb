"""Workspaces, members and invitations. `$1` is the caller: who is no member sees nothing."""

from typing import Any
from uuid import UUID

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import NotAllowed
from chassis.stores.postgres import Database
from contracts.identity.workspace import (
    GetWorkspaces,
    Invitation,
    Invitations,
    ListInvitations,
    ListMembers,
    ListWorkspaces,
    Member,
    Members,
    Workspace,
    Workspaces,
    WorkspaceSettings,
)

_WORKSPACES = """
SELECT id AS workspace_id, version, created_at, state ->> 'workspace_name' AS workspace_name,
    state ->> 'state' AS state, state -> 'settings' AS settings,
    state -> 'members' -> $1::text ->> 'role' AS role,
    (state ->> 'members_max')::int AS members_max,
    (SELECT count(*) FROM jsonb_object_keys(state -> 'members')) AS members
FROM workspace
WHERE state -> 'members' ? $1::text AND state ->> 'state' <> 'deleted'
"""

_MEMBERS = """
SELECT w.id AS workspace_id, m.user_id, m.role, m.joined_at
FROM workspace AS w CROSS JOIN LATERAL (
    SELECT key::uuid AS user_id, value ->> 'role' AS role,
        (value ->> 'joined_at')::timestamptz AS joined_at
    FROM jsonb_each(w.state -> 'members')
    WHERE $3::text IS NULL OR value ->> 'role' = $3
    ORDER BY joined_at, user_id LIMIT $4
) AS m
WHERE w.id = ANY($2::uuid[]) AND w.state -> 'members' ? $1::text
    AND w.state ->> 'state' <> 'deleted'
ORDER BY w.id, m.joined_at, m.user_id
"""

_INVITATIONS = """
SELECT i.value FROM workspace AS w CROSS JOIN LATERAL jsonb_each(w.state -> 'invitations') AS i
WHERE w.id = $1 AND i.value ->> 'state' = 'open' AND (i.value ->> 'expires_at')::timestamptz > $2
ORDER BY (i.value ->> 'invited_at')::timestamptz DESC, i.key DESC
"""


async def list_workspaces(
    query: ListWorkspaces, database: Database, context: Context
) -> Workspaces:
    """The caller's."""
    if context.actor_id != query.user_id:
        raise NotAllowed("these are another user's workspaces")
    rows = await database.fetch(f"{_WORKSPACES} ORDER BY created_at, id", str(query.user_id))
    return Workspaces(workspaces=[_workspace(row) for row in rows])


async def get_workspaces(query: GetWorkspaces, database: Database, context: Context) -> Workspaces:
    """Those of the wanted ones that are the caller's."""
    sql = f"{_WORKSPACES} AND id = ANY($2::uuid[]) ORDER BY created_at, id"
    rows = await database.fetch(sql, _caller(context), query.workspace_ids)
    return Workspaces(workspaces=[_workspace(row) for row in rows])


async def list_members(query: ListMembers, database: Database, context: Context) -> Members:
    """Of several workspaces at once."""
    rows = await database.fetch(
        _MEMBERS, _caller(context), query.workspace_ids, query.role, query.limit
    )
    return Members(members=[Member(**row) for row in rows])


async def list_invitations(query: ListInvitations, database: Database, clock: Clock) -> Invitations:
    """Those that can be accepted now."""
    rows = await database.fetch(_INVITATIONS, query.workspace_id, clock.now())
    return Invitations(invitations=[_invitation(query.workspace_id, row["value"]) for row in rows])


def _caller(context: Context) -> str:
    return str(context.actor_id)


def _workspace(row: Any) -> Workspace:  # an asyncpg record
    settings = WorkspaceSettings.model_validate(row["settings"] or {})
    return Workspace(**{**row, "settings": settings})


def _invitation(workspace_id: UUID, state: dict[str, Any]) -> Invitation:  # JSON of the row
    return Invitation(workspace_id=workspace_id, **state)
