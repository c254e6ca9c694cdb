"""User: a person who can log in. Owner: identity. Key: user_id.

Facts name people by id only. `user_id` in a command is the caller's own: nobody changes another.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event, Query, Rejection, Reply
from contracts.identity.secret import Secret

KEY = "user_id"


class PasswordRule(StrEnum):
    """What a password can break. More may come."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_UNIFORM = "too_uniform"  # few different characters
    TOO_COMMON = "too_common"  # on the list that attackers try first
    LIKE_EMAIL = "like_email"


# Facts


class UserRegistered(Event):
    """Somebody can log in who could not before."""

    user_id: UUID


class PasswordChanged(Event):
    """The old password is void, and the user's other sessions have ended."""

    user_id: UUID


class LoginFailed(Event):
    """A wrong password for a known user. `locked_until` is set when it shut the account a while."""

    user_id: UUID
    failures: int  # in a row
    locked_until: datetime | None = None


# Refusals


class EmailMalformed(Rejection):
    """This cannot be an e-mail address."""


class EmailTaken(Rejection):
    """Somebody is registered under this e-mail address."""


class PasswordTooWeak(Rejection):
    """The password breaks these rules."""

    rules: list[PasswordRule]
    characters_min: int
    characters_max: int


class CredentialsRefused(Rejection):
    """E-mail and password do not belong together. The same whether the user exists or not."""


class TooManyAttempts(Rejection):
    """Too many wrong passwords in a row for this e-mail address: even the right one is refused."""

    retry_after_seconds: int


class UserUnknown(Rejection):
    """Nobody has this id."""

    user_id: UUID


# Commands


class Register(Command[UserRegistered], permission="public", key="email"):
    """Become a user. E-mail addresses are compared without case and surrounding space."""

    email: str = Field(max_length=320)
    password: Secret
    display_name: str = Field(default="", max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")


class ChangePassword(Command[PasswordChanged], permission="user"):
    """Needs the current password. Ends all the user's sessions but `session_id`, the caller's."""

    user_id: UUID
    session_id: UUID | None = None
    current_password: Secret
    new_password: Secret


# Questions


class User(Reply):
    """A user as others in a common workspace see them."""

    user_id: UUID
    email: str
    display_name: str
    registered_at: datetime


class Users(Reply):
    """Some users, in no order."""

    users: list[User]


class GetUsers(Query[Users], permission="user"):
    """Users by id: the caller and those who share a workspace with them; others are left out."""

    user_ids: list[UUID] = Field(max_length=1000)
