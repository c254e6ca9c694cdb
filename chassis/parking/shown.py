"""Letters as operators see them."""

import base64
from collections.abc import Sequence
from typing import Any

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
        error=row["error"],
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
    """The letter with its bytes and its past; `acts` are rows (at, act, by, why)."""
    body = row["payload"] or b""
    return DeadLetterDetails(
        letter=letter_of(row, service),
        headers=[_header(name, value) for name, value in unpacked(row["headers"])],
        body=_text(body),
        body_base64=base64.b64encode(body).decode(),
        behind=behind,
        acts=[DeadLetterAct(**dict(act)) for act in acts],
    )


def _header(name: str, value: bytes | None) -> DeadLetterHeader:
    text = _text(value or b"")
    raw = "" if text or not value else base64.b64encode(value).decode()
    return DeadLetterHeader(name=name, text=text, base64=raw)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""
