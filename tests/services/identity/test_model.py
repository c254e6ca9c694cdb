"""Rules that need no handler: passwords, addresses, lock-out, tokens."""

from datetime import timedelta
from uuid import UUID

import pytest

from chassis.errors import Rejected
from contracts.identity.user import EmailMalformed, PasswordRule, PasswordTooWeak, TooManyAttempts
from contracts.identity.workspace import InvitationUnknown, WorkspaceNameMalformed
from services.identity.model.passwords import PasswordPolicy
from services.identity.model.users import LockOut, LoginGuard, folded_email, normal_email
from services.identity.model.workspaces import clean_name, invitation_token, workspace_of_token
from tests.services.identity.fakes import EMAIL, START

POLICY = PasswordPolicy(characters_min=10, characters_max=64)
LOCK_OUT = LockOut(attempts_free=3, seconds_first=5, seconds_max=60, forget_seconds=3600)


@pytest.mark.parametrize(
    ("password", "rules"),
    [
        ("Zx9$mLq2", [PasswordRule.TOO_SHORT]),
        ("long enough, " * 6, [PasswordRule.TOO_LONG]),
        ("abababababab", [PasswordRule.TOO_UNIFORM]),
        ("Password123", [PasswordRule.TOO_COMMON]),
        ("I am lovelace myself", [PasswordRule.LIKE_EMAIL]),
        ("111111", [PasswordRule.TOO_SHORT, PasswordRule.TOO_UNIFORM]),
    ],
)
def test_a_weak_password_is_refused_with_every_rule_it_breaks(
    password: str, rules: list[PasswordRule]
) -> None:
    with pytest.raises(Rejected) as refusal:
        POLICY.demand(password, "lovelace@example.org")

    assert refusal.value.rejection == PasswordTooWeak(
        rules=rules, characters_min=10, characters_max=64
    )


@pytest.mark.parametrize(
    "password", ["correct horse battery", "ünïcödé pässwörd", "пароль длинный"]
)
def test_a_long_password_of_any_script_is_good(password: str) -> None:
    POLICY.demand(password, EMAIL)


@pytest.mark.parametrize("text", ["Ada@Example.ORG", "  ada@example.org ", "ＡＤＡ@example.org"])
def test_an_address_has_one_spelling(text: str) -> None:
    assert normal_email(text) == folded_email(text) == EMAIL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a@b@c.org",
        "a\x00@example.org",
        "a@example..org",
        "a@.org",
        f"{'a' * 250}@example.org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        normal_email(text)

    assert refusal.value.rejection == EmailMalformed()


def test_each_failure_over_the_free_ones_doubles_the_lock_out() -> None:
    guard = LoginGuard("digest", failed_at=START)
    locked = []

    for _ in range(8):
        guard.fail(START, LOCK_OUT)
        locked.append((guard.locked_until - START).total_seconds() if guard.locked_until else 0)

    assert locked == [0, 0, 5, 10, 20, 40, 60, 60]


def test_a_shut_account_says_when_to_come_back() -> None:
    guard = LoginGuard("digest", START, failures=3, locked_until=START + timedelta(seconds=5))

    with pytest.raises(Rejected) as refusal:
        guard.demand_open(START + timedelta(seconds=1.5))

    assert refusal.value.rejection == TooManyAttempts(retry_after_seconds=4)
    guard.demand_open(START + timedelta(seconds=5))


def test_failures_of_long_ago_are_forgotten() -> None:
    guard = LoginGuard("digest", failed_at=START, failures=2)

    guard.fail(START + timedelta(hours=1), LOCK_OUT)

    assert (guard.failures, guard.locked_until) == (1, None)


def test_an_invitations_token_says_where_to_look() -> None:
    workspace_id = UUID(int=7)

    token = invitation_token(workspace_id, b"s" * 32)

    assert workspace_of_token(token) == workspace_id
    assert len(token) == 64


@pytest.mark.parametrize("token", ["", "x", "no token!", "é", "AAAA", "A" * 21])
def test_a_text_that_is_no_token_opens_nothing(token: str) -> None:
    with pytest.raises(Rejected) as refusal:
        workspace_of_token(token)

    assert refusal.value.rejection == InvitationUnknown()


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00"])
def test_a_workspaces_name_has_to_be_readable(name: str) -> None:
    with pytest.raises(Rejected) as refusal:
        clean_name(name)

    assert refusal.value.rejection == WorkspaceNameMalformed()
