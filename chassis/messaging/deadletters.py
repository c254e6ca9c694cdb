"""Dead letters: what could not be handled, kept with its raw bytes and the reason."""

import traceback
from dataclasses import dataclass
from typing import Protocol

import structlog

from chassis.messaging.envelope import Envelope, Headers, Record
from chassis.messaging.metrics import DEAD_LETTERS

log = structlog.get_logger()

REASON_MAX = 2000
"""Characters of `dlq_error` that are kept."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Why a record was given up. `reason` is a short code, `error` says where, never the data."""

    reason: str
    error: str
    attempts: int
    handler: str = ""
    envelope: Envelope | None = None


class Sender(Protocol):
    """Puts one record on a topic and waits for Kafka's confirmation."""

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Raises Unavailable or Unanswered."""
        ...


class DeadLetters:
    """The dead letter topic of one consumer group."""

    def __init__(self, group: str, sender: Sender) -> None:
        self._group = group
        self._sender = sender
        self.topic = f"dlq.{group}"

    async def put(self, record: Record, letter: DeadLetter) -> None:
        """Returns when Kafka has confirmed the copy; until then the original must not be passed
        over. Raises Unavailable."""
        about = {
            "dlq_group": self._group,
            "dlq_reason": letter.reason,
            "dlq_error": letter.error[:REASON_MAX],
            "dlq_attempts": str(letter.attempts),
            "dlq_handler": letter.handler,
            "dlq_topic": record.topic,
            "dlq_partition": str(record.partition),
            "dlq_offset": str(record.offset),
            "dlq_timestamp": str(record.timestamp),
            "dlq_traceparent": letter.envelope.traceparent if letter.envelope else "",
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in about.items())]
        await self._sender.send(self.topic, record.key, record.value or b"", headers)
        DEAD_LETTERS.labels(self._group, letter.reason).inc()
        log.error(
            "dead_letter",
            group=self._group,
            reason=letter.reason,
            error=letter.error,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )


def place_of(error: BaseException) -> str:
    """The error's class and where it was raised. Not its text, which may quote secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
