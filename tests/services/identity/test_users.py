"""Becoming a user, changing the password."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from chassis.errors import NotAllowed, Rejected
from contracts.base import Message
from contracts.identity.session import RevocationReason, SessionRevoked
from contracts.identity.user import (
    ChangePassword,
    CredentialsRefused,
    EmailTaken,
    LoginFailed,
    PasswordChanged,
    PasswordRule,
    PasswordTooWeak,
    Register,
    TooManyAttempts,
    UserRegistered,
    UserUnknown,
)
from services.identity.handlers.users import change_password, register
from services.identity.model.sessions import Session
from services.identity.model.users import User
from tests.services.identity.fakes import (
    EMAIL,
    OTHER_PASSWORD,
    START,
    FakeClock,
    FakeGuards,
    FakeMint,
    FakePasswords,
    FakeSessions,
    FakeUsers,
    a_change_password,
    a_register,
    a_user,
    acting,
    some_settings,
)


@dataclass
class Desk:
    """The handlers with their ports."""

    users: FakeUsers = field(default_factory=FakeUsers)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    guards: FakeGuards = field(default_factory=FakeGuards)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    clock: FakeClock = field(default_factory=FakeClock)

    async def register(self, command: Register) -> UserRegistered:
        return await register(
            command, self.users, self.passwords, FakeMint(), self.clock, some_settings()
        )

    async def change_password(
        self, command: ChangePassword, actor_id: UUID | None = None
    ) -> tuple[Message, ...]:
        return await change_password(
            command,
            self.users,
            self.sessions,
            self.guards,
            self.passwords,
            self.clock,
            some_settings(lockout_attempts_free=2),
            acting(actor_id or command.user_id),
        )

    def with_user(self) -> User:
        user = a_user()
        self.users.save(user)
        return user

    def with_session(self, user: User, number: int) -> Session:
        session = Session(
            UUID(int=number), user.user_id, f"d{number}", "", START, START + timedelta(days=1)
        )
        self.sessions.save(session)
        return session


class TestRegister:
    async def test_keeps_the_address_in_its_normal_spelling_and_a_hash(self) -> None:
        desk = Desk()

        answer = await desk.register(a_register(email=" Ada@Example.org "))

        user = desk.users.kept[answer.user_id]
        assert (user.email, user.registered_at) == (EMAIL, START)
        assert user.password_hash.startswith("hash of")
        assert desk.passwords.holders == 0

    async def test_announces_nothing_but_the_id(self) -> None:
        answer = await Desk().register(a_register())

        assert set(answer.model_dump()) == {"user_id"}

    async def test_refuses_an_address_that_somebody_has_in_another_spelling(self) -> None:
        desk = Desk()
        desk.with_user()

        with pytest.raises(Rejected) as refusal:
            await desk.register(a_register(email="ADA@example.ORG"))

        assert refusal.value.rejection == EmailTaken()

    async def test_refuses_a_weak_password_before_anything_else(self) -> None:
        desk = Desk()
        desk.with_user()

        with pytest.raises(Rejected) as refusal:
            await desk.register(a_register(password="short"))

        assert isinstance(refusal.value.rejection, PasswordTooWeak)
        assert PasswordRule.TOO_SHORT in refusal.value.rejection.rules


class TestChangePassword:
    async def test_ends_the_other_sessions_and_keeps_the_callers(self) -> None:
        desk = Desk()
        user = desk.with_user()
        mine, other = desk.with_session(user, 1), desk.with_session(user, 2)

        answers = await desk.change_password(a_change_password(user, session_id=mine.session_id))

        assert answers == (
            PasswordChanged(user_id=user.user_id),
            SessionRevoked(
                session_id=other.session_id,
                user_id=user.user_id,
                reason=RevocationReason.PASSWORD_CHANGED,
            ),
        )
        assert desk.sessions.kept[mine.session_id].revoked_at is None
        assert desk.sessions.kept[other.session_id].revoked_at == START
        assert desk.users.kept[user.user_id].password_hash == f"hash of {OTHER_PASSWORD}"

    async def test_counts_a_wrong_current_password_as_an_attempt(self) -> None:
        desk = Desk()
        user = desk.with_user()
        wrong = a_change_password(user, current="not the right one")

        first = await desk.change_password(wrong)
        await desk.change_password(wrong)
        with pytest.raises(Rejected) as refusal:
            await desk.change_password(a_change_password(user))

        assert first == (CredentialsRefused(), LoginFailed(user_id=user.user_id, failures=1))
        assert refusal.value.rejection == TooManyAttempts(retry_after_seconds=5)
        assert desk.users.kept[user.user_id].password_hash == user.password_hash

    async def test_forgets_wrong_attempts_when_it_succeeds(self) -> None:
        desk = Desk()
        user = desk.with_user()
        await desk.change_password(a_change_password(user, current="not the right one"))

        await desk.change_password(a_change_password(user))

        assert desk.guards.kept == {}

    async def test_refuses_a_weak_new_password(self) -> None:
        desk = Desk()
        user = desk.with_user()

        with pytest.raises(Rejected) as refusal:
            await desk.change_password(a_change_password(user, new="password123"))

        assert isinstance(refusal.value.rejection, PasswordTooWeak)

    async def test_is_only_for_oneself(self) -> None:
        desk = Desk()
        user = desk.with_user()

        with pytest.raises(NotAllowed):
            await desk.change_password(a_change_password(user), actor_id=UUID(int=5))

    async def test_refuses_a_user_that_nobody_knows(self) -> None:
        with pytest.raises(Rejected) as refusal:
            await Desk().change_password(a_change_password(a_user()))

        assert refusal.value.rejection == UserUnknown(user_id=a_user().user_id)
