"""Passwords: which are good enough, and the ports that keep them and make tokens."""

import unicodedata
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.identity.user import PasswordRule, PasswordTooWeak

DIFFERENT_CHARACTERS_MIN = 5
_LIKENESS_CHARACTERS_MIN = 4

_COMMON_TEXT = """
    0123456789 0987654321 1234567890 12345678910 123456789a 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc
    a1b2c3d4e5 abcd123456 abcdefghij administrator adminadmin asdfghjkl1 asdfghjkl; asdfghjkl123
    baseball123 basketball changeme123 computer123 correcthorsebatterystaple football123
    helloworld1 iloveyou12 iloveyou123 iloveyou1234 letmein123 letmein1234 liverpool1 manchester
    monkey12345 myspace123 password00 password01 password11 password12 password123 password1234
    password12345 passw0rd123 p@ssw0rd123 p@ssword123 princess123 qazwsxedcrfv qwerty1234
    qwerty12345 qwerty123456 qwertyuiop qwertyuiop1 qwertyuiop123 q1w2e3r4t5 q1w2e3r4t5y6
    starwars123 sunshine123 superman123 trustno1234 unbelievable welcome123 welcome1234 zaq12wsxcde
    zxcvbnm123 zxcvbnm,./
"""

_COMMON = frozenset(_COMMON_TEXT.split())
"""Long enough for the rule, and among the first that attackers try."""


@dataclass(frozen=True)
class PasswordPolicy:
    """How long a password has to be, and may be."""

    characters_min: int
    characters_max: int

    def demand(self, password: str, email: str) -> None:
        """Rejected with PasswordTooWeak, which names every rule that is broken."""
        rules = [rule for rule, broken in self._broken(password, email).items() if broken]
        if rules:
            raise Rejected(
                PasswordTooWeak(
                    rules=rules,
                    characters_min=self.characters_min,
                    characters_max=self.characters_max,
                )
            )

    def _broken(self, password: str, email: str) -> dict[PasswordRule, bool]:
        folded = normal_password(password).casefold()
        name = email.partition("@")[0]
        alike = len(name) >= _LIKENESS_CHARACTERS_MIN and name in folded
        return {
            PasswordRule.TOO_SHORT: len(password) < self.characters_min,
            PasswordRule.TOO_LONG: len(password) > self.characters_max,
            PasswordRule.TOO_UNIFORM: len(set(folded)) < DIFFERENT_CHARACTERS_MIN,
            PasswordRule.TOO_COMMON: folded in _COMMON,
            PasswordRule.LIKE_EMAIL: folded == email or alike,
        }


def normal_password(password: str) -> str:
    """The same text typed on two devices is the same password."""
    return unicodedata.normalize("NFKC", password)


class Passwords(Protocol):
    """Hashes that are slow on purpose, so only some are made at one time."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Hold one of the places. Raises Unavailable when too many wait, or for too long."""
        ...

    async def hash(self, password: str) -> str:
        """A fresh salted hash. Hold a turn."""
        ...

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Compare. None (nobody has a password here) takes as long, and is False. Hold a turn."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other costs than today's."""
        ...


class Mint(Protocol):
    """Chance: ids that sort by birth, and secrets of 256 bits."""

    def id(self) -> UUID: ...

    def secret(self) -> bytes: ...
