"""Records, commit points and senders for tests of whatever handles messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope, Headers, wire_headers
from chassis.messaging.outbox import Outbox, Outgoing, add_outbox
from chassis.stores.postgres import Database, Statement
from chassis.testing.clock import START
from contracts.base import Message

_SHARDS = 16


@dataclass(slots=True)
class FakeRecord:
    """A record as a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0


def an_envelope(message: Message, **what_matters: object) -> Envelope:
    """A message on its topic, from nobody in particular."""
    fields: dict[str, object] = {
        "id": new_id(),
        "type": message.address.type,
        "source": "/basalt/test",
        "subject": message.key,
        "time": START,
        "key": message.key,
        "topic": message.address.topic,
        "data": message.model_dump_json().encode(),
        "workspace_id": getattr(message, "workspace_id", None),
    }
    return Envelope(**(fields | what_matters))  # type: ignore[arg-type]


def a_command(message: Message, *, service: str = "", **what_matters: object) -> Envelope:
    """A command on its service's topic that wants its reply at the orchestrator."""
    topic = f"cmd.{service or message.address.owner}.v1"
    defaults: dict[str, object] = {
        "topic": topic,
        "reply_to": "reply.orchestrator.v1",
        "correlation_id": new_id(),
    }
    return an_envelope(message, **(defaults | what_matters))


def a_record(envelope: Envelope, *, offset: int = 0, partition: int = 0) -> FakeRecord:
    """The envelope as Kafka would deliver it."""
    return FakeRecord(
        envelope.topic,
        partition,
        offset,
        envelope.key.encode(),
        envelope.data,
        wire_headers(envelope.headers()),
    )


class DirectCommit:
    """A commit point without a relay: the outbox's rows stay in the table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sent: list[Envelope] = []
        """What was committed, in order."""

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        add_outbox(statement, [Outgoing.of(e, _SHARDS) for e in outbox], {})
        if statement:
            await statement.run(self._database)
        self.sent += list(outbox)


@dataclass(slots=True)
class FakeSender:
    """Keeps what was sent past the outbox. `error` is raised instead, when set."""

    sent: list[tuple[str, bytes | None, bytes, dict[str, str]]] = field(default_factory=list)
    error: Exception | None = None

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(
            (topic, key, value, {n: (v or b"").decode("utf-8", "replace") for n, v in headers})
        )


def replies_of(sent: Sequence[Envelope], command_id: UUID) -> list[Envelope]:
    """The replies among `sent` that answer this command."""
    return [e for e in sent if e.topic.startswith("reply.") and e.causation_id == command_id]
