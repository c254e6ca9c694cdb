"""PartitionRunner leaves nothing running, and its end is its own."""

import asyncio

import pytest

from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.runner_bed import LIMITS, A, CuriousConsumer, Handler


class BlindConsumer(CuriousConsumer):
    """Fails where the runner does not expect it."""

    def highwater(self, place: object) -> int | None:
        raise KeyError("no such partition")


async def test_after_its_end_no_task_of_it_is_left() -> None:
    clock, before = VirtualClock(), asyncio.all_tasks()
    runner = PartitionRunner(Handler(), clock, LIMITS)
    running = asyncio.create_task(runner.run(CuriousConsumer()))
    await runner.assigned([A])
    await clock.settle()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    left_by_run = {task for task in asyncio.all_tasks() if "_commit" in repr(task.get_coro())}
    await runner.drain()

    assert left_by_run == set()
    assert asyncio.all_tasks() == before


async def test_a_failure_of_the_committer_does_not_hide_the_end() -> None:
    clock = VirtualClock()
    runner = PartitionRunner(Handler(), clock, LIMITS)
    running = asyncio.create_task(runner.run(BlindConsumer()))
    await runner.assigned([A])
    await clock.pass_time(LIMITS.commit_s)

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    await runner.drain()


async def test_without_a_consumer_nothing_lags() -> None:
    clock = VirtualClock()
    runner = PartitionRunner(Handler(), clock, LIMITS)
    await runner.assigned([A])
    await clock.pass_time(LIMITS.stalled_s + 1)

    assert runner.stalled() == ""
    await runner.drain()
