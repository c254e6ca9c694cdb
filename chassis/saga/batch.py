"""Batch: what the sagas of one transaction decided, collected to be written at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from chassis.messaging.envelope import Envelope
from chassis.messaging.outbox import Outbox
from chassis.saga.definition import Definitions, Saga
from chassis.saga.ids import event_id
from chassis.saga.inputs import Decision, Fact, Happened, Note, Send
from chassis.saga.state import SagaState
from contracts.base import Message

REPLIES = "reply.orchestrator.v1"
"""Where participants answer; keyed by saga id."""

SOURCE = "/basalt/orchestrator"

Announcer = Callable[[Saga, SagaState, Fact], Message]
"""Makes the public event of a fact. The engine knows no contracts: its service gives it this."""


@dataclass(slots=True)
class Change:
    """One saga's row: `read_version` is what it was decided on (0 = it is new)."""

    read_version: int
    state: SagaState


@dataclass(slots=True)
class Line:
    """One row of saga_event."""

    saga_id: UUID
    version: int
    at: datetime
    notes: tuple[Note, ...]


class Batch:
    """Collects decisions. A later decision on the same saga replaces its row, adds the rest."""

    def __init__(self, definitions: Definitions, announcer: Announcer) -> None:
        self._definitions = definitions
        self._announcer = announcer
        self.changes: dict[UUID, Change] = {}
        self.rearmed: list[SagaState] = []
        self.lines: list[Line] = []
        self.outbox = Outbox()
        self.ended: list[SagaState] = []
        self.started: list[SagaState] = []
        self.joins: list[tuple[str, UUID]] = []  # lock key and saga, in order of arrival
        self.free: set[str] = set()  # lock keys that were seen free

    def take(
        self, before: SagaState | None, decision: Decision, cause: UUID | None = None
    ) -> SagaState:
        """Collect a decision on `before` (None = a new saga); the state to go on with."""
        state = decision.state
        if not decision.changed:
            self.rearmed.append(state)
            return state
        change = self.changes.get(state.id)
        if change is None:
            self.changes[state.id] = Change(before.version if before else 0, state)
        else:
            change.state = state
        self.lines.append(Line(state.id, state.version, decision.at, decision.notes))
        if decision.commands or decision.facts:
            self._emit(decision, cause)
        if before is None:
            self.started.append(state)
        if state.ended and (before is None or not before.ended):
            self.ended.append(state)
        return state

    def _emit(self, decision: Decision, cause: UUID | None) -> None:
        state = decision.state
        saga = self._definitions.get(state.saga, state.definition_version)
        for send in decision.commands:
            self.outbox.append(command_envelope(state, send, cause))
        number = state.facts - len(decision.facts)
        for fact in decision.facts:
            number += 1
            message = self._announcer(saga, state, fact)
            self.outbox.append(fact_envelope(state, message, number, cause))

    def ignored(self) -> list[Note]:
        """Every ignored input of the batch."""
        notes = (line.notes[0] for line in self.lines)
        return [note for note in notes if note.happened == Happened.IGNORED]


def command_envelope(state: SagaState, send: Send, cause: UUID | None) -> Envelope:
    """The command on the wire. Its fields were checked when the saga was imported."""
    address = send.command.address
    key = str(send.fields[address.key])
    return Envelope(
        id=send.command_id,
        type=address.type,
        source=SOURCE,
        subject=key,
        time=state.updated_at,
        key=key,
        topic=f"cmd.{address.owner}.v{address.version}",
        data=orjson.dumps(send.fields),
        workspace_id=state.workspace_id,
        correlation_id=state.id,
        causation_id=cause,
        traceparent=state.traceparent,
        actor_id=state.actor_id,
        deadline_ms=int(state.deadline_at.timestamp() * 1000) if send.bounded else None,
        reply_to=REPLIES,
        forward_id=send.forward_id,
        shard_key=str(state.id),  # in order within the saga; between sagas its lock keeps it
    )


def fact_envelope(state: SagaState, message: Message, number: int, cause: UUID | None) -> Envelope:
    """The saga's `number`-th public event."""
    address = message.address
    return Envelope(
        id=event_id(state.id, number),
        type=address.type,
        source=SOURCE,
        subject=message.key,
        time=state.updated_at,
        key=message.key,
        topic=address.topic,
        data=message.__pydantic_serializer__.to_json(message),
        workspace_id=state.workspace_id,
        aggregate_version=number,
        correlation_id=state.id,
        causation_id=cause,
        traceparent=state.traceparent,
        actor_id=state.actor_id,
    )


def lock_keys(saga: Saga, fields: Mapping[str, object]) -> list[str]:
    """What the saga locks, in sorted order: `field:value`, so other sagas on it wait too."""
    return [f"{name}:{fields[name]}" for name in saga.lock_fields]
