"""PostgreSQL: a pool of connections whose every call has a deadline and a fate."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import orjson

from chassis.errors import Conflict, Unanswered, Unavailable
from chassis.stores.chunks import ChunkStore
from chassis.stores.connections import Connections
from chassis.stores.statement import Reading, Row, Statement

__all__ = ["ChunkStore", "Database", "Reading", "Row", "Statement", "fates"]

# One plan per statement text (arguments are arrays, so the text repeats), and no compilation.
# A plan made while a table was small is kept while it grows: never a scan where an index will do.
_SERVER_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "max_parallel_workers_per_gather": "0",  # one statement takes one core
}

_CONFLICTS = (
    asyncpg.UniqueViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_OUTAGES = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.DiskFullError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@contextmanager
def fates() -> Iterator[None]:
    """Turn the driver's errors into Conflict, Unavailable or Unanswered; others are bugs."""
    try:
        yield
    except _CONFLICTS as error:
        raise Conflict(getattr(error, "constraint_name", None) or str(error)) from error
    except (TimeoutError, asyncpg.QueryCanceledError) as error:
        raise Unanswered("postgres: no answer in time") from error
    except _OUTAGES as error:
        if isinstance(error, ValueError):  # an argument of the wrong type: a bug of ours
            raise
        raise Unavailable(f"postgres: {type(error).__name__}") from error


class Database:
    """A pool of connections. Every call has a deadline: `timeout` seconds, or the pool's own.

    Raises Conflict (unique key, serialization, deadlock), Unavailable, Unanswered (in doubt).
    JSON columns are read and written as Python values.
    """

    def __init__(self, connections: Connections, *, timeout: float) -> None:
        self._connections = connections
        self._timeout = timeout

    @classmethod
    async def open(
        cls, url: str, *, pool_max: int = 8, timeout: float = 10.0, application: str = "basalt"
    ) -> "Database":
        """Connect lazily: the pool starts empty, so that a server that is down is no error yet."""

        async def connect() -> Any:
            connection = await asyncpg.connect(
                _plain(url),
                timeout=timeout,
                command_timeout=timeout,
                server_settings={**_SERVER_SETTINGS, "application_name": application},
            )
            await _speak_json(connection)
            return connection

        return cls(Connections(connect, most=pool_max), timeout=timeout)

    async def close(self, timeout: float = 5.0) -> None:
        """Wait for the work under way, at most `timeout` seconds; then cut it off."""
        await self._connections.close(timeout)

    @asynccontextmanager
    async def acquire(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """One asyncpg connection, for a transaction or a listener."""
        with fates():
            async with self._connections.use(timeout or self._timeout) as connection:
                yield connection

    async def fetch(self, sql: str, *args: object, timeout: float | None = None) -> list[Any]:
        """All rows."""
        with fates():
            async with self._connections.use(timeout or self._timeout) as connection:
                rows: list[Any] = await connection.fetch(sql, *args, timeout=timeout)
                return rows

    async def fetchrow(self, sql: str, *args: object, timeout: float | None = None) -> Any:
        """The first row, or None."""
        with fates():
            async with self._connections.use(timeout or self._timeout) as connection:
                return await connection.fetchrow(sql, *args, timeout=timeout)

    async def fetchval(self, sql: str, *args: object, timeout: float | None = None) -> Any:
        """The first column of the first row, or None."""
        with fates():
            async with self._connections.use(timeout or self._timeout) as connection:
                return await connection.fetchval(sql, *args, timeout=timeout)

    async def execute(self, sql: str, *args: object, timeout: float | None = None) -> str:
        """Run, and give PostgreSQL's command tag."""
        with fates():
            async with self._connections.use(timeout or self._timeout) as connection:
                return str(await connection.execute(sql, *args, timeout=timeout))

    async def run_statement(self, statement: Statement, timeout: float | None = None) -> Any:
        """What `Statement.run` does with a database: the row of its selects."""
        sql, args = statement.build()
        return await self.fetchrow(sql, *args, timeout=timeout)

    async def run_reading(self, reading: Reading, timeout: float | None = None) -> None:
        """What `Reading.run` does with a database."""
        sql, args = reading.build()
        reading.deliver(await self.fetch(sql, *args, timeout=timeout))


def _plain(url: str) -> str:
    """SQLAlchemy's spelling of a URL is accepted too."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def _speak_json(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda raw: orjson.loads(raw[1:]),
    )
    await connection.set_type_codec(
        "json",
        schema="pg_catalog",
        format="binary",
        encoder=orjson.dumps,
        decoder=orjson.loads,
    )
