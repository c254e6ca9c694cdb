"""PartitionRunner: how it ends, and what it tells of itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.messaging.metrics import LAG, PARTITIONS
from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.runner_bed import LIMITS, A, B, Handler, Stage, a_stage, curious


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as made:
        yield made


class TestDraining:
    async def test_a_chunk_that_does_not_end_is_cut_off(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        await asyncio.wait_for(stage.runner.drain(), 5)
        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.handler.chunks == []
        assert stage.consumer.committed == {}

    async def test_a_commit_that_is_not_answered_is_given_up_and_repeated(
        self, stage: Stage
    ) -> None:
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        curious(stage).deaf = True

        await asyncio.wait_for(stage.runner.drain(), 5)
        curious(stage).deaf = False
        await stage.runner.drain()

        assert curious(stage).commits == [{A: 2}, {A: 2}]
        assert stage.consumer.committed == {A: 2}

    async def test_what_is_committed_is_not_committed_again(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.consumer.put(A, 0)
        await stage.clock.pass_time(LIMITS.commit_s * 3)
        stage.consumer.put(B, 4)
        await stage.clock.pass_time(LIMITS.commit_s * 3)

        assert curious(stage).commits == [{A: 1}, {B: 5}]

    async def test_without_a_consumer_there_is_nothing_to_commit(self) -> None:
        runner = PartitionRunner(Handler(), VirtualClock())

        await runner.drain()

        assert runner.stalled() == ""


class TestTelling:
    async def test_it_says_what_it_has(self, stage: Stage) -> None:
        assert stage.runner.ever_assigned is False
        assert stage.runner.places == []

        await stage.runner.assigned([B, A])

        assert stage.runner.ever_assigned is True
        assert stage.runner.places == [A, B]
        assert PARTITIONS.labels(A.topic)._value.get() == 2
        await stage.runner.revoked([A, B])
        assert stage.runner.places == []
        assert PARTITIONS.labels(A.topic)._value.get() == 0

    async def test_a_stall_says_how_long_and_how_many(self, stage: Stage) -> None:
        await stage.clock.pass_time(100)
        await stage.runner.assigned([A])
        stage.runner.observe(waiting=3)
        await stage.clock.pass_time(LIMITS.stalled_s - 1)
        assert stage.runner.stalled() == ""

        await stage.clock.pass_time(1)

        assert stage.runner.stalled() == "no progress for 30 s with 3 records waiting"

    async def test_it_counts_what_it_has_read_itself(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        stage.consumer.put(A, 2, 3, 4)
        await stage.clock.pass_time(LIMITS.stalled_s)

        assert stage.runner.stalled() == "no progress for 30 s with 3 records waiting"

    async def test_the_lag_is_what_the_broker_has_more(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        stage.consumer._ends[A] = 12

        await stage.clock.pass_time(LIMITS.commit_s)

        assert LAG.labels("topic", "0")._value.get() == 10
        stage.consumer._ends[A] = 1
        await stage.clock.pass_time(LIMITS.commit_s)
        assert LAG.labels("topic", "0")._value.get() == 0

    async def test_the_lag_of_what_was_taken_away_is_somebody_elses(self, stage: Stage) -> None:
        LAG.labels("other", "0").set(5)
        await stage.runner.assigned([A, B])
        stage.consumer._ends[A] = stage.consumer._ends[B] = 12
        stage.consumer.put(A, 0, 1)
        stage.consumer.put(B, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s + LIMITS.commit_s)
        assert {("topic", "0"), ("topic", "1")} <= LAG._metrics.keys()

        await stage.runner.revoked()

        assert not {("topic", "0"), ("topic", "1")} & LAG._metrics.keys()
        assert LAG.labels("other", "0")._value.get() == 5
