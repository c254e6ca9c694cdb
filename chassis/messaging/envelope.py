"""Envelope: one message on the wire. CloudEvents 1.0, binary mode: attributes are Kafka headers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from chassis.clock import uuid_of_text

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """A record as Kafka gives it (aiokafka's ConsumerRecord fits)."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # unix ms
    key: bytes | None
    value: bytes | None
    headers: Headers


class Undecodable(Exception):
    """These bytes are no message of ours. Trying again changes nothing."""


@dataclass(slots=True, kw_only=True)  # never changed; to freeze it doubles the cost of making it
class Envelope:
    """A message and what travels with it. `data` is the JSON body, exactly as sent.

    `key` orders it on its topic; `subject` is the key of the thing that it is about (they differ
    for replies, which are ordered by saga). `shard_key`, which is not sent, places it in the outbox
    instead of `key`: with what else its sender writes for the record at hand. Messages of one
    `key` that need their order need one `shard_key`. `deadline_ms` is absolute unix time.
    `forward_id`, on a compensation, is the id of the command that it undoes.
    """

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    key: str
    topic: str
    data: bytes
    workspace_id: UUID | None = None
    aggregate_version: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str = ""
    actor_id: UUID | None = None
    deadline_ms: int | None = None
    reply_to: str = ""
    forward_id: UUID | None = None
    shard_key: str = ""

    def headers(self) -> dict[str, str]:
        """The Kafka headers, as text."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_subject": self.subject,
            "ce_time": self.time.isoformat(timespec="microseconds"),
            "ce_dataschema": f"urn:basalt:schema:{self.type}",
            "content-type": "application/json",
        }
        # One by one, because every message of every service passes here.
        if self.workspace_id is not None:
            headers["ce_workspaceid"] = str(self.workspace_id)
        if self.aggregate_version is not None:
            headers["ce_aggregateversion"] = str(self.aggregate_version)
        if self.correlation_id is not None:
            headers["ce_correlationid"] = str(self.correlation_id)
        if self.causation_id is not None:
            headers["ce_causationid"] = str(self.causation_id)
        if self.traceparent:
            headers["ce_traceparent"] = self.traceparent
        if self.actor_id is not None:
            headers["ce_actorid"] = str(self.actor_id)
        if self.deadline_ms is not None:
            headers["ce_deadlinems"] = str(self.deadline_ms)
        if self.reply_to:
            headers["ce_replyto"] = self.reply_to
        if self.forward_id is not None:
            headers["ce_forwardid"] = str(self.forward_id)
        return headers


Fact = Envelope
"""Any event, undecoded: what a tap's handler takes (activity)."""


def wire_headers(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Headers as Kafka wants them."""
    return [(name, value.encode()) for name, value in headers.items()]


def read_headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Header text by lower-case name. Bytes that are no UTF-8 become replacement characters."""
    found = {
        name: value.decode("utf-8", "replace") if value is not None else ""
        for name, value in headers
    }
    if "ce_id" in found:  # spelled as CloudEvents does
        return found
    return {name.lower(): text for name, text in found.items()}


def type_of(record: Record) -> str:
    """The record's `ce_type`, or "" when it has none. Cheap: nothing else is read."""
    for name, value in record.headers:
        if name == "ce_type":
            return value.decode("utf-8", "replace") if value is not None else ""
    return ""


def decode(record: Record) -> Envelope:
    """Read a record. Unknown headers are ignored. Raises Undecodable."""
    headers = read_headers(record.headers)
    if headers.get("ce_specversion", "1.0") != "1.0":
        raise Undecodable("header ce_specversion: only CloudEvents 1.0 is understood")
    if record.value is None:
        raise Undecodable("no body")
    try:
        return Envelope(
            id=uuid_of_text(headers["ce_id"]),
            type=headers["ce_type"],
            source=headers["ce_source"],
            subject=headers.get("ce_subject", ""),
            time=_time(headers.get("ce_time", ""), record.timestamp),
            key=record.key.decode() if record.key is not None else "",
            topic=record.topic,
            data=record.value,
            workspace_id=_uuid(headers, "ce_workspaceid"),
            aggregate_version=_int(headers, "ce_aggregateversion"),
            correlation_id=_uuid(headers, "ce_correlationid"),
            causation_id=_uuid(headers, "ce_causationid"),
            traceparent=headers.get("ce_traceparent", ""),
            actor_id=_uuid(headers, "ce_actorid"),
            deadline_ms=_int(headers, "ce_deadlinems"),
            reply_to=headers.get("ce_replyto", ""),
            forward_id=_uuid(headers, "ce_forwardid"),
        )
    except KeyError as missing:
        raise Undecodable(f"no header {missing.args[0]}") from missing
    except ValueError as broken:
        # not its text: that quotes the value, and a letter shows its reason to everybody
        raise Undecodable(f"key or header malformed: {type(broken).__name__}") from broken


def _uuid(headers: Mapping[str, str], name: str) -> UUID | None:
    text = headers.get(name)
    return uuid_of_text(text) if text else None


def _int(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    return int(text) if text else None


def _time(text: str, timestamp_ms: int) -> datetime:
    if not text:
        return datetime.fromtimestamp(max(timestamp_ms, 0) / 1000, UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
