"""Logging in and out."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import SecretStr

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from contracts.base import Message
from contracts.identity.session import (
    LoggedIn,
    LogIn,
    LogOut,
    LogOutEverywhere,
    RevocationReason,
    RevokeSession,
    SessionOpened,
    SessionRevoked,
    SessionsRevoked,
    SessionUnknown,
)
from services.identity.handlers.common import attempt, demand_self, refused, revoke_all
from services.identity.model.passwords import Mint, Passwords
from services.identity.model.sessions import Session, Sessions, surplus, token_digest, token_of
from services.identity.model.users import LoginGuards, Users, folded_email
from services.identity.settings import Settings


async def log_in(
    command: LogIn,
    users: Users,
    sessions: Sessions,
    guards: LoginGuards,
    passwords: Passwords,
    mint: Mint,
    clock: Clock,
    settings: Settings,
) -> tuple[Message, ...]:
    """The same answer, after the same work, whether nobody has the address or the password is
    wrong."""
    email, password = folded_email(command.email), command.password.get_secret_value()
    async with attempt(email, clock, guards, passwords) as guard:
        user = await users.by_email(email)
        matches = await passwords.matches(password, user.password_hash if user else None)
        if user is None or not matches:
            return refused(guard, user, guards, users, settings, clock.now())
        if passwords.outdated(user.password_hash):
            user.password_hash = await passwords.hash(password)
            users.save(user)
    if guard.failures:
        guards.delete(guard)
    now, token = clock.now(), token_of(mint.secret())
    old = surplus(await sessions.open_ones(user.user_id, now), settings.sessions_max)
    revoked = revoke_all(old, RevocationReason.TOO_MANY_SESSIONS, sessions, now)
    session = _session(command.client, user.user_id, token, mint, settings, now)
    sessions.save(session)
    return _opened(session, token, settings), _logged_in(session), *revoked


async def log_out(
    command: LogOut, sessions: Sessions, clock: Clock, context: Context
) -> SessionRevoked:
    """The caller's session, wherever they say so from."""
    demand_self(command.user_id, context)
    session = await _own(sessions, command.session_id, command.user_id)
    (fact,) = revoke_all([session], RevocationReason.LOGGED_OUT, sessions, clock.now())
    return fact


async def revoke_session(
    command: RevokeSession, sessions: Sessions, clock: Clock, context: Context
) -> SessionRevoked:
    """Another session of the caller's."""
    demand_self(command.user_id, context)
    session = await _own(sessions, command.session_id, command.user_id)
    (fact,) = revoke_all([session], RevocationReason.REVOKED, sessions, clock.now())
    return fact


async def log_out_everywhere(
    command: LogOutEverywhere, sessions: Sessions, clock: Clock, context: Context
) -> tuple[Message, ...]:
    """All of them at once."""
    demand_self(command.user_id, context)
    now = clock.now()
    ended = await sessions.open_ones(command.user_id, now)
    facts = revoke_all(ended, RevocationReason.LOGGED_OUT_EVERYWHERE, sessions, now)
    session_ids = [session.session_id for session in ended]
    return SessionsRevoked(user_id=command.user_id, session_ids=session_ids), *facts


async def _own(sessions: Sessions, session_id: UUID, user_id: UUID) -> Session:
    session = await sessions.get(session_id)
    if session is None or session.user_id != user_id:
        raise Rejected(SessionUnknown(session_id=session_id))
    return session


def _session(
    client: str, user_id: UUID, token: str, mint: Mint, settings: Settings, now: datetime
) -> Session:
    return Session(
        session_id=mint.id(),
        user_id=user_id,
        token_digest=token_digest(token),
        client=client,
        opened_at=now,
        expires_at=now + timedelta(seconds=settings.session_seconds_max),
    )


def _opened(session: Session, token: str, settings: Settings) -> SessionOpened:
    return SessionOpened(
        user_id=session.user_id,
        session_id=session.session_id,
        token=SecretStr(token),
        expires_at=session.expires_at,
        idle_seconds_max=settings.session_idle_seconds_max,
    )


def _logged_in(session: Session) -> LoggedIn:
    return LoggedIn(
        session_id=session.session_id, user_id=session.user_id, expires_at=session.expires_at
    )


HANDLERS = (log_in, log_out, revoke_session, log_out_everywhere)
