"""The loop that looks for what is due."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from chassis.clock import SystemClock
from chassis.saga.timers import Timers
from chassis.stores.postgres import Database
from tests.chassis.saga.stand import Stand, a_stand


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


async def until_attempted_twice(stand: Stand) -> None:
    clock = SystemClock()
    async with asyncio.timeout(10):
        while await stand.attempts() != {2}:
            await clock.sleep(0.02)


class TestTimers:
    async def test_wake_what_is_due(self, stand: Stand) -> None:
        for saga in await stand.publish(count=3):
            await stand.make_due(saga)
        timers = Timers(stand.engine, stand.database, SystemClock())
        running = asyncio.create_task(timers.run())

        await until_attempted_twice(stand)

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    async def test_wait_for_their_tables(self, fresh_database: str) -> None:
        database = await Database.open(fresh_database, pool_max=1)
        engine = Stand(database).engine
        running = asyncio.create_task(Timers(engine, database, SystemClock()).run())

        done, _ = await asyncio.wait({running}, timeout=0.2)

        assert not done
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()

    async def test_measure_how_long_the_oldest_has_been_due(self, stand: Stand) -> None:
        first, *_ = await stand.publish(count=2)
        await stand.make_due(first)

        timers = Timers(stand.engine, stand.database, SystemClock())
        await timers.look_for_overdue()
        await timers.count()

        overdue = REGISTRY.get_sample_value("basalt_saga_oldest_overdue_seconds")
        labels = {"saga": "publish_app", "status": "RUNNING"}
        assert overdue is not None
        assert 1 <= overdue < 60
        assert REGISTRY.get_sample_value("basalt_sagas_open", labels) == 2
