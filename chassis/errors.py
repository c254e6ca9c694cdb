"""The four fates of work: refused, in conflict, unavailable, or a bug (any other exception)."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.base import REGISTRY, Address, Rejection


class Rejected(Exception):
    """A typed business refusal. Never retried, never an alert: its answer is final."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(type(rejection).__name__)
        self.rejection = rejection


class Conflict(Exception):
    """Somebody else was first. Worth repeating at once, a few times, from a fresh read."""


class IdempotencyKeyReused(Conflict):
    """A known command id came back with another input. Repeating does not help."""


class Unavailable(Exception):
    """A dependency cannot answer now. Worth repeating later; `retry_after` is in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unanswered(Unavailable):
    """The deadline passed before an answer came: the effect is in doubt."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a message: its path, and the rule that it breaks."""

    field: str
    rule: str
    message: str


class InvalidMessage(Exception):
    """A message that does not match its contract."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class NotAllowed(Exception):
    """The caller may not do this here."""


class ForwardRefused(Rejection):
    """The step was already undone: its compensation came first, so it stays undone."""


ForwardRefused.address = Address("chassis", "chassis", "ForwardRefused", 1, "")
REGISTRY.setdefault(ForwardRefused.address.type, ForwardRefused)


class FaultRefused(Rejection):
    """Refused on purpose, by a fault rule of a staging environment."""


FaultRefused.address = Address("chassis", "chassis", "FaultRefused", 1, "")
REGISTRY.setdefault(FaultRefused.address.type, FaultRefused)
