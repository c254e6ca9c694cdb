"""Inbox: what a consumer group has handled, and what it answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from chassis.clock import uuid_of_text
from chassis.errors import ForwardRefused
from chassis.messaging.partitions import ahead, span
from chassis.stores.postgres import Database
from chassis.stores.statement import Reading, Row, Statement
from contracts.base import REGISTRY, Message


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is stored: wire type and JSON. "" is the answer of an event's handler."""

    type: str = ""
    data: bytes = b""
    digest: bytes | None = None  # of the input; only where a client chose the message's id

    def message(self) -> Message:
        """The answer as a contract. KeyError for a type that this service does not import."""
        return REGISTRY[self.type].model_validate_json(self.data)


PRUNE_TIMEOUT_S = 30.0
REFUSED = Kept(ForwardRefused.address.type, b"{}")


def input_digest(message: Message) -> bytes:
    """Tells one input from another under the same message id. Secrets print masked and so do not
    count: a fast hash of a password must not be stored."""
    text = f"{message.address.type}\n{message.model_dump()!r}"
    return blake2b(text.encode(), digest_size=16).digest()


class Inbox:
    """The inbox of one group as one chunk sees it."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._known: dict[UUID, Kept] = {}
        self._new: dict[UUID, Kept] = {}

    def reads(self, reading: Reading, ids: Iterable[UUID]) -> None:
        """Look these message ids up. Their span tells which partitions need not be opened."""
        wanted = list(ids)
        reading.add(
            "SELECT message_id::text, NULL::bigint, NULL::bigint,"
            " coalesce(reply_type, '') || ' ' || coalesce(encode(input_digest, 'hex'), ''),"
            " convert_from(reply, 'UTF8')"
            " FROM inbox WHERE consumer_group = {} AND message_id = ANY({}::uuid[])"
            " AND message_id >= {} AND message_id <= {}",
            self._group,
            wanted,
            *span(wanted),
            into=self._load,
        )

    def seen(self, message_id: UUID) -> Kept | None:
        """The answer that was given to this message before, in this chunk or an earlier one."""
        return self._known.get(message_id) or self._new.get(message_id)

    def keep(self, message_id: UUID, kept: Kept) -> None:
        """The message is handled by this chunk."""
        self._new[message_id] = kept

    def refuse(self, message_id: UUID) -> None:
        """Tombstone: should this command still arrive, it is answered `ForwardRefused`."""
        if self.seen(message_id) is None:
            self._new[message_id] = REFUSED

    def flush(self, statement: Statement) -> None:
        """A message that another replica handled meanwhile is a Conflict; so is a tombstone whose
        command it handled: both are answered from a fresh read."""
        if not self._new:
            return
        statement.add(
            "INSERT INTO inbox (consumer_group, message_id, reply_type, reply, input_digest)"
            " SELECT {}::text, u.* FROM unnest({}::uuid[], {}::text[], {}::bytea[], {}::bytea[])"
            " AS u(message_id, reply_type, reply, input_digest)",
            self._group,
            list(self._new),
            [kept.type or None for kept in self._new.values()],
            [kept.data if kept.type else None for kept in self._new.values()],
            [kept.digest for kept in self._new.values()],
        )

    def _load(self, rows: list[Row]) -> None:
        for message_id, _, _, about, body in rows:
            reply_type, _, digest = (about or "").partition(" ")
            self._known[uuid_of_text(message_id)] = Kept(
                reply_type,
                (body or "").encode(),
                bytes.fromhex(digest) if digest else None,
            )


async def prune_inbox(database: Database, keep_s: float, *, batch: int = 5000) -> int:
    """Make the coming weeks' partitions and drop those of which no row is younger than `keep_s`
    seconds, nor than a letter that has not ended, nor than a command that waits for its answer.

    What lies in no week (ids without a time, keyed commands) is deleted by its age, in short
    transactions; how many rows those were. A message that comes again after that is handled
    again: effects are idempotent by their ids. Raises Conflict: others held the locks for long.
    """
    keep = timedelta(seconds=keep_s)
    await ahead(database, "inbox", "week")
    await database.fetchval("SELECT inbox_drop($1)", keep, timeout=PRUNE_TIMEOUT_S)
    gone = 0
    while True:
        rows: int = await database.fetchval("SELECT inbox_forget($1, $2)", keep, batch)
        gone += rows
        if rows < batch:
            return gone
