"""Outbox: the messages that one transaction sends. Rows now, Kafka right after the commit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
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


class CommitPoint(Protocol):
    """Where a transaction becomes true: the relay in a service, a plain database in tests."""

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        """Run the statement with the outbox's rows in it. Raises Conflict or Unavailable."""
        ...


def hash_of(key: str) -> int:
    """The hash that places a key: its shard and its partition."""
    return crc32(key.encode())


def add_outbox(
    statement: Statement,
    envelopes: Sequence[Envelope],
    *,
    shards: int,
    epochs: Mapping[int, int],
) -> None:
    """Insert the rows. `epochs` maps the shards that the writer will send itself to its lease's
    epoch; a row of another shard gets 0. Column names follow Debezium's outbox event router."""
    if not envelopes:
        return
    placed = [hash_of(envelope.key) % shards for envelope in envelopes]
    statement.add(
        "INSERT INTO outbox"
        " (id, aggregatetype, aggregateid, type, topic, headers, payload, shard, epoch)"
        " SELECT * FROM unnest({}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[],"
        " {}::text[], {}::bytea[], {}::int[], {}::bigint[])",
        [envelope.id for envelope in envelopes],
        [envelope.topic.rpartition(".")[0] for envelope in envelopes],
        [envelope.key for envelope in envelopes],
        [envelope.type for envelope in envelopes],
        [envelope.topic for envelope in envelopes],
        [orjson.dumps(envelope.headers()).decode() for envelope in envelopes],
        [envelope.data for envelope in envelopes],
        placed,
        [epochs.get(shard, 0) for shard in placed],
    )
