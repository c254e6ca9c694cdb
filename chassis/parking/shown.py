"""Letters as operators see them."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from chassis.observability.redaction import clean_text, masked
from chassis.parking.letter import unpacked
from contracts.deadletter import (
    DeadLetter,
    DeadLetterAct,
    DeadLetterDetails,
    DeadLetterHeader,
    DeadLetterState,
)

COLUMNS = (
    'seq, id, consumer_group, topic, partition, "offset", key, message_id, type, state, reason,'
    " error, handler, attempts, traceparent, first_at, last_at, next_at, by, why"
)
"""What `letter_of` reads."""


def letter_of(row: Any, service: str) -> DeadLetter:  # an asyncpg row of COLUMNS
    """The letter without its body."""
    return DeadLetter(
        letter_id=row["id"],
        service=service,
        consumer_group=row["consumer_group"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        record_key=(row["key"] or b"").decode("utf-8", "replace"),
        message_id=row["message_id"],
        type=row["type"],
        state=DeadLetterState(row["state"]),
        reason=row["reason"],
        error=clean_text(row["error"]),
        handler=row["handler"],
        attempts=row["attempts"],
        traceparent=row["traceparent"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        next_at=row["next_at"],
        by=row["by"],
        why=row["why"],
    )


def details_of(row: Any, service: str, behind: int, acts: Sequence[Any]) -> DeadLetterDetails:
    """The letter without its secrets, and its past; `acts` are rows (at, act, by, why). The row
    keeps the exact bytes: a redrive needs them, and nobody has to read them for it."""
    body = row["payload"] or b""
    return DeadLetterDetails(
        letter=letter_of(row, service),
        headers=[_header(name, value or b"") for name, value in unpacked(row["headers"])],
        body=_fields(body),
        body_base64="",
        body_bytes=len(body),
        body_sha256=sha256(body).hexdigest(),
        behind=behind,
        acts=[DeadLetterAct(**dict(act)) for act in acts],
    )


def _fields(body: bytes) -> str:
    """A JSON object field by field. Of anything else nothing: no name says what is secret there."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return orjson.dumps(masked(fields)).decode() if isinstance(fields, dict) else ""


def _header(name: str, value: bytes) -> DeadLetterHeader:
    try:
        text = str(masked({name: value.decode()})[name])
    except UnicodeDecodeError:
        text = f"[{len(value)} bytes that are no text]"
    return DeadLetterHeader(name=name, text=text)
