"""Users and their sessions."""

from datetime import timedelta

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import NotAllowed
from chassis.stores.postgres import Database
from contracts.identity.session import ListSessions, Session, Sessions
from contracts.identity.user import GetUsers, User, Users
from services.identity.settings import Settings

_USERS = """
WITH seen AS MATERIALIZED (
    SELECT $2::text AS user_id
    UNION
    SELECT jsonb_object_keys(state -> 'members') FROM workspace
    WHERE state -> 'members' ? $2::text AND state ->> 'state' <> 'deleted'
)
SELECT u.id AS user_id, u.email, u.state ->> 'display_name' AS display_name,
    (u.state ->> 'registered_at')::timestamptz AS registered_at
FROM registered_user AS u JOIN seen ON seen.user_id = u.id::text WHERE u.id = ANY($1::uuid[])
"""

_SESSIONS = """
SELECT id AS session_id, state ->> 'client' AS client, opened_at,
    coalesce(used_at, opened_at) AS used_at, expires_at
FROM session
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
    AND coalesce(used_at, opened_at) > $3
ORDER BY opened_at DESC, id DESC
"""


async def get_users(query: GetUsers, database: Database, context: Context) -> Users:
    """The caller, and whoever shares a workspace with them."""
    rows = await database.fetch(_USERS, query.user_ids, str(context.actor_id))
    return Users(users=[User(**row) for row in rows])


async def list_sessions(
    query: ListSessions, database: Database, clock: Clock, settings: Settings, context: Context
) -> Sessions:
    """The caller's own, those that are good for something."""
    if context.actor_id != query.user_id:
        raise NotAllowed("these are another user's sessions")
    now = clock.now()
    idle = timedelta(seconds=settings.session_idle_seconds_max)
    rows = await database.fetch(_SESSIONS, query.user_id, now, now - idle)
    return Sessions(sessions=[Session(**row) for row in rows])
