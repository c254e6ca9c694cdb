"""Later: a command is taken, and its answer follows when the outside world has answered.

A handler records what it wants done, begins long work and returns `Later("capture:<payment>")`.
The inbox keeps that the answer is pending, so that a duplicate is answered by nobody. A later
message to oneself says `await replies.answer("capture:<payment>", answer)`: in one transaction the
answer goes to whoever waits, in the command's name, and becomes the answer that the inbox keeps.

A handler that is asked again under another id while the work is under way must save the aggregate
of that work: then the two transactions cannot miss each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope
from chassis.messaging.outbox import Outbox
from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore, FlushFirst
from chassis.stores.statement import Statement
from contracts.base import Event, Message

PENDING = "chassis.Pending.v1"
"""The inbox's reply type of a command that waits for its answer."""


@dataclass(frozen=True, slots=True)
class Later:
    """What a command's handler returns instead of an answer. `name` says what is awaited; several
    commands may wait for one thing. `events` are announced now."""

    name: str
    events: tuple[Event, ...] = ()


class Waiting:
    """The commands of one chunk whose answers follow."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._new: list[tuple[str, Envelope]] = []

    def keep(self, name: str, envelope: Envelope) -> None:
        """This command waits for what `name` says."""
        self._new.append((name, envelope))

    def flush(self, statement: Statement) -> None:
        if not self._new:
            return
        envelopes = [envelope for _, envelope in self._new]
        statement.add(
            "INSERT INTO pending_reply (name, consumer_group, message_id, type, reply_to, subject,"
            " correlation_id, workspace_id, actor_id, traceparent)"
            " SELECT u.name, {}::text, u.id, u.type, u.reply_to, u.subject, u.correlation_id,"
            " u.workspace_id, u.actor_id, u.traceparent FROM unnest({}::text[], {}::uuid[],"
            " {}::text[], {}::text[], {}::text[], {}::uuid[], {}::uuid[], {}::uuid[], {}::text[])"
            " AS u(name, id, type, reply_to, subject, correlation_id, workspace_id, actor_id,"
            " traceparent) ON CONFLICT DO NOTHING",  # its row of the inbox was pruned meanwhile
            self._group,
            [name for name, _ in self._new],
            [envelope.id for envelope in envelopes],
            [envelope.type for envelope in envelopes],
            [envelope.reply_to or "" for envelope in envelopes],
            [envelope.subject for envelope in envelopes],
            [envelope.correlation_id or envelope.id for envelope in envelopes],
            [envelope.workspace_id for envelope in envelopes],
            [envelope.actor_id for envelope in envelopes],
            [envelope.traceparent for envelope in envelopes],
        )


@dataclass(frozen=True, slots=True)
class _Answered:
    """A command that waited, and its answer."""

    name: str
    group: str
    command_id: UUID
    reply_type: str
    reply: bytes
    envelope: Envelope | None  # None: nobody waits for it on a topic


class Replies(ChunkStore):
    """Answers commands that wait. A handler's parameter of this type needs no provider."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._answered: list[_Answered] = []
        self._earlier = False  # an earlier message of this chunk answered something

    async def answer(self, name: str, message: Message) -> int:
        """Answer every command that waits for `name`; how many they were. None is fine: nobody
        may have asked, or the answer was given before."""
        if self._earlier:
            raise FlushFirst
        if any(each.name == name for each in self._answered):
            return 0
        rows = await self.resources.database.fetch(
            "SELECT * FROM pending_reply WHERE name = $1", name
        )
        reply = message.__pydantic_serializer__.to_json(message)
        wire_type = message.address.type
        for row in rows:
            envelope = self._envelope(row, wire_type, reply) if row["reply_to"] else None
            group, command_id = row["consumer_group"], row["message_id"]
            self._answered.append(_Answered(name, group, command_id, wire_type, reply, envelope))
        return len(rows)

    def snapshot(self) -> object:
        self._earlier = self._earlier or bool(self._answered)
        return len(self._answered)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, int), "what `snapshot` gave"
        del self._answered[snapshot:]

    def flush(self, statement: Statement) -> None:
        """Another replica that answers the same is a Conflict. An inbox row that was pruned
        meanwhile needs no answer: the command is handled anew when it comes again."""
        if not self._answered:
            return
        keys: Sequence[list[object]] = [
            [each.name for each in self._answered],
            [each.group for each in self._answered],
            [each.command_id for each in self._answered],
        ]
        statement.add(
            "DELETE FROM pending_reply AS p USING unnest({}::text[], {}::text[], {}::uuid[])"
            " AS u(name, consumer_group, message_id) WHERE p.name = u.name"
            " AND p.consumer_group = u.consumer_group AND p.message_id = u.message_id",
            *keys,
            expect=len(self._answered),
        )
        statement.add(
            "UPDATE inbox AS i SET reply_type = u.reply_type, reply = u.reply"
            " FROM unnest({}::text[], {}::uuid[], {}::text[], {}::bytea[])"
            " AS u(consumer_group, message_id, reply_type, reply)"
            " WHERE i.consumer_group = u.consumer_group AND i.message_id = u.message_id"
            " AND i.reply_type = {}",
            *keys[1:],
            [each.reply_type for each in self._answered],
            [each.reply for each in self._answered],
            PENDING,
        )

    def send(self, outbox: Outbox) -> None:
        for each in self._answered:
            if each.envelope is not None:
                outbox.append(each.envelope)

    def _envelope(
        self,
        row: Any,  # an asyncpg record, which is untyped
        wire_type: str,
        reply: bytes,
    ) -> Envelope:
        """In the command's name: ordered by the saga, caused by the command."""
        return Envelope(
            id=new_id(),
            type=wire_type,
            source=f"/basalt/{self.resources.service}",
            subject=row["subject"],
            time=self.resources.clock.now(),
            key=str(row["correlation_id"]),
            topic=row["reply_to"],
            data=reply,
            workspace_id=row["workspace_id"],
            correlation_id=row["correlation_id"],
            causation_id=row["message_id"],
            traceparent=row["traceparent"],
            actor_id=row["actor_id"],
        )
