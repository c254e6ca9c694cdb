"""Users: who can log in, and what stops those who guess."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.identity.user import EmailMalformed, TooManyAttempts

EMAIL_CHARACTERS_MAX = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")


@dataclass
class User:
    """A person. `password_hash` is Argon2's text, which names its own costs and salt."""

    user_id: UUID
    email: str
    display_name: str
    password_hash: str
    registered_at: datetime
    password_changed_at: datetime
    login_failed_at: datetime | None = None


class Users(Protocol):
    """Where users are kept, by id and by normalised e-mail address."""

    async def get(self, user_id: UUID) -> User | None: ...

    async def by_email(self, email: str) -> User | None: ...

    def save(self, user: User) -> None: ...


def normal_email(text: str) -> str:
    """The spelling under which an address is kept. Rejected with EmailMalformed."""
    email = folded_email(text)
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise Rejected(EmailMalformed())
    return email


def folded_email(text: str) -> str:
    """One spelling for addresses that differ in case or surrounding space; checks nothing."""
    return unicodedata.normalize("NFKC", text).strip().lower()


@dataclass(frozen=True)
class LockOut:
    """How guessing is slowed down. Durations in seconds."""

    attempts_free: int
    seconds_first: int
    seconds_max: int
    forget_seconds: int

    def seconds(self, failures: int) -> int:
        """How long the account is shut after so many failures in a row."""
        doublings = failures - self.attempts_free
        if doublings < 0:
            return 0
        return min(self.seconds_max, self.seconds_first << min(doublings, 32))


@dataclass
class LoginGuard:
    """Wrong passwords in a row for an e-mail address, whether anybody has that address or not.

    It is known by a digest, so that what people mistype is not kept.
    """

    email_digest: str
    failed_at: datetime
    failures: int = 0
    locked_until: datetime | None = None

    def demand_open(self, now: datetime) -> None:
        """Rejected with TooManyAttempts while the account is shut."""
        if self.locked_until and now < self.locked_until:
            seconds = ceil((self.locked_until - now).total_seconds())
            raise Rejected(TooManyAttempts(retry_after_seconds=seconds))

    def fail(self, now: datetime, policy: LockOut) -> None:
        """Count a wrong password, and shut the account when there are too many."""
        if now - self.failed_at >= timedelta(seconds=policy.forget_seconds):
            self.failures = 0
        self.failures += 1
        self.failed_at = now
        seconds = policy.seconds(self.failures)
        self.locked_until = now + timedelta(seconds=seconds) if seconds else None


class LoginGuards(Protocol):
    """Where wrong passwords are counted, by the digest of the e-mail address."""

    async def get(self, email_digest: str) -> LoginGuard | None: ...

    def save(self, guard: LoginGuard) -> None: ...

    def delete(self, guard: LoginGuard) -> None: ...


def email_digest(email: str) -> str:
    """What a guard is known by: SHA-256 of the folded address, in hexadecimal."""
    return sha256(b"basalt-login-guard\x00" + email.encode()).hexdigest()
