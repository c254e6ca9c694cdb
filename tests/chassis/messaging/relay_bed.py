"""A relay over a database, a Kafka and a clock that do what a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope
from chassis.messaging.limits import RelayLimits
from chassis.messaging.outbox import Outbox, Outgoing
from chassis.messaging.relay import Relay
from chassis.stores.statement import Statement
from chassis.testing.clock import START, VirtualClock
from chassis.testing.messages import a_command
from contracts.billing.account import OpenAccount
from tests.chassis.messaging.carrier_bed import Kafka, Table

LIMITS = RelayLimits(shards=4, delete_rows=2, sweep_s=50.0, prune_s=1000.0)


def an_envelope(shard: int) -> Envelope:
    """A message of this shard."""
    while True:
        made = a_command(OpenAccount(workspace_id=new_id()))
        if Outgoing.of(made, LIMITS.shards).shard == shard:
            return made


class Connection:
    """One that listens; what it was asked."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.listens: list[Any] = []
        self.left: list[Any] = []
        self.on_lost: Any = None
        self.closed = False

    async def add_listener(self, channel: str, hear: Any) -> None:
        self.listens.append((channel, hear))

    async def remove_listener(self, channel: str, hear: Any) -> None:
        self.left.append((channel, hear))

    def add_termination_listener(self, on_lost: Any) -> None:
        self.on_lost = on_lost

    async def execute(self, sql: str) -> None:
        self.statements.append(sql)

    def is_closed(self) -> bool:
        return self.closed


@dataclass
class Base(Table):
    """The database of a relay: leases as the test gives them, and what was run."""

    leases: dict[int, int] = field(default_factory=dict)
    ticks: list[tuple[Any, ...]] = field(default_factory=list)
    stale: list[dict[str, Any]] = field(default_factory=list)
    asked_for: list[tuple[Any, ...]] = field(default_factory=list)
    run: list[Statement] = field(default_factory=list)
    refusal: BaseException | None = None
    foreign: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    away: Exception | None = None
    pruned: list[timedelta] = field(default_factory=list)

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        if "relay_tick" in sql:
            self.ticks.append(args)
            self.words.append(sql)
            if self.away is not None:
                raise self.away
            return [{"held_shard": s, "held_epoch": e} for s, e in self.leases.items()]
        if "extract(epoch" in sql:
            self.asked_for.append(args)
            return self.stale
        return await super().fetch(sql, *args)

    async def fetchval(self, sql: str, *args: Any, timeout: float = 0) -> Any:
        if "inbox_forget" in sql:
            self.pruned.append(args[0])
        return START if "partitions" in sql else 0

    async def execute(self, sql: str, *args: Any) -> None:
        if "relay_member" in sql:
            self.gone += args
            self.words.append(sql)
            return
        await super().execute(sql, *args)

    async def run_statement(self, statement: Statement, timeout: float | None) -> dict[str, Any]:
        self.run.append(statement)
        if self.refusal is not None:
            raise self.refusal
        return {output.name: self.foreign for output in statement.outputs}

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield Connection()


@dataclass
class Field:
    clock: VirtualClock
    base: Base
    kafka: Kafka
    relay: Relay

    async def commit(self, *envelopes: Envelope) -> None:
        outbox = Outbox()
        for envelope in envelopes:
            outbox.append(envelope)
        await self.relay.commit(Statement(), outbox)
        await self.clock.settle()

    @property
    def sent(self) -> list[UUID]:
        return [row.id for row in self.kafka.sent]


@dataclass
class Line:
    """A database that gives one connection after the other."""

    connections: list[Connection] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        if self.errors:
            raise self.errors.pop(0)
        self.connections.append(Connection())
        yield self.connections[-1]
