"""Letter: a record that is kept, with its raw bytes. It fits wherever a Kafka record does."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from chassis.messaging.envelope import Headers, Record

PLAIN_KEY_BYTES_MAX = 200
COLUMNS = (
    'id, topic, partition, "offset", sent_ms, queue, key, headers, payload, message_id, type,'
    " state, attempts, pause_s, next_at"
)
"""What `letter_of` reads."""


@dataclass(slots=True)
class Letter:
    """A row of dead_letter as the loop needs it."""

    id: UUID
    topic: str
    partition: int
    offset: int
    timestamp: int
    queue: str
    key: bytes | None
    headers: Headers
    value: bytes | None
    message_id: UUID | None
    type: str
    state: str
    attempts: int
    pause_s: float
    next_at: datetime | None


def letter_of(row: Any) -> Letter:  # an asyncpg row of COLUMNS
    """The letter in a row."""
    return Letter(
        row["id"],
        row["topic"],
        row["partition"],
        row["offset"],
        row["sent_ms"],
        row["queue"],
        row["key"],
        unpacked(row["headers"]),
        row["payload"],
        row["message_id"],
        row["type"],
        row["state"],
        row["attempts"],
        row["pause_s"],
        row["next_at"],
    )


def queue_of(record: Record) -> str:
    """What keeps its order with the record: topic and key. A record without a key stands alone;
    a key that is long or no plain text goes by its hash."""
    key = record.key
    if key is None:
        return f"{record.topic} [{record.partition}] {record.offset}"
    if len(key) <= PLAIN_KEY_BYTES_MAX and key.isascii() and b"\0" not in key:
        return f"{record.topic} {key.decode()}"
    return f"{record.topic} #{blake2b(key, digest_size=16).hexdigest()}"


def packed(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """Headers as text, exactly: [name, text], [name, null], or [name, null, base64]."""
    return orjson.dumps([_packed(name, value) for name, value in headers]).decode()


def unpacked(text: str) -> list[tuple[str, Any]]:  # a value may be None, as in Kafka
    """The headers that `packed` was given."""
    return [(name, _value(text, *rest)) for name, text, *rest in orjson.loads(text)]


def plain(text: str) -> str:
    """Text that PostgreSQL can store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _packed(name: str, value: bytes | None) -> list[str | None]:
    if value is None:
        return [name, None]
    try:
        return [name, value.decode()]
    except UnicodeDecodeError:
        return [name, None, base64.b64encode(value).decode()]


def _value(text: str | None, raw: str = "") -> bytes | None:
    if text is not None:
        return text.encode()
    return base64.b64decode(raw) if raw else None
