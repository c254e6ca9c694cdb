"""PartitionRunner at its edges: bounds and waits."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.metrics import PAUSES
from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.runner_bed import (
    LIMITS,
    A,
    B,
    C,
    Handler,
    Stage,
    a_record,
    a_stage,
    curious,
)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as made:
        yield made


class TestReading:
    async def test_it_asks_for_no_more_than_fits(self, stage: Stage) -> None:
        assert curious(stage).asked == [(2000, 20)]

    async def test_a_partition_is_paused_at_its_bound_and_not_before(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B, C])
        stage.handler.gate.clear()
        for place in (A, B):
            stage.consumer.put(place, *range(10))
        await stage.clock.pass_time(LIMITS.gather_s)
        assert stage.handler.under_way == 2

        stage.consumer.put(A, *range(10, 29))
        stage.consumer.put(B, *range(10, 30))
        await stage.clock.settle()

        assert stage.consumer.paused == {B}

    async def test_it_is_resumed_when_half_of_it_is_gone(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(20))
        await stage.clock.pass_time(LIMITS.gather_s)
        assert stage.consumer.paused == {A}, "ten are left, which is half"
        stage.consumer.put(A, 20)
        await stage.clock.settle()

        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.consumer.paused == set()
        assert stage.handler.offsets(A) == list(range(21))

    async def test_it_is_resumed_once_and_as_soon_as_less_than_half_is_left(
        self, stage: Stage
    ) -> None:
        await stage.runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(29))
        await stage.clock.pass_time(LIMITS.gather_s)
        assert stage.consumer.paused == {A}

        stage.handler.gate.set()
        await stage.clock.settle()

        assert stage.handler.offsets(A) == list(range(10)), "the next ten wait for company"
        assert stage.consumer.paused == set()
        await stage.clock.pass_time(1)
        assert curious(stage).resumed == [A]

    async def test_one_foreign_partition_hides_no_other(self, stage: Stage) -> None:
        await stage.runner.assigned([B])

        curious(stage).put_together(A, B)
        await stage.clock.settle()

        assert stage.handler.chunks == [[(1, 0)]]

    async def test_what_comes_while_it_drains_is_not_begun(self, stage: Stage) -> None:
        runner = stage.runner
        await runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        draining = asyncio.create_task(runner.drain())
        await stage.clock.settle()
        stage.consumer.put(A, 1)
        await stage.clock.settle()
        stage.handler.gate.set()
        await draining

        assert stage.handler.chunks == [[(0, 0)]]
        assert stage.consumer.committed == {A: 1}

    async def test_while_it_drains_nothing_new_is_begun(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        await stage.runner.drain()

        stage.consumer.put(A, 0)
        await stage.clock.pass_time(1)

        assert stage.handler.chunks == []


class TestWaiting:
    async def test_a_bug_is_tried_again_after_growing_pauses(self, stage: Stage) -> None:
        stage.handler.errors = [KeyError("bug") for _ in range(4)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        left = []
        for pause in (0.9, 0.1, 1.9, 0.1, 2.9, 0.1, 2.9):
            await stage.clock.pass_time(pause)
            left.append(len(stage.handler.errors))

        assert left == [3, 2, 2, 1, 1, 0, 0]
        await stage.clock.pass_time(0.2)
        assert stage.handler.chunks == [[(0, 0)]]

    async def test_an_outage_that_wants_long_waits_is_asked_sooner(self, stage: Stage) -> None:
        before = PAUSES._value.get()
        stage.handler.errors = [Unavailable("x", retry_after=100)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)
        await stage.clock.pass_time(2.9)
        assert stage.handler.chunks == []

        await stage.clock.pass_time(0.2)

        assert stage.handler.chunks == [[(0, 0)]]
        assert PAUSES._value.get() == before + 1

    async def test_waiting_knowingly_is_no_stall(self, stage: Stage) -> None:
        stage.handler.errors = [Unavailable("x", retry_after=3) for _ in range(100)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)

        await stage.clock.pass_time(LIMITS.stalled_s + 5)

        assert stage.runner.stalled() == ""
        stage.handler.errors = []
        await stage.clock.pass_time(3)

    async def test_work_that_goes_on_is_no_stall(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.runner.observe(waiting=5)
        await stage.clock.pass_time(LIMITS.stalled_s - 1)
        stage.consumer.put(A, 0)

        await stage.clock.pass_time(2)

        assert stage.runner.stalled() == ""


async def test_a_lone_record_then_company_is_gathered_up_to_the_bound(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.consumer.put(A, *range(8))
    await stage.clock.settle()
    stage.consumer.put(A, *range(8, 16))

    await stage.clock.pass_time(LIMITS.gather_s * 3)

    assert [len(chunk) for chunk in stage.handler.chunks] == [10, 6]


async def test_after_a_quiet_time_a_lone_record_is_not_delayed_again(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.consumer.put(A, 0, 1)
    await stage.clock.pass_time(1)

    stage.consumer.put(A, 2)
    await stage.clock.settle()

    assert stage.handler.chunks == [[(0, 0), (0, 1)], [(0, 2)]]


async def test_behind_a_chunk_a_lone_record_waits_for_company(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.handler.gate.clear()
    stage.consumer.put(A, 0, 1)
    await stage.clock.pass_time(LIMITS.gather_s)
    stage.consumer.put(A, 2)
    await stage.clock.settle()

    stage.handler.gate.set()
    await stage.clock.settle()
    assert stage.handler.chunks == [[(0, 0), (0, 1)]]
    await stage.clock.pass_time(LIMITS.gather_s)

    assert stage.handler.chunks == [[(0, 0), (0, 1)], [(0, 2)]]


async def test_behind_a_lone_record_a_lone_record_does_not_wait(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.handler.gate.clear()
    stage.consumer.put(A, 0)
    await stage.clock.settle()
    stage.consumer.put(A, 1)
    await stage.clock.settle()

    stage.handler.gate.set()
    await stage.clock.settle()

    assert stage.handler.chunks == [[(0, 0)], [(0, 1)]]


async def test_a_lane_that_nobody_woke_looks_by_itself() -> None:
    clock, handler = VirtualClock(), Handler()
    runner = PartitionRunner(handler, clock, RunnerLimits(stalled_s=0.01))
    await runner.assigned([A])
    await clock.settle()

    runner._partitions[A].buffer.append(a_record(A, 0))
    handler.gate.clear()
    async with asyncio.timeout(5):
        await handler.begun.wait()
    handler.gate.set()
    await clock.settle()

    assert handler.chunks == [[(0, 0)]]
    await runner.drain()


async def test_it_ends_as_cancelled(stage: Stage) -> None:
    running = asyncio.create_task(stage.runner.run(stage.consumer))
    await stage.clock.settle()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
