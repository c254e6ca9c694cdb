"""Fixtures that start real servers, for the tests that ask for them and for those alone."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis.clock import new_id
from tests.servers import Servers

_HERE = Path(__file__).parent
_WHOLE_WORLDS = {_HERE / "simulation", _HERE / "mutation"}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A handle on the servers; each starts when its URL is first read."""
    handle = Servers()
    yield handle
    handle.close()


@pytest.fixture(scope="session")
def postgres_url(servers: Servers) -> str:
    """An administrator's URL of a PostgreSQL, at its database `postgres`."""
    return f"{servers.postgres_url}/postgres"


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Servers) -> str:
    return servers.kafka_bootstrap


@pytest.fixture(scope="session")
def mongo_url(servers: Servers) -> str:
    return servers.mongo_url


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    return servers.redis_url


@pytest.fixture(scope="session")
def payments_url(servers: Servers) -> str:
    """The payment provider for development, a server of its own."""
    return servers.payments_url


@pytest.fixture
async def fresh_database(postgres_url: str) -> AsyncIterator[str]:
    """The URL of a database made for this test, dropped after it."""
    name = f"test_{new_id().hex}"
    server = postgres_url.rsplit("/", 1)[0]
    await _administer(postgres_url, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    await _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _administer(url: str, sql: str) -> None:
    admin = await asyncpg.connect(url, timeout=10)
    try:
        await admin.execute(sql, timeout=30)
    finally:
        await admin.close()


def pytest_collection_finish() -> None:
    """All modules are here to stay: no collection needs to look at them again."""
    gc.collect()
    gc.freeze()


SERVER_FIXTURES = {
    "servers",
    "own_servers",
    "postgres_url",
    "kafka_bootstrap",
    "mongo_url",
    "redis_url",
    "payments_url",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The speeds: `flow` and `simulated` by folder, `servers` by what a test asks for; the rest is
    fast."""
    for item in items:
        if _WHOLE_WORLDS & set(item.path.parents):
            item.add_marker("simulated")
        if "flows" in item.path.parts:
            item.add_marker("flow")
            item.add_marker("servers")
        if SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
