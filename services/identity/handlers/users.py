"""Becoming a user, and changing the password."""

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from contracts.base import Message
from contracts.identity.session import RevocationReason
from contracts.identity.user import (
    ChangePassword,
    EmailTaken,
    PasswordChanged,
    Register,
    UserRegistered,
)
from services.identity.handlers.common import attempt, demand_self, known_user, refused, revoke_all
from services.identity.model.passwords import Mint, PasswordPolicy, Passwords
from services.identity.model.sessions import Sessions
from services.identity.model.users import LoginGuards, User, Users, normal_email
from services.identity.settings import Settings


async def register(
    command: Register,
    users: Users,
    passwords: Passwords,
    mint: Mint,
    clock: Clock,
    settings: Settings,
) -> UserRegistered:
    """One user for each address: of two at the same moment the store lets one through."""
    email = normal_email(command.email)
    password = command.password.get_secret_value()
    _policy(settings).demand(password, email)
    if await users.by_email(email):
        raise Rejected(EmailTaken())
    async with passwords.turn():
        password_hash = await passwords.hash(password)
    now = clock.now()
    user = User(
        user_id=mint.id(),
        email=email,
        display_name=command.display_name.strip(),
        password_hash=password_hash,
        registered_at=now,
        password_changed_at=now,
    )
    users.save(user)
    return UserRegistered(user_id=user.user_id)


async def change_password(
    command: ChangePassword,
    users: Users,
    sessions: Sessions,
    guards: LoginGuards,
    passwords: Passwords,
    clock: Clock,
    settings: Settings,
    context: Context,
) -> tuple[Message, ...]:
    """Whoever holds a stolen session still has to know the password, and cannot guess it either."""
    demand_self(command.user_id, context)
    user = await known_user(users, command.user_id)
    new_password = command.new_password.get_secret_value()
    _policy(settings).demand(new_password, user.email)
    async with attempt(user.email, clock, guards, passwords) as guard:
        current = command.current_password.get_secret_value()
        if not await passwords.matches(current, user.password_hash):
            return refused(guard, user, guards, users, settings, clock.now())
        user.password_hash = await passwords.hash(new_password)
    now = clock.now()
    guards.delete(guard)
    user.password_changed_at = now
    users.save(user)
    others = [
        session
        for session in await sessions.open_ones(user.user_id, now)
        if session.session_id != command.session_id
    ]
    revoked = revoke_all(others, RevocationReason.PASSWORD_CHANGED, sessions, now)
    return PasswordChanged(user_id=user.user_id), *revoked


def _policy(settings: Settings) -> PasswordPolicy:
    return PasswordPolicy(settings.password_characters_min, settings.password_characters_max)


HANDLERS = (register, change_password)
