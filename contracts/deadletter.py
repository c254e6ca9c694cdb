"""Dead letters: messages that a service could not handle, and what operators do about them.

Every service that consumes answers these at its own HTTP door, about its own letters. A message
that keeps failing parks its key: later messages of that key wait behind it, in order.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.base import Command, Query, Rejection, Reply

KEY = "letter_id"


class DeadLetterState(StrEnum):
    """UNDECODABLE holds up nobody. FAILED is the first of a parked key, WAITING is behind it.
    REDRIVEN is to be tried at once, because an operator said so. The others have ended."""

    UNDECODABLE = "undecodable"
    FAILED = "failed"
    WAITING = "waiting"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"
    HANDLED = "handled"


class DeadLetter(Reply):
    """One message, without its body. `record_key` is text as far as its bytes are. `next_at`: when
    the first of a key is tried again by itself. `by` and `why`: of the last operator."""

    letter_id: UUID
    service: str
    consumer_group: str
    topic: str
    partition: int
    offset: int
    record_key: str
    message_id: UUID | None
    type: str
    state: DeadLetterState
    reason: str
    error: str
    handler: str
    attempts: int
    traceparent: str
    first_at: datetime
    last_at: datetime
    next_at: datetime | None
    by: str
    why: str


class DeadLetterHeader(Reply):
    """One header, its text masked when its name says that it is secret, or only its size where
    the bytes are no text. `base64` is always empty: it would show what `text` masks."""

    name: str
    text: str = ""
    base64: str = ""


class DeadLetterAct(Reply):
    """What an operator did to a letter."""

    at: datetime
    act: str
    by: str
    why: str


class DeadLetterDetails(Reply):
    """One message as far as it may be seen: values of secret names are masked. `body` is the JSON
    object without them, and empty where the bytes are none: then only `body_bytes` and
    `body_sha256` tell it apart. `body_base64` is always empty: it would show what the others
    mask. The exact bytes stay in the service. `behind`: how many wait behind it."""

    letter: DeadLetter
    headers: list[DeadLetterHeader]
    body: str
    body_base64: str
    body_bytes: int = 0
    body_sha256: str = ""
    behind: int
    acts: list[DeadLetterAct]


class DeadLetterTotals(Reply):
    """One consumer group. `parked_keys` counts keys; the others count messages. `inbox`: all
    messages that the group has handled and remembers; None unless it was asked for."""

    consumer_group: str
    parked_keys: int = 0
    undecodable: int = 0
    failed: int = 0
    waiting: int = 0
    redriven: int = 0
    discarded: int = 0
    handled: int = 0
    inbox: int | None = None


class DeadLetterPage(Reply):
    """Oldest first. `cursor_next` is empty on the last page; the totals are of the service."""

    letters: list[DeadLetter]
    totals: list[DeadLetterTotals]
    cursor_next: str = ""


class DeadLetterUnknown(Rejection):
    """The service has no letter of that id."""

    letter_id: UUID


class DeadLetterRefused(Reply):
    """A letter that a verb did not touch, and why."""

    letter_id: UUID
    why: str


class DeadLettersMoved(Reply):
    """What a verb did, or would do (preview). `following`: messages that wait behind these and go
    when they are done. `more`: others match beyond the limit."""

    letter_ids: list[UUID]
    following: int
    refused: list[DeadLetterRefused]
    preview: bool
    more: bool


# Questions


class ListDeadLetters(Query[DeadLetterPage], permission="operator"):
    """Without `states`: whatever has not ended. `inbox`: count that too (slow on large ones)."""

    states: list[DeadLetterState] = Field(default_factory=list)
    topic: str = ""
    record_key: str = ""
    type: str = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    inbox: bool = False
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str = ""


class GetDeadLetter(Query[DeadLetterDetails], permission="operator"):
    """One letter with its headers and fields. Refused with DeadLetterUnknown."""

    letter_id: UUID


# Verbs


class RedriveDeadLetters(Command[DeadLettersMoved], permission="operator", key="topic"):
    """Try these again, by their ids or whatever matches: for a parked key its first message,
    the others follow in order. Refuses what is older than the inbox remembers. `per_second`
    bounds how many keys begin; a preview only says which."""

    letter_ids: list[UUID] = Field(default_factory=list, max_length=500)
    states: list[DeadLetterState] = Field(default_factory=list)
    topic: str = ""
    record_key: str = ""
    type: str = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    preview: bool = True
    limit: int = Field(default=100, ge=1, le=500)
    per_second: int = Field(default=20, ge=1, le=1000)
    reason: str = Field(default="", max_length=1000)
    operator: str = Field(default="", max_length=120)


class DiscardDeadLetters(Command[DeadLettersMoved], permission="operator", key="topic"):
    """Never handle these, by their ids or whatever matches. What waits behind them goes on; a
    command that comes again is refused. A preview only says which."""

    letter_ids: list[UUID] = Field(default_factory=list, max_length=500)
    states: list[DeadLetterState] = Field(default_factory=list)
    topic: str = ""
    record_key: str = ""
    type: str = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    preview: bool = True
    limit: int = Field(default=100, ge=1, le=500)
    reason: str = Field(min_length=1, max_length=1000, pattern=r"\S")
    operator: str = Field(default="", max_length=120)
