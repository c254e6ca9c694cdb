"""What the feed keeps of an event, and where that stands in it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from chassis.messaging.envelope import Fact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REDACTED = "[redacted]"
SECRET_WORDS = ("password", "secret", "token", "credential", "authorization", "api_key")
"""A field whose name has one of these is never kept: a second net, events hold no secrets."""


@dataclass(frozen=True)
class Entry:
    """One event. `position` orders the feed; `data` is JSON text, so that nothing is retyped."""

    event_id: UUID
    position: str
    type: str
    time: datetime
    workspace_id: UUID | None
    app_id: UUID | None
    actor_id: UUID | None
    subject: str
    aggregate_version: int
    correlation_id: str
    trace_id: str
    data: str


class Feed(Protocol):
    """Where entries are kept: the same event twice is one entry."""

    def add(self, entry: Entry) -> None: ...


def entry_of(fact: Fact) -> Entry:
    """What is kept of an event. ValueError when its body is no JSON object."""
    data = json.loads(fact.data)
    if not isinstance(data, dict):
        raise ValueError("an event's body is a JSON object")
    return Entry(
        event_id=fact.id,
        position=position(fact.time, fact.id),
        type=fact.type,
        time=fact.time,
        workspace_id=fact.workspace_id or _uuid(data.get("workspace_id")),
        app_id=_uuid(data.get("app_id")),
        actor_id=fact.actor_id,
        subject=fact.subject,
        aggregate_version=fact.aggregate_version or 0,
        correlation_id=str(fact.correlation_id or ""),
        trace_id=trace_id(fact.traceparent),
        data=json.dumps(redacted(data), ensure_ascii=False, separators=(",", ":")),
    )


def position(time: datetime, event_id: UUID | None = None) -> str:
    """Text that sorts by time, then by id; without an id, before all events of that time.

    One field instead of two: a page, its cursor and a range of time are all one range of one index.
    """
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    microseconds = max(0, (aware - EPOCH) // timedelta(microseconds=1))
    return f"{microseconds:016x}{event_id.hex if event_id else ''}"


def trace_id(traceparent: str) -> str:
    """The trace's id out of a W3C traceparent, "" when there is none."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) >= 4 else ""


def redacted(value: Any) -> Any:  # any JSON value, whatever its shape
    """The same value without what looks like a secret by its name."""
    if isinstance(value, dict):
        return {
            name: REDACTED if _is_secret(name) and held is not None else redacted(held)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [redacted(held) for held in value]
    return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
