"""Wiring: what a running service is made of, while it is being put together.

A service that needs more than handlers and views (the orchestrator's saga engine, the gateway's
sockets, long work) adds to it in a function of its own: `Service(extend=(wire_sagas,))`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chassis.doors.app import Check
from chassis.doors.http import Answer, Execute, Taken
from chassis.messaging.envelope import Record
from chassis.messaging.handlers import Handlers
from chassis.resources import Resources
from contracts.base import Command, Message, Query

Background = Callable[[], Awaitable[None]]
"""Runs until it is cancelled. When it fails it is started again, after a growing pause."""


class ChunkHandler(Protocol):
    """Handles records of any partitions, each partition's in order; returns when it is durable."""

    async def __call__(self, records: Sequence[Record]) -> None: ...


@dataclass(frozen=True, slots=True)
class Consumer:
    """Topics that one consumer group reads."""

    group: str
    topics: tuple[str, ...]
    handler: ChunkHandler


@dataclass(slots=True)
class Wiring:
    """`relay` is the commit point and sender (None without Postgres or Kafka)."""

    service: str
    settings: Any  # the service's own Settings class
    resources: Resources
    relay: Any = None  # chassis.messaging.relay.Relay, loaded only by services with Postgres
    handlers: Handlers | None = None
    commands: dict[str, Taken] = field(default_factory=dict)
    queries: dict[str, Taken] = field(default_factory=dict)
    home_topic: str = ""  # its partitions that are consumed here are the outbox shards to hold
    consumers: list[Consumer] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    backgrounds: dict[str, Background] = field(default_factory=dict)
    closes: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    execute: Execute | None = None  # runs a command of this service's handlers

    def take_command(self, contract: type[Command[Any]], run: Execute) -> None:
        """Carry out a command at the HTTP door by something else than a handler."""
        self.commands[contract.__name__] = Taken(contract, run)

    def take_query(self, contract: type[Query[Any]], run: Answer) -> None:
        """Answer a query at the HTTP door by something else than a view."""
        self.queries[contract.__name__] = Taken(contract, run)

    def consume(self, consumer: Consumer) -> None:
        """Read topics with a chunk handler of one's own."""
        self.consumers.append(consumer)

    def check(self, name: str, check: Check) -> None:
        """Not ready while `check` raises."""
        self.checks[name] = check

    def run(self, name: str, background: Background) -> None:
        """Keep running while the service does; cancelled when it stops."""
        self.backgrounds[name] = background

    def close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Await this at the very end, last given first."""
        self.closes.append(close)


Extension = Callable[[Wiring], Awaitable[None] | None]


def exposed(contract: type[Message]) -> bool:
    """Whether the HTTP door takes it: contracts without a permission are for services only."""
    return contract.permission is not None
