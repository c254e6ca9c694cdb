"""What several handlers need: the caller's own, a workspace that people can change, attempts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import NotAllowed, Rejected
from contracts.base import Message
from contracts.identity.session import RevocationReason, SessionRevoked
from contracts.identity.user import CredentialsRefused, LoginFailed, UserUnknown
from contracts.identity.workspace import WorkspaceUnknown
from services.identity.model.passwords import Passwords
from services.identity.model.sessions import Session, Sessions
from services.identity.model.users import (
    LockOut,
    LoginGuard,
    LoginGuards,
    User,
    Users,
    email_digest,
)
from services.identity.model.workspaces import Workspace, Workspaces
from services.identity.settings import Settings


def demand_self(user_id: UUID, context: Context) -> None:
    """Nobody acts for another user. Raises NotAllowed."""
    if context.actor_id != user_id:
        raise NotAllowed("this is another user's")


async def known_user(users: Users, user_id: UUID) -> User:
    """A user. Rejected with UserUnknown."""
    user = await users.get(user_id)
    if user is None:
        raise Rejected(UserUnknown(user_id=user_id))
    return user


async def known_workspace(workspaces: Workspaces, workspace_id: UUID) -> Workspace:
    """A workspace in any state. Rejected with WorkspaceUnknown."""
    workspace = await workspaces.get(workspace_id)
    if workspace is None:
        raise Rejected(WorkspaceUnknown(workspace_id=workspace_id))
    return workspace


async def active_workspace(workspaces: Workspaces, workspace_id: UUID) -> Workspace:
    """A workspace that is ready. Rejected with WorkspaceUnknown."""
    workspace = await known_workspace(workspaces, workspace_id)
    workspace.demand_active()
    return workspace


@asynccontextmanager
async def attempt(
    email: str, clock: Clock, guards: LoginGuards, passwords: Passwords
) -> AsyncIterator[LoginGuard]:
    """A place to check a password in. Rejected with TooManyAttempts while the account is shut.

    The guard is read only when the place is there: guesses that were sent all at once do not get
    past it together.
    """
    async with passwords.turn():
        digest, now = email_digest(email), clock.now()
        guard = await guards.get(digest) or LoginGuard(digest, failed_at=now)
        guard.demand_open(now)
        yield guard


def refused(
    guard: LoginGuard,
    user: User | None,
    guards: LoginGuards,
    users: Users,
    settings: Settings,
    now: datetime,
) -> tuple[Message, ...]:
    """Count a wrong password. The refusal is returned and not raised: what was counted is kept."""
    policy = LockOut(
        attempts_free=settings.lockout_attempts_free,
        seconds_first=settings.lockout_seconds_first,
        seconds_max=settings.lockout_seconds_max,
        forget_seconds=settings.lockout_forget_seconds,
    )
    guard.fail(now, policy)
    guards.save(guard)
    if user is None:
        return (CredentialsRefused(),)
    user.login_failed_at = now
    users.save(user)
    failed = LoginFailed(
        user_id=user.user_id, failures=guard.failures, locked_until=guard.locked_until
    )
    return CredentialsRefused(), failed


def revoke_all(
    ended: Sequence[Session], reason: RevocationReason, sessions: Sessions, now: datetime
) -> list[SessionRevoked]:
    """End sessions; what is announced of it."""
    facts = []
    for session in ended:
        if session.revoke(reason, now):
            sessions.save(session)
        facts.append(
            SessionRevoked(
                session_id=session.session_id,
                user_id=session.user_id,
                reason=session.reason or reason,
            )
        )
    return facts
