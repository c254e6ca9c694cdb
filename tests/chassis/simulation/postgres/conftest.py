"""The fixtures that the chassis's tests of stores stand on, on a simulated PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from chassis.stores.postgres import Database
from chassis.testing.messages import DirectCommit, FakeSender
from tests.chassis.saga.stand import Stand
from tests.chassis.simulation.postgres.places import a_real, a_simulated


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """With all the tables that these tests make for themselves."""
    async with a_simulated() as database:
        yield database


@pytest.fixture
def stand(database: Database) -> Stand:
    return Stand(database)


@pytest.fixture
def commit(database: Database) -> DirectCommit:
    return DirectCommit(database)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.servers)])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """Each test that asks for it runs on both: what they do must not differ."""
    if request.param == "simulated":
        async with a_simulated() as database:
            yield database
    else:
        async with a_real(request.getfixturevalue("postgres_url")) as database:
            yield database
