"""Operating sagas: what operators ask of them and do to them. Owner: orchestrator.

Key: saga_id, which is the operation's id. Every verb is a compare-and-set: with `expected_version`
it is refused when the saga has moved since it was looked at. What was done, by whom and why, stays
in its history. `operator` names who does it where no user does, such as a person at a terminal.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Query, Rejection, Reply
from contracts.operation import Operation

KEY = "saga_id"


class SagaUnknown(Rejection):
    """There is no such saga."""

    saga_id: UUID


class SagaMoved(Rejection):
    """It is not at the expected version any more: look again."""

    saga_id: UUID
    version: int


class VerbNotPossible(Rejection):
    """The saga is where this cannot be done; `reason` says why. It is in its history too."""

    saga_id: UUID
    verb: str
    reason: str


class ApprovalIsForOthers(Rejection):
    """Who started it cannot be the one who approves it."""

    operation_id: UUID


# Answers


class SagaStep(Reply):
    """One step. `state` as in OperationStep; `stage` is equal for steps that run together;
    `command_id` is the forward command's; `due_at` is when it is sent again."""

    name: str
    kind: str
    state: str
    stage: int
    attempts: int
    command_id: UUID
    due_at: datetime | None = None


class SagaSummary(Reply):
    """A saga as a line in a list. `status` is the engine's own word."""

    saga_id: UUID
    kind: str
    definition_version: int
    owner_workspace_id: UUID | None
    subject_id: str
    status: str
    phase: str
    step: str
    version: int
    started_at: datetime
    updated_at: datetime
    deadline_at: datetime
    wake_at: datetime | None
    error_type: str
    traceparent: str


class SagaEntry(Reply):
    """One transition of its history. `happened` joins what it was with "+"."""

    version: int
    at: datetime
    happened: str
    step: str
    reason: str


class SagaDetails(Reply):
    """All about a saga. `fields` are what it knows so far, `error` the reason's fields."""

    saga: SagaSummary
    steps: list[SagaStep]
    history: list[SagaEntry]
    fields: dict[str, Any]  # shape by kind
    error: dict[str, Any]  # fields of the rejection error_type
    lock_keys: list[str]
    ahead: list[UUID]  # sagas that hold or wait for its locks before it


class SagaPage(Reply):
    """Newest first. `cursor_next` is empty on the last page."""

    sagas: list[SagaSummary]
    cursor_next: str = ""


class BulkAnswer(Reply):
    """What a bulk verb did, or would do (preview). `more`: others match beyond the limit."""

    saga_ids: list[UUID]
    preview: bool
    more: bool


# Questions


class ListSagas(Query[SagaPage], permission="operator"):
    """Sagas of any workspace. `stuck` = those that need attention or whose wake-up is overdue."""

    kind: str = ""
    status: str = ""
    subject_id: str = ""
    step: str = ""
    stuck: bool = False
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str = ""


class GetSaga(Query[SagaDetails], permission="operator"):
    """One saga with its history. Refused with SagaUnknown."""

    saga_id: UUID


# Verbs


class RetrySaga(Command[SagaSummary], permission="operator"):
    """Send what is awaited again now, with all its attempts anew."""

    saga_id: UUID
    expected_version: int | None = None
    reason: str = Field(default="", max_length=1000)
    operator: str = Field(default="", max_length=120)


class SkipStep(Command[SagaSummary], permission="operator"):
    """Attest that a step, or its undoing, was done by hand. `fields`: its answer's, where later
    steps need them. The command may still arrive: make sure that its service refuses it."""

    saga_id: UUID
    step: str
    reason: str = Field(min_length=1, max_length=1000)
    fields: dict[str, Any] = Field(default_factory=dict)  # by the answer's contract
    expected_version: int | None = None
    operator: str = Field(default="", max_length=120)


class CompensateSaga(Command[SagaSummary], permission="operator"):
    """Undo it, if nothing was sent yet that cannot be undone."""

    saga_id: UUID
    reason: str = Field(min_length=1, max_length=1000)
    expected_version: int | None = None
    operator: str = Field(default="", max_length=120)


class PauseSaga(Command[SagaSummary], permission="operator"):
    """Hold it back: answers still count, nothing is sent. Its deadline runs on."""

    saga_id: UUID
    expected_version: int | None = None
    reason: str = Field(default="", max_length=1000)
    operator: str = Field(default="", max_length=120)


class ResumeSaga(Command[SagaSummary], permission="operator"):
    """Let it go on; what was held back goes out now."""

    saga_id: UUID
    expected_version: int | None = None
    reason: str = Field(default="", max_length=1000)
    operator: str = Field(default="", max_length=120)


class AbandonSaga(Command[SagaSummary], permission="operator"):
    """End it as it stands and free its locks. What it did stays: clean up by hand."""

    saga_id: UUID
    reason: str = Field(min_length=1, max_length=1000)
    expected_version: int | None = None
    operator: str = Field(default="", max_length=120)


class SignalSaga(Command[SagaSummary], permission="operator"):
    """Answer its wait for approval, as an operator."""

    saga_id: UUID
    approved: bool
    reason: str = Field(default="", max_length=1000)
    expected_version: int | None = None
    operator: str = Field(default="", max_length=120)


class RetrySagas(Command[BulkAnswer], permission="operator", key="kind"):
    """Retry every saga that needs attention and matches, at most `limit`. A preview only says
    which."""

    kind: str = ""
    step: str = ""
    error_type: str = ""
    preview: bool = True
    limit: int = Field(default=100, ge=1, le=500)
    reason: str = Field(default="", max_length=1000)
    operator: str = Field(default="", max_length=120)


class DecideApproval(Command[Operation], permission="workspace.manage", key="operation_id"):
    """Agree to work that waits for approval, or end it. Not for whoever started it."""

    workspace_id: UUID
    operation_id: UUID
    approved: bool
    reason: str = Field(default="", max_length=1000)
