"""Outbox: the messages that one transaction sends. Rows now, Kafka right after the commit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID
from zlib import crc32

import orjson

from chassis.messaging.envelope import Envelope
from chassis.stores.statement import Statement

PAYLOAD_BYTES_MAX = 900_000
"""Below the topics' limit with room for headers: what Kafka would refuse is refused here."""


class Outbox:
    """Collects envelopes; a commit point writes them in the statement that they belong to."""

    def __init__(self) -> None:
        self._envelopes: list[Envelope] = []

    def append(self, envelope: Envelope) -> None:
        """Send `envelope` if and when the transaction commits. ValueError when it is too large."""
        if len(envelope.data) > PAYLOAD_BYTES_MAX:
            size = len(envelope.data)
            raise ValueError(f"{envelope.type}: {size} bytes are over {PAYLOAD_BYTES_MAX}")
        self._envelopes.append(envelope)

    def __len__(self) -> int:
        return len(self._envelopes)

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self._envelopes)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox on its way to Kafka."""

    id: UUID
    shard: int
    key: str
    type: str
    topic: str
    headers: dict[str, str]
    payload: bytes

    @classmethod
    def of(cls, envelope: Envelope, shards: int) -> "Outgoing":
        """Placed by its shard key among `shards`."""
        return cls(
            envelope.id,
            hash_of(envelope.shard_key or envelope.key) % shards,
            envelope.key,
            envelope.type,
            envelope.topic,
            envelope.headers(),
            envelope.data,
        )


class CommitPoint(Protocol):
    """Where a transaction becomes true: the relay in a service, a plain database in tests."""

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        """Run the statement with the outbox's rows in it. Raises Conflict or Unavailable."""
        ...


def hash_of(key: str) -> int:
    """The hash that places a key: its shard and its partition."""
    return crc32(key.encode())


def add_outbox(statement: Statement, rows: Sequence[Outgoing], epochs: Mapping[int, int]) -> None:
    """Insert the rows. `epochs` maps the shards that the writer will send itself to its lease's
    epoch; a row of another shard gets 0. Column names follow Debezium's outbox event router."""
    if not rows:
        return
    statement.add(
        "INSERT INTO outbox"
        " (id, aggregatetype, aggregateid, type, topic, headers, payload, shard, epoch)"
        " SELECT * FROM unnest({}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[],"
        " {}::text[], {}::bytea[], {}::int[], {}::bigint[])"
        " ON CONFLICT (id) DO NOTHING",  # a saga sends its command again while the row is waiting
        [row.id for row in rows],
        [row.topic.rpartition(".")[0] for row in rows],
        [row.key for row in rows],
        [row.type for row in rows],
        [row.topic for row in rows],
        [orjson.dumps(row.headers).decode() for row in rows],
        [row.payload for row in rows],
        [row.shard for row in rows],
        [epochs.get(row.shard, 0) for row in rows],
    )
