"""Users, and wrong passwords in a row."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from chassis.stores.postgres import Statement
from services.identity.model.users import LoginGuard, User


class SqlUsers(AggregateStore[User]):
    """Users; their `version` numbers the events of identity.user."""

    table = "registered_user"
    aggregate = User
    announces = "user"
    key_field = "user_id"
    columns: ClassVar[Mapping[str, tuple[str, Callable[[User], object]]]] = {
        "email": ("text", lambda user: user.email)
    }

    @staticmethod
    def key(user: User) -> UUID:
        return user.user_id

    async def by_email(self, email: str) -> User | None:
        """Whoever has this address, in its normal spelling."""
        return await self.find("email = $1", email) if "\x00" not in email else None


class SqlLoginGuards(AggregateStore[LoginGuard]):
    """One row for each address that was guessed at lately; old ones go with new failures."""

    table = "login_guard"
    aggregate = LoginGuard
    id_type = "text"
    key_field = "email_digest"
    columns: ClassVar[Mapping[str, tuple[str, Callable[[LoginGuard], object]]]] = {
        "failed_at": ("timestamptz", lambda guard: guard.failed_at)
    }

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._mine: set[str] = set()

    @staticmethod
    def key(guard: LoginGuard) -> str:
        return guard.email_digest

    def save(self, guard: LoginGuard) -> None:
        """Also remembers it: the statement that writes a row may not prune it."""
        self._mine.add(guard.email_digest)
        super().save(guard)

    def flush(self, statement: Statement) -> None:
        super().flush(statement)
        if not self._mine:
            return
        settings = self.resources.settings
        quiet = timedelta(seconds=settings.lockout_forget_seconds)
        statement.add(
            "DELETE FROM login_guard WHERE id IN"
            " (SELECT id FROM login_guard WHERE failed_at < {}::timestamptz"
            " AND id <> ALL({}::text[]) ORDER BY failed_at LIMIT {}::int"
            " FOR UPDATE SKIP LOCKED)",
            self.resources.clock.now() - quiet,
            list(self._mine),
            settings.lockouts_pruned_max,
        )
