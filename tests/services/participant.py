"""A service on real stores, without its doors: commands in, answers and outbox rows out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from chassis.clock import Clock, new_id
from chassis.context import trusted_context
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.envelope import Envelope, Headers, wire_headers
from chassis.messaging.handlers import Handler, Handlers
from chassis.messaging.outbox import Outbox, Outgoing, add_outbox
from chassis.messaging.unit import Kit
from chassis.resources import Resources
from chassis.stores.blobs import Blobs
from chassis.stores.migrate import migrate, migrations_of
from chassis.stores.postgres import Database, Statement
from contracts.base import Command, Message

AnyCommand = Command[Any]  # a command, whatever it answers
SERVICES = Path(__file__).parents[2] / "services"


@dataclass
class PlainCommit:
    """Outbox rows stay in their table, where a test reads them."""

    database: Database

    async def commit(self, statement: Statement, outbox: Outbox) -> None:
        add_outbox(statement, [Outgoing.of(envelope, shards=8) for envelope in outbox], {})
        if statement:
            await statement.run(self.database)


@dataclass
class KeptLetters:
    """Dead letters in memory."""

    letters: list[tuple[str, bytes]] = field(default_factory=list)

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        self.letters.append((topic, value))


@dataclass
class FakeRecord:
    """A Kafka record as far as a chunk reads it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


@dataclass
class Participant:
    """One service's handlers on a database of their own."""

    database: Database
    resources: Resources
    chunk: CommandChunk
    letters: KeptLetters

    async def send(self, command: AnyCommand, command_id: UUID | None = None) -> Message:
        """The command's answer. Raises Rejected."""
        workspace_id = getattr(command, "workspace_id", None)
        context = trusted_context(actor_id=new_id(), workspace_id=workspace_id)
        return await self.chunk.execute(command, context, command_id or new_id())

    async def race(self, *commands: AnyCommand) -> list[Message | BaseException]:
        """All at once, each in a transaction of its own."""
        return await asyncio.gather(
            *(self.send(command) for command in commands), return_exceptions=True
        )

    async def hear(self, *envelopes: Envelope) -> None:
        """Deliver events, as one chunk."""
        await self.chunk([as_record(envelope) for envelope in envelopes])

    async def facts(self) -> list[tuple[str, int]]:
        """Wire types and aggregate versions of what was announced, in order."""
        rows = await self.database.fetch("SELECT type, headers FROM outbox ORDER BY seq")
        return [
            (row["type"], int(orjson.loads(row["headers"])["ce_aggregateversion"])) for row in rows
        ]


def as_record(envelope: Envelope) -> FakeRecord:
    """What Kafka would deliver."""
    return FakeRecord(
        topic=envelope.topic,
        key=envelope.key.encode(),
        value=envelope.data,
        headers=wire_headers(envelope.headers()),
    )


def an_envelope(message: Message, clock: Clock, message_id: UUID | None = None) -> Envelope:
    """An event as its owner would have announced it, or a command as a saga would send it."""
    address = message.address
    is_command = isinstance(message, Command)
    return Envelope(
        id=message_id or new_id(),
        type=address.type,
        source=f"/basalt/{address.owner}",
        subject=message.key,
        time=clock.now(),
        key=message.key,
        topic=f"cmd.{address.owner}.v1" if is_command else address.topic,
        data=message.model_dump_json().encode(),
        workspace_id=getattr(message, "workspace_id", None),
        aggregate_version=None if is_command else 1,
    )


async def fresh_database(server_url: str, service: str) -> str:
    """A new, migrated database; its URL."""
    name = f"{service}_{new_id().hex}"
    connection = await asyncpg.connect(server_url, timeout=10)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"', timeout=30)
    finally:
        await connection.close(timeout=5)
    url = f"{server_url.rpartition('/')[0]}/{name}"
    await migrate(url, migrations_of(SERVICES / service))
    return url


def a_participant(
    service: str,
    handlers: Sequence[Handler],
    provides: Mapping[type, type],
    resources: Resources,
    singletons: Mapping[type, object] | None = None,
) -> Participant:
    """Wire the handlers as the service runner does."""
    given: dict[type, object] = {
        Clock: resources.clock,
        type(resources.settings): resources.settings,
        **(singletons or {}),
    }
    if "blobs" in resources.opened:
        given[Blobs] = resources.blobs
    letters = KeptLetters()
    kit = Kit(
        service=service,
        group=service,
        handlers=Handlers(handlers, provides=provides, given=given),
        resources=resources,
        commit_point=PlainCommit(resources.database),
    )
    chunk = CommandChunk(kit, DeadLetters(service, letters))
    return Participant(resources.database, resources, chunk, letters)
