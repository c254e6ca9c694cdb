"""Session: a logged-in client. Owner: identity. Key: session_id.

A session is held by its opaque token; only a digest of that is kept. It ends when it is revoked,
when it is not used for a while, and at last when it is old.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event, Query, Rejection, Reply
from contracts.identity.secret import Secret
from contracts.identity.workspace import Role

KEY = "session_id"


class RevocationReason(StrEnum):
    """Why a session was ended before its time. More may come."""

    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    LOGGED_OUT_EVERYWHERE = "logged_out_everywhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    TOO_MANY_SESSIONS = "too_many_sessions"


# Facts


class LoggedIn(Event):
    """A session begins."""

    session_id: UUID
    user_id: UUID
    expires_at: datetime


class SessionRevoked(Event):
    """The session's token is void from now on."""

    session_id: UUID
    user_id: UUID
    reason: RevocationReason


# Refusals


class SessionEnded(Rejection):
    """The token is unknown, revoked or expired: log in again."""


class SessionUnknown(Rejection):
    """The user has no such session."""

    session_id: UUID


# Commands


class SessionOpened(Reply):
    """The token is shown here and never again. It dies at `expires_at` at the latest."""

    user_id: UUID
    session_id: UUID
    token: Secret
    expires_at: datetime
    idle_seconds_max: int


class LogIn(Command[SessionOpened], permission="public", secret=True, key="email"):
    """Open a session. Refused: CredentialsRefused or TooManyAttempts (of contracts user)."""

    email: str = Field(max_length=320)
    password: Secret
    # Shown in the user's list of sessions, such as "Firefox on Linux".
    client: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


class LogOut(Command[SessionRevoked], permission="user"):
    """End the caller's session; ending what has ended is success."""

    user_id: UUID
    session_id: UUID


class RevokeSession(Command[SessionRevoked], permission="user"):
    """End another session of the caller's; ending what has ended is success."""

    user_id: UUID
    session_id: UUID


class SessionsRevoked(Reply):
    """The sessions that this ended."""

    user_id: UUID
    session_ids: list[UUID]


class LogOutEverywhere(Command[SessionsRevoked], permission="user", key="user_id"):
    """End all the caller's sessions, this one too."""

    user_id: UUID


# Questions


class Authorized(Reply):
    """Who holds the token, and what they may do in the workspace that was asked about.

    `permissions` always has `public` and `user`; those of the workspace when `role` is not None.
    """

    user_id: UUID
    session_id: UUID
    expires_at: datetime
    workspace_id: UUID | None = None
    role: Role | None = None
    permissions: list[str]


class Authorize(Query[Authorized], permission="public", secret=True):
    """Asked by the gateway for every request. Refused with SessionEnded."""

    token: Secret
    workspace_id: UUID | None = None


class Session(Reply):
    """A session as its user sees it; `used_at` is exact to about a minute."""

    session_id: UUID
    client: str
    opened_at: datetime
    used_at: datetime
    expires_at: datetime


class Sessions(Reply):
    """Live sessions, newest first."""

    sessions: list[Session]


class ListSessions(Query[Sessions], permission="user", key="user_id"):
    """The caller's live sessions."""

    user_id: UUID
