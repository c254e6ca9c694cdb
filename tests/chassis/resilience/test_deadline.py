"""Deadlines: absolute, inherited, only ever earlier."""

import asyncio

import pytest

from chassis.clock import SystemClock
from chassis.errors import Unanswered
from chassis.resilience.deadline import (
    current_deadline_ms,
    deadline_at,
    enforced,
    now_ms,
    remaining,
    within,
)
from chassis.testing.clock import VirtualClock


async def test_what_is_left_shrinks_as_time_passes() -> None:
    clock = VirtualClock()

    with deadline_at(now_ms(clock) + 3_000):
        await clock.pass_time(2)
        left = remaining(clock)
        await clock.pass_time(2)

        assert (left, remaining(clock)) == (1.0, 0.0)
        assert within(5.0, clock) == 0.0
    assert remaining(clock) is None


def test_an_inner_deadline_can_only_be_earlier() -> None:
    with deadline_at(1_000):
        with deadline_at(2_000):
            later = current_deadline_ms()
        with deadline_at(500):
            earlier = current_deadline_ms()

    assert (later, earlier, current_deadline_ms()) == (1_000, 500, None)


async def test_tasks_inherit_it() -> None:
    async def read() -> int | None:
        return current_deadline_ms()

    with deadline_at(1_000):
        task = asyncio.create_task(read())

    assert await task == 1_000


async def test_work_past_its_deadline_is_cut_off_and_in_doubt() -> None:
    clock = SystemClock()

    with pytest.raises(Unanswered):
        async with enforced(now_ms(clock) + 20, clock, "test"):
            await asyncio.Event().wait()
