"""Identity's ports in memory, and builders that show only what a test is about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import SecretStr

from chassis.context import Context, trusted_context
from contracts.identity.session import LogIn
from contracts.identity.user import ChangePassword, Register
from contracts.identity.workspace import Role, WorkspaceState
from services.identity.model.sessions import Session
from services.identity.model.users import LoginGuard, User
from services.identity.model.workspaces import Member, Workspace
from services.identity.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "an entirely different one"
CONTEXT_KEY = "a test's key of contexts"


def some_settings(**what_matters: object) -> Settings:
    """Settings whose hashes cost next to nothing."""
    cheap = {"password_hash_memory_kib": 8, "password_hash_passes": 1}
    return Settings.model_validate({"context_key": CONTEXT_KEY, **cheap, **what_matters})


@dataclass
class FakeClock:
    """Time passes when a test says so."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        """Let so much time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class FakeMint:
    """Ids and secrets in order of asking."""

    count: int = 0

    def id(self) -> UUID:
        self.count += 1
        return UUID(int=self.count)

    def secret(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(32)


@dataclass
class FakePasswords:
    """Hashes that are readable; "old" ones need renewing. `holders` counts the turns held."""

    holders: int = 0
    compared: list[str | None] = field(default_factory=list)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        self.holders += 1
        yield
        self.holders -= 1

    async def hash(self, password: str) -> str:
        assert self.holders, "hold a turn"
        return f"hash of {password}"

    async def matches(self, password: str, password_hash: str | None) -> bool:
        assert self.holders, "hold a turn"
        self.compared.append(password_hash)
        return password_hash in (f"hash of {password}", f"old hash of {password}")

    def outdated(self, password_hash: str) -> bool:
        return password_hash.startswith("old")


@dataclass
class FakeUsers:
    """Users by id; only what is saved is kept."""

    kept: dict[UUID, User] = field(default_factory=dict)

    async def get(self, user_id: UUID) -> User | None:
        return deepcopy(self.kept.get(user_id))

    async def by_email(self, email: str) -> User | None:
        return next((deepcopy(u) for u in self.kept.values() if u.email == email), None)

    def save(self, user: User) -> None:
        self.kept[user.user_id] = deepcopy(user)


@dataclass
class FakeGuards:
    """Guards by digest."""

    kept: dict[str, LoginGuard] = field(default_factory=dict)

    async def get(self, email_digest: str) -> LoginGuard | None:
        return deepcopy(self.kept.get(email_digest))

    def save(self, guard: LoginGuard) -> None:
        self.kept[guard.email_digest] = deepcopy(guard)

    def delete(self, guard: LoginGuard) -> None:
        self.kept.pop(guard.email_digest, None)


@dataclass
class FakeSessions:
    """Sessions by id."""

    kept: dict[UUID, Session] = field(default_factory=dict)

    async def get(self, session_id: UUID) -> Session | None:
        return deepcopy(self.kept.get(session_id))

    async def open_ones(self, user_id: UUID, now: datetime) -> list[Session]:
        return [
            deepcopy(session)
            for session in self.kept.values()
            if session.user_id == user_id and not session.revoked_at and session.expires_at > now
        ]

    def save(self, session: Session) -> None:
        self.kept[session.session_id] = deepcopy(session)


@dataclass
class FakeWorkspaces:
    """Workspaces by id. `saves` counts: a repeated command must not save."""

    kept: dict[UUID, Workspace] = field(default_factory=dict)
    saves: int = 0

    async def get(self, workspace_id: UUID) -> Workspace | None:
        return deepcopy(self.kept.get(workspace_id))

    def save(self, workspace: Workspace) -> None:
        self.saves += 1
        self.kept[workspace.workspace_id] = deepcopy(workspace)


def acting(user_id: UUID | None) -> Context:
    """The context of a caller."""
    return trusted_context(actor_id=user_id, workspace_id=None)


def a_user(number: int = 900, email: str = EMAIL, password: str = PASSWORD) -> User:
    return User(UUID(int=number), email, "Ada", f"hash of {password}", START, START)


def a_workspace(
    owner_id: UUID, *, state: WorkspaceState = WorkspaceState.ACTIVE, members_max: int = 3
) -> Workspace:
    workspace = Workspace(UUID(int=700), "Engines", owner_id, START, members_max, state)
    workspace.members[owner_id] = Member(Role.OWNER, START)
    return workspace


def a_register(email: str = EMAIL, password: str = PASSWORD) -> Register:
    return Register(email=email, password=SecretStr(password))


def a_log_in(email: str = EMAIL, password: str = PASSWORD) -> LogIn:
    return LogIn(email=email, password=SecretStr(password), client="a test")


def a_change_password(
    user: User, current: str = PASSWORD, new: str = OTHER_PASSWORD, session_id: UUID | None = None
) -> ChangePassword:
    return ChangePassword(
        user_id=user.user_id,
        session_id=session_id,
        current_password=SecretStr(current),
        new_password=SecretStr(new),
    )
