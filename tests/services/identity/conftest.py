"""Identity on real stores."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from chassis.stores.postgres import Database
from chassis.stores.redis import open_redis
from services.identity.settings import Settings
from tests.services.identity.house import House, a_house
from tests.services.participant import fresh_database


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(await fresh_database(postgres_url, "identity"), pool_max=8)
    yield opened
    await opened.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    opened = open_redis(redis_url)
    yield opened
    await opened.aclose()


@pytest.fixture
def house(database: Database, redis: Redis) -> House:
    return a_house(database, redis)


@pytest.fixture
def settings(house: House) -> Settings:
    found = house.resources.settings
    assert isinstance(found, Settings)
    return found
