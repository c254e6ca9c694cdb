"""Operation: long work that answers at once and can be watched, listed and cancelled.

Its owner (the orchestrator for sagas, the owning service for other work) answers these queries at
its own HTTP door; the global id that clients see names the owner.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.base import Command, Query, Rejection, Reply

KEY = "operation_id"


class OperationState(StrEnum):
    """Where long work stands. Readers treat a value that they do not know as RUNNING."""

    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPENSATING = "COMPENSATING"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    COMPLETED = "COMPLETED"
    COMPENSATED = "COMPENSATED"
    REFUSED = "REFUSED"
    ABANDONED = "ABANDONED"


class OperationStep(Reply):
    """One step of long work. `state`: pending, sent, done, skipped (an operator attested
    it), rejected, compensating, undone."""

    name: str
    state: str
    attempts: int = 0


class Operation(Reply):
    """A snapshot of long work. `error_type` is a rejection's wire type, `error` its fields.

    `waits_for` says what it is WAITING for: "lock" (other work on the same thing), "approval" (a
    person who may agree to it) or "operator" (who holds it back).
    """

    operation_id: UUID
    workspace_id: UUID
    kind: str
    owner: str
    state: OperationState
    subject_id: str = ""
    step: str = ""
    steps: list[OperationStep] = Field(default_factory=list)
    done: int = 0
    total: int = 0
    result: dict[str, Any] = Field(default_factory=dict)  # fields for the caller; shape by kind
    error_type: str = ""
    error: dict[str, Any] = Field(default_factory=dict)  # fields of the rejection error_type
    version: int = 0
    cancellable: bool = False
    waits_for: str = ""
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None


class OperationUnknown(Rejection):
    """No operation of that id in this workspace."""

    operation_id: UUID


class OperationNotCancellable(Rejection):
    """It has passed its pivot, or has ended."""

    operation_id: UUID
    state: OperationState


class GetOperation(Query[Operation], permission="workspace.read"):
    workspace_id: UUID
    operation_id: UUID


class OperationPage(Reply):
    """Newest first. `cursor_next` is empty on the last page."""

    operations: list[Operation]
    cursor_next: str = ""


class ListOperations(Query[OperationPage], permission="workspace.read"):
    workspace_id: UUID
    limit: int = 50
    cursor: str = ""


class CancelOperation(Command[Operation], permission="app.edit"):
    """Undo long work that has not passed its pivot."""

    workspace_id: UUID
    operation_id: UUID
