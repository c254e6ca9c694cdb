"""PartitionRunner against a fake consumer and a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.messaging.limits import RunnerLimits
from tests.chassis.messaging.runner_bed import A, B, C, FakeConsumer, Stage, running

LIMITS = RunnerLimits(chunk_records_max=10, buffer_records_max=20, lanes=2, drain_s=1.0)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with running(FakeConsumer(), LIMITS) as stage:
        yield stage


class TestHandling:
    async def test_a_lone_record_is_not_delayed(self, stage: Stage) -> None:
        await stage.runner.assigned([A])

        stage.consumer.put(A, 0)
        await stage.clock.settle()

        assert stage.handler.chunks == [[(0, 0)]], "and no time passed"

    async def test_company_is_waited_for_when_busy(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0, 1)
        await stage.clock.settle()
        stage.consumer.put(A, 2)

        await stage.clock.pass_time(LIMITS.gather_s)

        assert stage.handler.chunks == [[(0, 0), (0, 1), (0, 2)]]

    async def test_chunks_are_bounded_and_fair(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B, C])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(15))
        stage.consumer.put(C, *range(15))
        await stage.clock.pass_time(LIMITS.gather_s)

        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert max(map(len, stage.handler.chunks)) <= LIMITS.chunk_records_max
        first, second, *_ = stage.handler.chunks
        assert {place for place, _ in [*first, *second]} == {0, 2}
        assert stage.handler.offsets(A) == stage.handler.offsets(C) == list(range(15))

    async def test_a_full_partition_is_paused_and_resumed(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(10))
        await stage.clock.pass_time(LIMITS.gather_s)

        stage.consumer.put(A, *range(10, 35))
        await stage.clock.settle()
        assert stage.consumer.paused == {A}
        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.consumer.paused == set()
        assert stage.handler.offsets(A) == list(range(35))


class TestLanes:
    async def test_what_waits_behind_a_busy_lane_is_not_made_a_small_chunk(
        self, stage: Stage
    ) -> None:
        await stage.runner.assigned([A, B, C])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0)
        await stage.clock.settle()
        stage.consumer.put(B, 0)
        stage.consumer.put(C, 0)
        await stage.clock.settle()

        stage.handler.gate.set()
        await stage.clock.pass_time(LIMITS.patience_s)

        assert stage.handler.chunks == [[(0, 0)], [(1, 0), (2, 0)]]

    async def test_more_than_a_chunk_is_for_both_lanes_at_once(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B, C])
        stage.handler.gate.clear()
        for place in (A, B, C):
            stage.consumer.put(place, *range(10))
        await stage.clock.pass_time(LIMITS.gather_s)

        assert stage.handler.under_way == 2
        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert sorted(map(len, stage.handler.chunks)) == [10, 10, 10]

    async def test_a_partition_is_in_one_lane_at_a_time(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(25))
        await stage.clock.pass_time(1)

        assert stage.handler.under_way == 1
        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.handler.offsets(A) == list(range(25))


class TestFailure:
    async def test_an_outage_is_waited_out_with_the_same_records(self, stage: Stage) -> None:
        stage.handler.errors = [Unavailable("x"), Unavailable("y", retry_after=2), KeyError("bug")]
        await stage.runner.assigned([A])

        stage.consumer.put(A, 0)
        await stage.clock.pass_time(1)
        assert stage.handler.chunks == []
        await stage.clock.pass_time(4)

        assert stage.handler.chunks == [[(0, 0)]]
        assert stage.consumer.committed == {A: 1}

    async def test_other_lanes_go_on_meanwhile(self, stage: Stage) -> None:
        stage.handler.errors = [Unavailable("x", retry_after=100)]
        await stage.runner.assigned([A, B])
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        stage.consumer.put(B, 0)
        await stage.clock.pass_time(LIMITS.patience_s)

        assert stage.handler.chunks == [[(1, 0)]]

    async def test_a_failed_commit_is_repeated(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.consumer.error = ConnectionError("the coordinator is away")
        stage.consumer.put(A, 0)
        await stage.clock.pass_time(LIMITS.commit_s)
        assert stage.consumer.committed == {}

        stage.consumer.error = None
        await stage.clock.pass_time(LIMITS.commit_s)

        assert stage.consumer.committed == {A: 1}


class TestRebalance:
    async def test_revoking_finishes_the_chunk_under_way_and_commits(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0)
        await stage.clock.settle()
        stage.consumer.put(A, 1, 2)
        await stage.clock.settle()

        revoking = asyncio.create_task(stage.runner.revoked([A]))
        await stage.clock.settle()
        assert not revoking.done()
        stage.handler.gate.set()
        await revoking

        assert stage.handler.chunks == [[(0, 0)]], "what had not begun is the next owner's"
        assert stage.consumer.committed == {A: 1}

    async def test_records_of_an_ended_assignment_are_dropped(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        await stage.runner.revoked([A])
        await stage.runner.assigned([B])

        stage.consumer.put(A, 5)
        stage.consumer.put(B, 0)
        await stage.clock.pass_time(LIMITS.commit_s)

        assert stage.handler.chunks == [[(1, 0)]]
        assert stage.consumer.committed == {B: 1}

    async def test_revoking_does_not_wait_for_an_outage_to_end(self, stage: Stage) -> None:
        stage.handler.errors = [Unavailable("x") for _ in range(1000)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        revoking = asyncio.create_task(stage.runner.revoked([A]))
        await stage.clock.pass_time(LIMITS.retry_max_s)
        await revoking

        assert stage.consumer.committed == {}


class TestLiveness:
    async def test_work_that_does_not_move_is_a_stall(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.runner.observe(waiting=3)

        await stage.clock.pass_time(LIMITS.stalled_s + 1)

        assert "3 records waiting" in stage.runner.stalled()

    async def test_no_work_is_no_stall(self, stage: Stage) -> None:
        await stage.runner.assigned([A])

        await stage.clock.pass_time(LIMITS.stalled_s + 1)

        assert stage.runner.stalled() == ""
