"""The durable state of one saga: what its row holds, and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

Fields = dict[str, Any]  # a message's fields as JSON values


class Status(StrEnum):
    """Where a saga stands. There is no FAILED: unfinished work is not an end."""

    RUNNING = "RUNNING"
    COMPENSATING = "COMPENSATING"
    WAITING_SIGNAL = "WAITING_SIGNAL"
    PAUSED = "PAUSED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    COMPLETED = "COMPLETED"
    COMPENSATED = "COMPENSATED"
    ABANDONED = "ABANDONED"


TERMINAL = frozenset((Status.COMPLETED, Status.COMPENSATED, Status.ABANDONED))


class Phase(StrEnum):
    """APPROVAL waits for somebody to agree, LOCKING for its turn; FORWARD does the steps, BACKWARD
    undoes them."""

    APPROVAL = "APPROVAL"
    LOCKING = "LOCKING"
    FORWARD = "FORWARD"
    BACKWARD = "BACKWARD"


class StepMark(StrEnum):
    """Where a step stands. SKIPPED: an operator attested that it is done."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    COMPENSATING = "compensating"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class StepState:
    """One step: how often its command, or its compensation, was sent; how often that was refused
    although it must succeed; and, while its answer is awaited, when it is sent again."""

    mark: StepMark = StepMark.PENDING
    attempts: int = 0
    rounds: int = 0
    due: datetime | None = None


@dataclass(slots=True)
class SagaState:
    """One saga. `decide` never changes the state that it is given; it answers a copy.

    cursor: the first of the steps whose answers are awaited. wake_at: when it wants a Tick (None =
    ended). facts: how many public events it has announced. business_key: what it is about, by the
    start's key. data: the fields known so far, as JSON values.
    """

    id: UUID
    saga: str
    definition_version: int
    workspace_id: UUID | None
    actor_id: UUID | None
    started_at: datetime
    updated_at: datetime
    deadline_at: datetime
    wake_at: datetime | None
    data: Fields
    steps: list[StepState]
    status: Status = Status.RUNNING
    phase: Phase = Phase.FORWARD
    cursor: int = 0
    version: int = 1
    facts: int = 0
    error_type: str = ""
    error: Fields = field(default_factory=dict)
    business_key: str = ""
    traceparent: str = ""

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    def copy(self) -> "SagaState":
        """A copy whose steps may be changed; `data` and `error` are replaced, never changed."""
        return SagaState(
            self.id,
            self.saga,
            self.definition_version,
            self.workspace_id,
            self.actor_id,
            self.started_at,
            self.updated_at,
            self.deadline_at,
            self.wake_at,
            self.data,
            self.steps.copy(),
            self.status,
            self.phase,
            self.cursor,
            self.version,
            self.facts,
            self.error_type,
            self.error,
            self.business_key,
            self.traceparent,
        )
