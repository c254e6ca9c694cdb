"""Access: who holds a token and what they are in a workspace; Redis in front of Postgres.

Postgres is the truth. An entry is as old as the moment before its row was read, and dies after
`access_cache_seconds` by the reader's clock, so nothing stale lives longer, come what may. What
changes access puts a *hold* on it before it commits: readers that see the hold pass the cache by.
So a revocation works at once; only when Redis fails in the very moment of it, within those seconds.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from chassis.errors import Conflict, Unavailable
from chassis.resources import Resources
from contracts.identity.workspace import Role, WorkspaceState

log = structlog.get_logger()


@dataclass(frozen=True)
class Access:
    """A session that was good at `read_at`, and its user's place in the workspace asked about."""

    session_id: UUID
    user_id: UUID
    expires_at: datetime
    read_at: datetime
    role: Role | None = None
    state: WorkspaceState | None = None


_ACCESS = TypeAdapter(Access)

_FIND = """
SELECT s.id, s.user_id, s.expires_at, coalesce(s.used_at, s.opened_at) AS used_at,
    w.state -> 'members' -> s.user_id::text ->> 'role' AS role, w.state ->> 'state' AS state
FROM session AS s LEFT JOIN workspace AS w ON w.id = $2::uuid
WHERE s.token_digest = $1 AND s.revoked_at IS NULL
"""

_TOUCH = "UPDATE session SET used_at = $2 WHERE id = $1 AND coalesce(used_at, opened_at) < $2"


class AccessCache:
    """The cache alone. Without Redis it knows nothing; it never fails."""

    def __init__(self, resources: Resources) -> None:
        self._redis, self._clock = resources.redis, resources.clock
        self._settings = resources.settings
        self._retry_at = float("-inf")  # monotonic: Redis failed, leave it alone until then

    async def read(self, token_digest: str, workspace_id: UUID | None) -> Access | None:
        """An entry that is fresh and not held."""
        if self._clock.monotonic() < self._retry_at:
            return None
        names = [_entry(token_digest, workspace_id), *_holds([token_digest], [workspace_id])]
        found = await self._quick(self._redis.mget(names))
        if not found or found[0] is None or any(hold is not None for hold in found[1:]):
            return None
        try:
            access = _ACCESS.validate_json(found[0])
        except ValidationError:  # of another version of this code
            return None
        age = abs((self._clock.now() - access.read_at).total_seconds())
        return access if age < self._settings.access_cache_seconds else None

    async def write(self, token_digest: str, workspace_id: UUID | None, access: Access) -> None:
        """Keep an entry for a while."""
        if self._clock.monotonic() < self._retry_at:
            return
        name, seconds = _entry(token_digest, workspace_id), self._settings.access_cache_seconds
        await self._quick(self._redis.set(name, _ACCESS.dump_json(access), ex=seconds))

    async def hold(self, sessions: Iterable[str] = (), workspaces: Iterable[UUID] = ()) -> None:
        """Pass the cache by for these token digests and workspaces, until it has forgotten."""
        names = _holds(sessions, workspaces)
        if not names:
            return
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.set(name, b"1", ex=self._settings.access_hold_seconds)
        try:
            async with asyncio.timeout(self._settings.access_hold_timeout_ms / 1000):
                await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            log.warning("access_hold_failed", holds=len(names))

    async def _quick(self, call: Awaitable[Any]) -> Any:  # answers vary by command
        """The answer, or None when Redis has none in time."""
        try:
            async with asyncio.timeout(self._settings.access_cache_timeout_ms / 1000):
                return await call
        except (RedisError, OSError, TimeoutError):
            pause = self._settings.access_cache_retry_ms / 1000
            self._retry_at = self._clock.monotonic() + pause
            return None


class AccessReader:
    """Answers from the cache, else from Postgres. Raises Unavailable when Postgres cannot."""

    def __init__(self, resources: Resources) -> None:
        self._cache = AccessCache(resources)
        self._database, self._clock = resources.database, resources.clock
        self._settings = resources.settings

    async def find(self, token_digest: str, workspace_id: UUID | None) -> Access | None:
        """Who holds the token; None when nobody does (any more)."""
        now = self._clock.now()
        access = await self._cache.read(token_digest, workspace_id)
        if access is None:
            access = await self._read(token_digest, workspace_id, now)
            if access is not None:
                await self._cache.write(token_digest, workspace_id, access)
        return access if access and now < access.expires_at else None

    async def _read(
        self, token_digest: str, workspace_id: UUID | None, now: datetime
    ) -> Access | None:
        row = await self._database.fetchrow(_FIND, token_digest, workspace_id)
        if row is None:
            return None
        idle = now - row["used_at"]
        if idle >= timedelta(seconds=self._settings.session_idle_seconds_max):
            return None
        if idle >= timedelta(seconds=self._settings.session_touch_seconds):
            await self._touch(row["id"], now)
        return Access(
            session_id=row["id"],
            user_id=row["user_id"],
            expires_at=row["expires_at"],
            read_at=now,
            role=Role(row["role"]) if row["role"] else None,
            state=WorkspaceState(row["state"]) if row["state"] else None,
        )

    async def _touch(self, session_id: UUID, now: datetime) -> None:
        """It is used. That this could not be written down is no reason to refuse it."""
        try:
            await self._database.execute(_TOUCH, session_id, now)
        except (Conflict, Unavailable) as error:
            log.warning("session_touch_failed", reason=str(error))


def _entry(token_digest: str, workspace_id: UUID | None) -> str:
    return f"identity:access:{workspace_id or '-'}:{token_digest}"


def _holds(sessions: Iterable[str], workspaces: Iterable[UUID | None]) -> list[str]:
    names = [f"identity:hold:session:{token_digest}" for token_digest in sessions]
    return names + [f"identity:hold:{workspace}" for workspace in workspaces if workspace]
