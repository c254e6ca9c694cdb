"""What can happen to a saga, and what it decides then. Every time is aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.saga.state import Fields, SagaState
from contracts.base import Message


@dataclass(frozen=True, slots=True)
class Started:
    """Begin. `fields` are the starting command's; `locked` says whether it has all its locks."""

    saga_id: UUID
    at: datetime
    fields: Fields
    locked: bool = True
    workspace_id: UUID | None = None
    actor_id: UUID | None = None
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the command `command_id`. `refusal`: its type is a known rejection."""

    command_id: UUID
    type: str
    fields: Fields
    at: datetime
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """It is `at` now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LockGranted:
    """All locks are held now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody wants it undone."""

    at: datetime
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """The answer to a wait for approval. `locked`: the saga has all its locks, should it go on."""

    at: datetime
    approved: bool
    by: str
    reason: str = ""
    locked: bool = True


class Verb(StrEnum):
    """What an operator may do to a saga."""

    RETRY = "retry"
    SKIP = "skip"
    COMPENSATE = "compensate"
    PAUSE = "pause"
    RESUME = "resume"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Order:
    """An operator's verb. `step` and `fields` (SKIP): what was done by hand, and its answer."""

    at: datetime
    verb: Verb
    by: str
    reason: str = ""
    step: str = ""
    fields: Fields = field(default_factory=dict)


Input = Reply | Tick | LockGranted | Cancel | Signal | Order
"""What happens to a saga that exists."""


class Happened(StrEnum):
    """What a transition was, for the saga's history."""

    STARTED = "started"
    WAITS_FOR_APPROVAL = "waits_for_approval"
    APPROVED = "approved"
    APPROVAL_REFUSED = "approval_refused"
    APPROVAL_EXPIRED = "approval_expired"
    WAITS_FOR_LOCK = "waits_for_lock"
    LOCKED = "locked"
    STEP_DONE = "step_done"
    STEP_REJECTED = "step_rejected"
    STEP_UNDONE = "step_undone"
    GIVEN_UP = "given_up"
    DEADLINE_PASSED = "deadline_passed"
    CANCELLED = "cancelled"
    SENT_AGAIN = "sent_again"
    NEEDS_ATTENTION = "needs_attention"
    RETRIED = "retried"
    STEP_SKIPPED = "step_skipped"
    PAUSED = "paused"
    RESUMED = "resumed"
    ABANDONED = "abandoned"
    IGNORED = "ignored"


class Fact(StrEnum):
    """What a transition announces in public."""

    STARTED = "started"
    APPROVAL_WANTED = "approval_wanted"
    PROGRESSED = "progressed"
    COMPENSATING = "compensating"
    NEEDS_ATTENTION = "needs_attention"
    PAUSED = "paused"
    RESUMED = "resumed"
    COMPLETED = "completed"
    COMPENSATED = "compensated"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Send:
    """A command to put into the outbox. `forward_id` (compensations): the command it undoes.
    `bounded`: it is worth nothing once the saga's deadline has passed."""

    command_id: UUID
    command: type[Message]
    fields: Fields
    forward_id: UUID | None = None
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the saga's history."""

    happened: Happened
    step: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state and what goes with it, to be written in one transaction or not at all.

    A state of the same version as before means that nothing happened: nothing is to be written but
    the wake-up. facts: their numbers run up to `state.facts`. `state.wake_at` is the wake-up.
    """

    state: SagaState
    at: datetime
    commands: tuple[Send, ...] = ()
    notes: tuple[Note, ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def wake_at(self) -> datetime | None:
        return self.state.wake_at

    @property
    def changed(self) -> bool:
        return bool(self.notes)
