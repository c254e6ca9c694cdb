"""Sessions: the truth of who is logged in. The column `used_at` is the views', not the model's."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from chassis.stores.postgres import Statement
from services.identity.model.sessions import Session
from services.identity.store.access import AccessCache


class SqlSessions(AggregateStore[Session]):
    """Sessions; their `version` numbers the events of identity.session."""

    table = "session"
    aggregate = Session
    announces = "session"
    key_field = "session_id"
    columns: ClassVar[Mapping[str, tuple[str, Callable[[Session], object]]]] = {
        "user_id": ("uuid", lambda session: session.user_id),
        "token_digest": ("text", lambda session: session.token_digest),
        "opened_at": ("timestamptz", lambda session: session.opened_at),
        "expires_at": ("timestamptz", lambda session: session.expires_at),
        "revoked_at": ("timestamptz", lambda session: session.revoked_at),
    }

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._cache = AccessCache(resources)
        self._mine: set[UUID] = set()
        self._ended: set[str] = set()

    @staticmethod
    def key(session: Session) -> UUID:
        return session.session_id

    async def open_ones(self, user_id: UUID, now: datetime) -> list[Session]:
        """A user's sessions that are neither revoked nor too old, oldest first."""
        return await self.find_many(
            "user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY opened_at, id",
            user_id,
            now,
        )

    def save(self, session: Session) -> None:
        """Also remembers whose access the cache must forget."""
        self._mine.add(session.session_id)
        if session.revoked_at is not None:
            self._ended.add(session.token_digest)
        super().save(session)

    async def before_flush(self) -> None:
        """Before the commit: whoever asks from then on reads Postgres."""
        await self._cache.hold(sessions=self._ended)

    def flush(self, statement: Statement) -> None:
        """Also deletes some sessions that expired."""
        super().flush(statement)
        if not self._mine:
            return
        statement.add(
            "DELETE FROM session WHERE id IN (SELECT id FROM session"
            " WHERE expires_at < {}::timestamptz AND id <> ALL({}::uuid[])"
            " ORDER BY expires_at LIMIT {}::int FOR UPDATE SKIP LOCKED)",
            self.resources.clock.now(),
            list(self._mine),
            self.resources.settings.sessions_pruned_max,
        )
