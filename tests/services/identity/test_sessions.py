"""Logging in and out."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from chassis.errors import NotAllowed, Rejected
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
from contracts.identity.user import CredentialsRefused, LoginFailed, TooManyAttempts
from services.identity.handlers.sessions import (
    log_in,
    log_out,
    log_out_everywhere,
    revoke_session,
)
from services.identity.model.sessions import token_digest
from services.identity.model.users import User
from tests.services.identity.fakes import (
    PASSWORD,
    START,
    FakeClock,
    FakeGuards,
    FakeMint,
    FakePasswords,
    FakeSessions,
    FakeUsers,
    a_log_in,
    a_user,
    acting,
    some_settings,
)

WRONG = "not the right password"


@dataclass
class Desk:
    """The handlers with their ports, and one user."""

    users: FakeUsers = field(default_factory=FakeUsers)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    guards: FakeGuards = field(default_factory=FakeGuards)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    mint: FakeMint = field(default_factory=FakeMint)
    clock: FakeClock = field(default_factory=FakeClock)
    user: User = field(default_factory=a_user)

    def __post_init__(self) -> None:
        self.users.save(self.user)

    async def log_in(self, command: LogIn, **limits: int) -> tuple[Message, ...]:
        return await log_in(
            command,
            self.users,
            self.sessions,
            self.guards,
            self.passwords,
            self.mint,
            self.clock,
            some_settings(lockout_attempts_free=3, **limits),
        )

    async def opened(self) -> SessionOpened:
        answer, *_ = await self.log_in(a_log_in())
        assert isinstance(answer, SessionOpened)
        return answer


class TestLogIn:
    async def test_opens_a_session_and_keeps_only_the_tokens_digest(self) -> None:
        desk = Desk()

        opened, fact = await desk.log_in(a_log_in(), session_seconds_max=60)

        assert isinstance(opened, SessionOpened)
        kept = desk.sessions.kept[opened.session_id]
        token = opened.token.get_secret_value()
        assert (kept.token_digest, kept.client) == (token_digest(token), "a test")
        assert token not in repr(kept)
        assert kept.expires_at == START + timedelta(seconds=60)
        assert fact == LoggedIn(
            session_id=opened.session_id, user_id=desk.user.user_id, expires_at=kept.expires_at
        )

    async def test_gives_a_token_of_256_bits_and_never_shows_it_in_a_log(self) -> None:
        opened = await Desk().opened()

        assert len(opened.token.get_secret_value()) == 43
        assert opened.token.get_secret_value() not in repr(opened)

    async def test_answers_alike_for_a_wrong_password_and_an_unknown_address(self) -> None:
        desk = Desk()

        wrong = await desk.log_in(a_log_in(password=WRONG))
        unknown = await desk.log_in(a_log_in(email="nobody@example.org"))

        assert wrong == (CredentialsRefused(), LoginFailed(user_id=desk.user.user_id, failures=1))
        assert unknown == (CredentialsRefused(),)
        assert desk.passwords.compared == [desk.user.password_hash, None]
        assert desk.sessions.kept == {}

    @pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
    async def test_shuts_after_too_many_failures_whether_the_address_is_known_or_not(
        self, email: str
    ) -> None:
        desk = Desk()
        for _ in range(3):
            await desk.log_in(a_log_in(email=email, password=WRONG))

        with pytest.raises(Rejected) as refusal:
            await desk.log_in(a_log_in(email=email))

        assert refusal.value.rejection == TooManyAttempts(retry_after_seconds=5)
        assert len(desk.passwords.compared) == 3

    async def test_says_until_when_it_is_shut(self) -> None:
        desk = Desk()
        for _ in range(2):
            await desk.log_in(a_log_in(password=WRONG))

        _, fact = await desk.log_in(a_log_in(password=WRONG))

        assert fact == LoginFailed(
            user_id=desk.user.user_id, failures=3, locked_until=START + timedelta(seconds=5)
        )

    async def test_lets_the_right_password_in_when_the_time_is_over_and_starts_afresh(self) -> None:
        desk = Desk()
        for _ in range(3):
            await desk.log_in(a_log_in(password=WRONG))
        desk.clock.forward(5)

        await desk.opened()

        assert desk.guards.kept == {}

    async def test_ends_the_oldest_session_when_there_are_too_many(self) -> None:
        desk = Desk()
        first, second = await desk.opened(), await desk.opened()

        third, _, fact = await desk.log_in(a_log_in(), sessions_max=2)

        assert fact == SessionRevoked(
            session_id=first.session_id,
            user_id=desk.user.user_id,
            reason=RevocationReason.TOO_MANY_SESSIONS,
        )
        assert isinstance(third, SessionOpened)
        live = await desk.sessions.open_ones(desk.user.user_id, START)
        assert [item.session_id for item in live] == [second.session_id, third.session_id]

    async def test_renews_a_hash_that_was_made_with_other_costs(self) -> None:
        desk = Desk(user=a_user())
        desk.users.kept[desk.user.user_id].password_hash = f"old hash of {PASSWORD}"

        await desk.opened()

        assert desk.users.kept[desk.user.user_id].password_hash == f"hash of {PASSWORD}"
        assert desk.passwords.holders == 0

    async def test_finds_the_user_under_any_spelling_of_the_address(self) -> None:
        answer, *_ = await Desk().log_in(a_log_in(email=" ADA@example.org"))

        assert isinstance(answer, SessionOpened)


class TestEndingSessions:
    async def test_logging_out_twice_is_success_and_ends_it_once(self) -> None:
        desk = Desk()
        opened = await desk.opened()
        command = LogOut(user_id=desk.user.user_id, session_id=opened.session_id)

        first = await log_out(command, desk.sessions, desk.clock, acting(desk.user.user_id))
        desk.clock.forward(60)
        second = await log_out(command, desk.sessions, desk.clock, acting(desk.user.user_id))

        assert first == second
        assert desk.sessions.kept[opened.session_id].revoked_at == START

    async def test_nobody_ends_anothers_session(self) -> None:
        desk = Desk()
        opened, stranger = await desk.opened(), UUID(int=5)
        command = RevokeSession(user_id=stranger, session_id=opened.session_id)

        with pytest.raises(Rejected) as refusal:
            await revoke_session(command, desk.sessions, desk.clock, acting(stranger))

        assert refusal.value.rejection == SessionUnknown(session_id=opened.session_id)

    async def test_nobody_acts_in_anothers_name(self) -> None:
        desk = Desk()

        with pytest.raises(NotAllowed):
            await log_out_everywhere(
                LogOutEverywhere(user_id=desk.user.user_id),
                desk.sessions,
                desk.clock,
                acting(UUID(int=5)),
            )

    async def test_logging_out_everywhere_ends_them_all(self) -> None:
        desk = Desk()
        ids = [(await desk.opened()).session_id, (await desk.opened()).session_id]

        answer, *facts = await log_out_everywhere(
            LogOutEverywhere(user_id=desk.user.user_id),
            desk.sessions,
            desk.clock,
            acting(desk.user.user_id),
        )

        assert answer == SessionsRevoked(user_id=desk.user.user_id, session_ids=ids)
        assert [fact.key for fact in facts] == [str(session_id) for session_id in ids]
        assert all(session.revoked_at for session in desk.sessions.kept.values())
