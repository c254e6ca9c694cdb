"""How long sagas are kept, and that they go by whole months."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from chassis.clock import SystemClock, new_id, rolling, shaped_id
from chassis.saga.inputs import Happened
from chassis.saga.state import SagaState
from chassis.saga.timers import Timers
from tests.chassis.saga.stand import Stand, a_stand, answer_to

DAY = timedelta(days=1)
LONG_AGO = 150 * DAY


class Before:
    """Dice of a process that ran so long ago."""

    def __init__(self, age: timedelta) -> None:
        self._ms = int((datetime.now(UTC) - age).timestamp() * 1000)
        self._count = 0

    def next_id(self) -> UUID:
        self._count += 1
        return shaped_id(self._ms + self._count, 0, new_lower(self._count))

    def chance(self) -> float:
        return 0.5


def new_lower(number: int) -> int:
    return number * 0x9E37_79B9_7F4A


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


async def publish_before(stand: Stand, age: timedelta) -> SagaState:
    """A saga that began so long ago, in the month that the service had then."""
    month = await stand.database.fetchval(
        "SELECT date_trunc('month', now() - $1::interval, 'UTC')", age
    )
    following = (month + 32 * DAY).replace(day=1)
    low, high = [
        await stand.database.fetchval("SELECT id_floor($1)", moment)
        for moment in (month, following)
    ]
    await stand.database.execute(
        f"CREATE TABLE IF NOT EXISTS saga_instance_{month:%Y%m%d}"
        f" PARTITION OF saga_instance FOR VALUES FROM ('{low}') TO ('{high}')"
    )
    with rolling(Before(age)):
        (saga,) = await stand.publish(app_id=UUID(int=int(age.total_seconds())))
    return saga


async def ended_before(stand: Stand, saga: SagaState, age: timedelta) -> None:
    await stand.run_to_the_end()
    await stand.database.execute(
        "UPDATE saga_instance SET updated_at = now() - $1::interval WHERE id = $2", age, saga.id
    )


async def months_of(stand: Stand) -> int:
    months: int = await stand.database.fetchval(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'saga_instance'::regclass"
    )
    return months


async def prune(stand: Stand) -> None:
    timers = Timers(stand.engine, stand.database, SystemClock(), keep=90 * DAY)
    await timers.keep_partitions()


class TestMonths:
    async def test_a_month_of_sagas_that_ended_long_ago_is_dropped(self, stand: Stand) -> None:
        old = await publish_before(stand, LONG_AGO)
        await ended_before(stand, old, LONG_AGO)
        (young,) = await stand.publish()
        months = await months_of(stand)

        await prune(stand)

        assert await months_of(stand) == months - 1
        assert set(await stand.states()) == {young.id}

    async def test_a_month_stays_while_one_of_its_sagas_is_open(self, stand: Stand) -> None:
        ended = await publish_before(stand, LONG_AGO)
        await ended_before(stand, ended, LONG_AGO)
        waiting = await publish_before(stand, LONG_AGO + timedelta(hours=1))

        await prune(stand)

        assert set(await stand.states()) == {ended.id, waiting.id}

    async def test_a_month_stays_while_one_of_its_sagas_ended_lately(self, stand: Stand) -> None:
        saga = await publish_before(stand, LONG_AGO)
        await ended_before(stand, saga, 30 * DAY)

        await prune(stand)

        assert set(await stand.states()) == {saga.id}

    async def test_the_coming_months_are_made_and_how_far_is_told(self, stand: Stand) -> None:
        await prune(stand)

        until = REGISTRY.get_sample_value(
            "basalt_partitions_until_seconds", {"table": "saga_instance"}
        )
        assert until is not None
        assert until > (datetime.now(UTC) + 58 * DAY).timestamp()

    async def test_a_saga_of_no_month_runs_and_is_found(self, stand: Stand) -> None:
        with rolling(Before(-400 * DAY)):  # a clock that is far ahead
            (saga,) = await stand.publish()

        await stand.run_to_the_end()

        assert (await stand.state(saga)).status == "COMPLETED"


class TestHistory:
    async def test_older_than_every_saga_goes(self, stand: Stand) -> None:
        await publish_before(stand, LONG_AGO)
        await stand.database.execute(
            "CREATE TABLE saga_event_old PARTITION OF saga_event"
            " FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
        )

        await prune(stand)

        assert "saga_event_old" not in await self.weeks(stand)
        this_week = datetime.now(UTC).strftime("saga_event_%Gw%V")
        assert this_week in await self.weeks(stand)

    async def test_of_a_saga_that_is_kept_stays_whole(self, stand: Stand) -> None:
        saga = await publish_before(stand, LONG_AGO)
        began = datetime.now(UTC) - LONG_AGO
        low, high = began - 3 * DAY, began + 3 * DAY
        await stand.database.execute(
            f"CREATE TABLE saga_event_old PARTITION OF saga_event"
            f" FOR VALUES FROM ('{low:%Y-%m-%d}') TO ('{high:%Y-%m-%d}')"
        )

        await prune(stand)

        assert "saga_event_old" in await self.weeks(stand)
        await ended_before(stand, saga, LONG_AGO)
        await prune(stand)
        assert "saga_event_old" not in await self.weeks(stand)

    async def weeks(self, stand: Stand) -> set[str]:
        rows = await stand.database.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'saga_event'::regclass"
        )
        return {row[0] for row in rows}


class TestLateReplies:
    async def test_to_an_ended_saga_of_an_old_month_are_recorded_as_ignored(
        self, stand: Stand
    ) -> None:
        saga = await publish_before(stand, 40 * DAY)
        (first,) = await stand.take_commands()
        await stand.deliver(answer_to(first, {}))
        await ended_before(stand, saga, 35 * DAY)
        await prune(stand)

        await stand.deliver(answer_to(first, {}, new_id()))

        *_, last = await stand.engine._desk.store.history(saga.id)
        assert last["happened"] == Happened.IGNORED.value
        assert last["reason"]
        assert (await stand.state(saga)).status == "COMPLETED"

    async def test_to_a_saga_that_is_gone_are_counted_and_harm_nobody(self, stand: Stand) -> None:
        saga = await publish_before(stand, LONG_AGO)
        (first,) = await stand.take_commands()
        late = answer_to(first, {}, new_id())
        await stand.deliver(answer_to(first, {}))
        await ended_before(stand, saga, LONG_AGO)
        await prune(stand)
        (young,) = await stand.publish()
        others = [answer_to(sent, {}) for sent in await stand.take_commands()]

        await stand.another_engine().answer([late, *others])

        assert (await stand.state(young)).version == 2
        assert saga.id not in await stand.states()
