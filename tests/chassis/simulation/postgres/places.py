"""Two databases with the same tables: the simulated one, and a real one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

import services.orchestrator
from chassis.clock import new_id
from chassis.messaging.deadletters import DeadLetters
from chassis.parking.lot import ParkingLot
from chassis.stores.migrate import migrate, migrations_of
from chassis.stores.postgres import Database
from chassis.testing.messages import FakeSender
from chassis.testing.simulation.postgres import SimDatabase, SimPostgres
from tests.chassis.messaging.quota import TABLE as ACCOUNT
from tests.chassis.stores.test_aggregates import TABLE as NOTE

MIGRATIONS = migrations_of(Path(services.orchestrator.__file__).parent)
ITEM = "CREATE TABLE item (id int PRIMARY KEY, size int)"
TABLES = (ACCOUNT, NOTE, ITEM)
_MIGRATED: dict[str, str] = {}  # by server: the database that is there already


@asynccontextmanager
async def a_simulated() -> AsyncIterator[Database]:
    server = SimPostgres(lambda: datetime.now(UTC), MIGRATIONS)
    for table in TABLES:
        server.query(table, ())
    yield SimDatabase(server)


@asynccontextmanager
async def a_real(url: str) -> AsyncIterator[Database]:
    """One database on the server of `url` for all these tests, emptied for each."""
    server = url.rpartition("/")[0]
    name = _MIGRATED.get(server) or await _migrated(url)
    database = await Database.open(f"{server}/{name}", pool_max=4)
    tables = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT LIKE 'alembic%' AND tablename NOT LIKE 'saga_event_%'"
    )
    await database.execute("; ".join(f"DELETE FROM {row[0]}" for row in tables))
    try:
        yield database
    finally:
        await database.close()


def a_lot(database: Database) -> ParkingLot:
    """A parking lot whose copies go nowhere."""
    return ParkingLot("g", database, DeadLetters("g", FakeSender()))


async def _migrated(url: str) -> str:
    server = url.rpartition("/")[0]
    name = f"contract_{new_id().hex}"
    await _administer(url, f"CREATE DATABASE {name}")
    await migrate(f"{server}/{name}", MIGRATIONS)
    for table in TABLES:
        await _administer(f"{server}/{name}", table)
    _MIGRATED[server] = name
    return name


async def _administer(url: str, sql: str) -> None:
    admin: Any = await asyncpg.connect(url, timeout=10)  # untyped
    try:
        await admin.execute(sql, timeout=30)
    finally:
        await admin.close()
