"""Connections: a small pool. asyncpg's own makes a task for every release; this one does not."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import asyncpg

Connection = Any  # asyncpg is untyped
_SPOILED = (asyncio.CancelledError, TimeoutError, OSError, asyncpg.InterfaceError)


class Connections:
    """At most `most` connections, made when needed, the last used first."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, most: int) -> None:
        self._connect = connect
        self._permits = asyncio.Semaphore(most)
        self._free: list[Connection] = []
        self._used: set[Connection] = set()
        self._returned = asyncio.Event()
        self._closed = False

    def use(self, timeout: float) -> "_Use":
        """`async with` it: a connection, waited for at most `timeout` seconds."""
        return _Use(self, timeout)

    async def close(self, timeout: float) -> None:
        """Wait for the work under way, at most `timeout` seconds; then cut it off."""
        self._closed = True
        try:
            async with asyncio.timeout(timeout):
                for connection in self._take_all_free():
                    await connection.close()
                while self._used:
                    self._returned.clear()
                    await self._returned.wait()
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            for connection in [*self._take_all_free(), *self._used]:
                connection.terminate()

    def _take_all_free(self) -> list[Connection]:
        free, self._free = self._free, []
        return free

    async def _take(self, timeout: float) -> Connection:
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")
        if self._permits.locked():
            async with asyncio.timeout(timeout):
                await self._permits.acquire()
        else:
            await self._permits.acquire()  # tidy: one is free, so it does not wait
        try:
            while self._free:
                connection = self._free.pop()
                if not connection.is_closed():
                    break
            else:
                async with asyncio.timeout(timeout):
                    connection = await self._connect()
        except BaseException:
            self._permits.release()
            raise
        self._used.add(connection)
        return connection

    def _give_back(self, connection: Connection, error: BaseException | None) -> None:
        """A connection whose answer may still be on its way is thrown away."""
        self._used.discard(connection)
        self._returned.set()
        self._permits.release()
        if isinstance(error, _SPOILED) or self._closed or connection.is_in_transaction():
            connection.terminate()
        elif not connection.is_closed():
            self._free.append(connection)


class _Use:
    __slots__ = ("_connection", "_pool", "_timeout")

    def __init__(self, pool: Connections, timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout
        self._connection: Connection = None

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool._take(self._timeout)
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        self._pool._give_back(self._connection, error)
