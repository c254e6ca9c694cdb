"""What the gateway remembers, in a real Redis, and what it does without one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from chassis.stores.redis import open_redis
from services.gateway.memory import RedisMemory
from tests.servers import Servers


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    opened = open_redis(servers.redis_url, timeout=2, connections_max=4)
    yield opened
    await opened.aclose()


async def numbered(count: list[int]) -> dict[str, Any]:
    count.append(1)
    return {"release_id": None, "number": len(count)}


async def test_the_first_value_stays(redis: Redis) -> None:
    memory, command_id, count = RedisMemory(redis, 60, 4), uuid4(), list[int]()

    first = await memory.first(command_id, lambda: numbered(count))
    again = await memory.first(command_id, lambda: numbered(count))
    other = await memory.first(uuid4(), lambda: numbered(count))

    assert first == again == {"release_id": None, "number": 1}
    assert other["number"] == 2
    assert 0 < await redis.ttl(f"gateway:filled:{command_id}") <= 60


async def test_the_founder_is_forgotten_once_a_workspace_must_be_made(redis: Redis) -> None:
    memory, workspace_id, user_id = RedisMemory(redis, 86_400, 4), uuid4(), uuid4()

    await memory.found(workspace_id, user_id)

    assert await memory.founds(workspace_id, user_id)
    assert not await memory.founds(workspace_id, uuid4())
    assert 600 < await redis.ttl(f"gateway:founder:{workspace_id}") <= 900


async def test_of_two_at_once_both_get_the_same(redis: Redis) -> None:
    memory, command_id, count = RedisMemory(redis, 60, 4), uuid4(), list[int]()

    found = await asyncio.gather(
        *(memory.first(command_id, lambda: numbered(count)) for _ in range(8))
    )

    assert len({answer["number"] for answer in found}) == 1


async def test_the_founder_is_known_and_nobody_else(redis: Redis) -> None:
    memory, workspace_id, founder = RedisMemory(redis, 60, 4), uuid4(), uuid4()

    await memory.found(workspace_id, founder)
    await memory.found(workspace_id, uuid4())

    assert await memory.founds(workspace_id, founder)
    assert not await memory.founds(workspace_id, uuid4())


async def test_without_redis_it_remembers_nothing_and_nothing_fails() -> None:
    gone = open_redis("redis://127.0.0.1:9/0", timeout=0.2, connections_max=1)
    memory, workspace_id, user_id = RedisMemory(gone, 60, 4), uuid4(), uuid4()
    count: list[int] = []

    first = await memory.first(uuid4(), lambda: numbered(count))
    await memory.found(workspace_id, user_id)

    assert first["number"] == 1
    assert not await memory.founds(workspace_id, user_id)
    await gone.aclose()
