"""SimDatabase: chassis.stores.postgres.Database, but for what is behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol, TypeVar

from chassis.errors import Unavailable
from chassis.stores.postgres import Database
from chassis.stores.statement import Reading, Statement
from chassis.testing.simulation.postgres.server import SimPostgres

T = TypeVar("T")
Callback = Callable[..., object]  # asyncpg's listeners take what it gives them


class Link(Protocol):
    """The way between a process and its database.

    `call` decides when `apply` happens, whether at all, and whether its answer arrives: it may
    raise Unavailable before it (nothing happened), Unanswered after it (in doubt). `apply` itself
    raises what the database says.
    """

    async def call(self, what: str, apply: Callable[[], T]) -> T: ...


class DirectLink:
    """Nothing ever happens on the way."""

    async def call(self, what: str, apply: Callable[[], T]) -> T:
        return apply()


DIRECT = DirectLink()


class SimDatabase(Database):
    """A process's pool of connections to a SimPostgres. `timeout` arguments are the link's
    business. `drop` is a crash of the process: nothing more is delivered to it."""

    def __init__(self, server: SimPostgres, link: Link = DIRECT) -> None:
        self.server = server
        self.link = link
        self._used: dict[SimConnection, None] = {}
        self._closed = False

    async def close(self, timeout: float = 5.0) -> None:
        self._closed = True
        self.drop()

    def drop(self) -> None:
        """All connections are gone, without a word."""
        for connection in list(self._used):
            connection.drop()

    def cut(self) -> None:
        """All connections break, and who uses them is told."""
        for connection in list(self._used):
            connection.terminate()

    @asynccontextmanager
    async def acquire(self, timeout: float | None = None) -> AsyncIterator[Any]:
        self._demand_open()
        connection = await self.link.call("connect", partial(SimConnection, self))
        self._used[connection] = None
        try:
            yield connection
        finally:
            connection.drop()

    async def fetch(self, sql: str, *args: object, timeout: float | None = None) -> list[Any]:
        plan, rows, _ = await self._call(sql, args)
        records: list[Any] = plan.records(rows)
        return records

    async def fetchrow(self, sql: str, *args: object, timeout: float | None = None) -> Any:
        plan, rows, _ = await self._call(sql, args)
        return plan.records(rows[:1])[0] if rows else None

    async def fetchval(self, sql: str, *args: object, timeout: float | None = None) -> Any:
        plan, rows, _ = await self._call(sql, args)
        return plan.records(rows[:1])[0][0] if rows else None

    async def execute(self, sql: str, *args: object, timeout: float | None = None) -> str:
        _, _, tag = await self._call(sql, args)
        return str(tag)

    async def run_statement(self, statement: Statement, timeout: float | None = None) -> Any:
        self._demand_open()
        return await self.link.call("statement", partial(self.server.statement, statement))

    async def run_reading(self, reading: Reading, timeout: float | None = None) -> None:
        self._demand_open()
        found = await self.link.call("reading", partial(self.server.reading, reading))
        for part, rows in zip(reading.parts, found, strict=True):
            part.into(rows)

    def forget(self, connection: "SimConnection") -> None:
        self._used.pop(connection, None)

    async def _call(self, sql: str, args: tuple[object, ...]) -> Any:  # a plan, rows and a tag
        self._demand_open()
        what = self.server.name_of(sql)
        return await self.link.call(what, partial(self.server.query, sql, args))

    def _demand_open(self) -> None:
        if self._closed:
            raise Unavailable("postgres: the pool is closed")


class SimConnection:
    """What a listener needs of asyncpg's connection."""

    def __init__(self, database: SimDatabase) -> None:
        self._database = database
        self._listeners: list[tuple[str, Callback]] = []
        self._ends: list[Callback] = []
        self._closed = False
        self._owner = copy_context()  # notifications arrive in the process that listens

    async def add_listener(self, channel: str, callback: Callback) -> None:
        await self._database.link.call("LISTEN", partial(self._listen, channel, callback))

    async def remove_listener(self, channel: str, callback: Callback) -> None:
        self._listeners = [pair for pair in self._listeners if pair != (channel, callback)]
        if not any(name == channel for name, _ in self._listeners):
            self._database.server.unlisten(channel, self)

    def add_termination_listener(self, callback: Callback) -> None:
        self._ends.append(callback)

    def is_closed(self) -> bool:
        return self._closed

    def is_in_transaction(self) -> bool:
        return False

    async def fetch(self, sql: str, *args: object, timeout: float | None = None) -> list[Any]:
        self._demand_open()
        return await self._database.fetch(sql, *args)

    async def fetchval(self, sql: str, *args: object, timeout: float | None = None) -> Any:
        self._demand_open()
        return await self._database.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object, timeout: float | None = None) -> str:
        self._demand_open()
        return await self._database.execute(sql, *args)

    def heard(self, channel: str, payload: str) -> None:
        """The server has a notification: it is on its way."""
        for name, callback in list(self._listeners):
            if name == channel:
                self._later(self._deliver, callback, channel, payload)

    def drop(self) -> None:
        """Closed, without a word."""
        self._closed = True
        for channel, _ in self._listeners:
            self._database.server.unlisten(channel, self)
        self._listeners = []
        self._database.forget(self)

    def terminate(self) -> None:
        """Broken: who listens for that is told."""
        if not self._closed:
            self.drop()
            for callback in self._ends:
                self._later(callback, self)

    def _later(self, callback: Callback, *args: object) -> None:
        asyncio.get_running_loop().call_soon(partial(callback, *args), context=self._owner)

    def _deliver(self, callback: Callback, channel: str, payload: str) -> None:
        if not self._closed:
            callback(self, 0, channel, payload)

    def _listen(self, channel: str, callback: Callback) -> None:
        self._listeners.append((channel, callback))
        self._database.server.listen(channel, self)

    def _demand_open(self) -> None:
        if self._closed:
            raise Unavailable("postgres: the connection is closed")
