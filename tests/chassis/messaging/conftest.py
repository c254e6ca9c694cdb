"""What most tests of messaging stand on."""

from collections.abc import AsyncIterator

import pytest

from chassis.stores.postgres import Database
from chassis.testing.messages import DirectCommit, FakeSender
from tests.chassis.messaging.quota import a_database


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    database = await a_database(fresh_database)
    yield database
    await database.close()


@pytest.fixture
def commit(database: Database) -> DirectCommit:
    return DirectCommit(database)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()
