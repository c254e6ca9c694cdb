"""The fixtures that the chassis's tests of stores stand on, on a simulated PostgreSQL."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import services.orchestrator
from chassis.stores.migrate import migrations_of
from chassis.testing.messages import DirectCommit, FakeSender
from chassis.testing.simulation.postgres import SimDatabase, SimPostgres
from tests.chassis.messaging.quota import TABLE as ACCOUNT
from tests.chassis.saga.stand import Stand
from tests.chassis.stores.test_aggregates import TABLE as NOTE

MIGRATIONS = migrations_of(Path(services.orchestrator.__file__).parent)
ITEM = "CREATE TABLE item (id int PRIMARY KEY, size int)"


@pytest.fixture
def database() -> SimDatabase:
    """With all the tables that these tests make for themselves."""
    server = SimPostgres(lambda: datetime.now(UTC), MIGRATIONS)
    for table in (ACCOUNT, NOTE, ITEM):
        server.query(table, ())
    return SimDatabase(server)


@pytest.fixture
def stand(database: SimDatabase) -> Stand:
    return Stand(database)


@pytest.fixture
def commit(database: SimDatabase) -> DirectCommit:
    return DirectCommit(database)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()
