"""Saga: work over several services that finishes or is undone. Owner: orchestrator.

Key: operation_id, which is also the correlation id of every message that the saga sent.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.base import Event, Rejection

KEY = "operation_id"


# Facts


class SagaStarted(Event):
    """Work over several services began. `subject_id` is what it is about, such as the app."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    subject_id: str
    started_at: datetime


class SagaApprovalWanted(Event):
    """It does nothing until somebody with the right to do so approves, at the latest then."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    subject_id: str
    expires_at: datetime


class SagaPaused(Event):
    """An operator holds it back: answers still count, but nothing is sent."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    step: str


class SagaResumed(Event):
    """An operator lets it go on."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    step: str


class SagaProgressed(Event):
    """A step is done and the next one is under way. Only some kinds announce their steps."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    step: str
    done: int
    total: int


class SagaCompensating(Event):
    """It cannot finish and is being undone. `error_type` says why, `error` has its fields."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    step: str
    error_type: str
    error: dict[str, Any]  # a rejection's fields: their shape follows error_type


class SagaNeedsAttention(Event):
    """A step that must succeed does not. It is tried on and on, and a person should look."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    step: str


class SagaCompleted(Event):
    """Every step is done."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    subject_id: str


class SagaCompensated(Event):
    """Whatever it did is undone. `error_type` says why, `error` has its fields."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    subject_id: str
    error_type: str
    error: dict[str, Any]  # a rejection's fields: their shape follows error_type


class SagaAbandoned(Event):
    """An operator ended it as it stood: neither complete nor undone."""

    workspace_id: UUID
    operation_id: UUID
    kind: str
    subject_id: str
    step: str


# Reasons of the engine's own to undo a saga (an operation's error_type)


class DeadlinePassed(Rejection):
    """It did not reach its point of no return in time."""

    step: str


class StepUnanswered(Rejection):
    """A step was sent as often as its policy allows and never answered."""

    step: str


class SagaCancelled(Rejection):
    """Somebody cancelled it."""

    step: str


class ApprovalRefused(Rejection):
    """It waited for approval, and somebody said no."""

    step: str


class ApprovalExpired(Rejection):
    """It waited for approval for as long as it may."""

    step: str
