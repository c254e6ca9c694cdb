"""Retry and its budget under a virtual clock."""

import asyncio

import pytest

from chassis.errors import Conflict, IdempotencyKeyReused, Rejected, Unavailable
from chassis.resilience.breaker import BreakerOpen
from chassis.resilience.bulkhead import BulkheadFull
from chassis.resilience.deadline import deadline_at, now_ms
from chassis.resilience.retry import Retry, RetryBudget
from chassis.testing.clock import VirtualClock
from tests.chassis.toy.contracts.toy.counter import TooHigh


class Flaky:
    """Fails as told, then succeeds; knows when it was asked."""

    def __init__(self, clock: VirtualClock, *errors: Exception) -> None:
        self.clock = clock
        self.errors = list(errors)
        self.asked_at: list[float] = []

    async def __call__(self) -> str:
        self.asked_at.append(self.clock.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def a_retry(clock: VirtualClock, budget: RetryBudget | None = None, **limits: float) -> Retry:
    """Four attempts, pauses 1, 2, 4 seconds: the jitter is the whole."""
    budget = budget or RetryBudget(ratio=0.1)
    return Retry(
        "it", clock, budget, attempts_max=4, pause_s=1.0, pause_max_s=3.0, jitter=lambda s: s
    )


async def run(retry: Retry, flaky: Flaky) -> "asyncio.Task[str]":
    task = asyncio.create_task(retry(flaky))
    await flaky.clock.pass_time(60)
    return task


async def test_pauses_grow_to_a_cap() -> None:
    clock = VirtualClock()
    flaky = Flaky(clock, *[Unavailable("down")] * 3)

    task = await run(a_retry(clock), flaky)

    assert task.result() == "done"
    assert flaky.asked_at == [0.0, 1.0, 3.0, 6.0]


async def test_the_last_error_is_raised() -> None:
    clock = VirtualClock()
    flaky = Flaky(clock, *[Conflict(str(number)) for number in range(9)])

    task = await run(a_retry(clock), flaky)

    with pytest.raises(Conflict, match="3"):
        await task
    assert len(flaky.asked_at) == 4


@pytest.mark.parametrize(
    "error",
    [
        Rejected(TooHigh(value_max=1)),
        ValueError("a bug"),
        BreakerOpen("it"),
        BulkheadFull("it"),
        IdempotencyKeyReused("it"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_cannot_get_better_is_not_tried_again(error: Exception) -> None:
    clock = VirtualClock()
    flaky = Flaky(clock, error)

    task = await run(a_retry(clock), flaky)

    with pytest.raises(type(error)):
        await task
    assert len(flaky.asked_at) == 1


async def test_the_other_side_may_ask_for_a_longer_pause() -> None:
    clock = VirtualClock()
    flaky = Flaky(clock, Unavailable("down", retry_after=7.0))

    await run(a_retry(clock), flaky)

    assert flaky.asked_at == [0.0, 7.0]


async def test_a_pause_that_ends_after_the_deadline_is_not_begun() -> None:
    clock = VirtualClock()
    flaky = Flaky(clock, *[Unavailable("down")] * 3)

    with deadline_at(now_ms(clock) + 2_500):
        task = await run(a_retry(clock), flaky)

    with pytest.raises(Unavailable):
        await task
    assert flaky.asked_at == [0.0, 1.0]


async def test_an_outage_costs_a_share_of_the_calls_not_a_multiple() -> None:
    clock = VirtualClock()
    budget = RetryBudget(ratio=0.1, burst=5)
    attempts = 0

    for _ in range(1000):
        flaky = Flaky(clock, *[Unavailable("down")] * 9)
        task = await run(a_retry(clock, budget), flaky)
        attempts += len(flaky.asked_at)
        with pytest.raises(Unavailable):
            await task

    assert 1000 < attempts <= 1000 + 100 + 5
