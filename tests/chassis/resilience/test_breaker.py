"""AsyncBreaker under a virtual clock."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pybreaker import CircuitBreaker, CircuitBreakerListener

from chassis.errors import Rejected, Unavailable
from chassis.observability.metrics import BREAKER_STATE
from chassis.resilience.breaker import AsyncBreaker, BreakerLimits, BreakerOpen
from chassis.testing.clock import VirtualClock
from tests.chassis.toy.contracts.toy.counter import TooHigh

LIMITS = BreakerLimits(
    window_s=10, calls_min=4, failed_share=0.5, slow_s=1.0, slow_share=0.75, open_s=2.0,
    open_max_s=10.0, jitter=0.0, probes=2, probe_s=5.0,
)  # fmt: skip


class Heard(CircuitBreakerListener):
    """A pybreaker listener that writes down what it hears."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def state_change(self, cb: CircuitBreaker, old_state: object, new_state: object) -> None:
        self.events.append(f"{getattr(old_state, 'name', '')} -> {getattr(new_state, 'name', '')}")

    def failure(self, cb: CircuitBreaker, exc: BaseException) -> None:
        self.events.append("failure")

    def success(self, cb: CircuitBreaker) -> None:
        self.events.append("success")


class Bench:
    """A breaker, its clock, and calls of any outcome."""

    def __init__(self, *listeners: CircuitBreakerListener, limits: BreakerLimits = LIMITS) -> None:
        self.clock = VirtualClock()
        self.breaker = AsyncBreaker("dependency", self.clock, limits, listeners)

    def succeed(self) -> None:
        with self.breaker.calling():
            pass

    def fail(self) -> None:
        with pytest.raises(Unavailable, match="down"), self.breaker.calling():
            raise Unavailable("down")

    async def be_slow(self) -> None:
        with self.breaker.calling():
            await self.clock.pass_time(1.5)

    def refused(self) -> bool:
        try:
            self.succeed()
        except BreakerOpen:
            return True
        return False

    def trip(self) -> None:
        for _ in range(4):
            self.fail()
        assert self.breaker.state == "open"

    @contextmanager
    def pending(self) -> Iterator[None]:
        """A call that has begun: its result comes when the block ends."""
        with self.breaker.calling():
            yield


class TestClosed:
    def test_a_share_of_failures_opens_it(self) -> None:
        bench = Bench()

        bench.succeed()
        bench.succeed()
        bench.fail()
        before = bench.breaker.state
        bench.fail()

        assert (before, bench.breaker.state) == ("closed", "open")

    def test_few_calls_prove_nothing(self) -> None:
        bench = Bench()

        for _ in range(3):
            bench.fail()

        assert bench.breaker.state == "closed"

    async def test_slow_successes_open_it_too(self) -> None:
        bench = Bench()

        for _ in range(4):
            await bench.be_slow()

        assert bench.breaker.state == "open"

    async def test_what_is_older_than_the_window_is_forgotten(self) -> None:
        bench = Bench()

        for _ in range(3):
            bench.fail()
        await bench.clock.pass_time(11)
        bench.fail()

        assert bench.breaker.state == "closed"

    def test_a_business_refusal_is_a_success_of_the_dependency(self) -> None:
        bench = Bench()

        for _ in range(10):
            with pytest.raises(Rejected), bench.breaker.calling():
                raise Rejected(TooHigh(value_max=1))

        assert bench.breaker.state == "closed"

    async def test_a_cancelled_call_counts_as_nothing(self) -> None:
        bench = Bench()

        for _ in range(10):
            with pytest.raises(asyncio.CancelledError), bench.breaker.calling():
                raise asyncio.CancelledError

        assert bench.breaker.state == "closed"


class TestOpen:
    def test_it_refuses_and_says_for_how_long(self) -> None:
        bench = Bench()
        bench.trip()

        with pytest.raises(BreakerOpen) as refusal:
            bench.succeed()

        assert refusal.value.retry_after == 2.0

    def test_a_late_success_of_before_changes_nothing(self) -> None:
        bench = Bench()

        with bench.pending():
            bench.trip()

        assert bench.breaker.state == "open"

    async def test_each_failed_probe_doubles_the_time_up_to_a_cap(self) -> None:
        bench = Bench()
        bench.trip()
        waits = []

        for expected in (2.0, 4.0, 8.0, 10.0, 10.0):
            await bench.clock.pass_time(expected - 0.1)
            waits.append(bench.refused())
            await bench.clock.pass_time(0.1)
            bench.fail()

        assert waits == [True] * 5
        assert bench.breaker.state == "open"

    def test_the_time_is_spread(self) -> None:
        limits = BreakerLimits(calls_min=4, open_s=2.0, jitter=0.5)
        clock = VirtualClock()
        breaker = AsyncBreaker("dependency", clock, limits, dice=lambda: 0.25)
        for _ in range(4):
            with pytest.raises(Unavailable), breaker.calling():
                raise Unavailable("down")

        with pytest.raises(BreakerOpen) as refusal, breaker.calling():
            pass

        assert refusal.value.retry_after == 1.5


class TestHalfOpen:
    async def test_all_probes_must_succeed_to_close_it(self) -> None:
        bench = Bench()
        bench.trip()
        await bench.clock.pass_time(2)

        bench.succeed()
        between = bench.breaker.state
        bench.succeed()

        assert (between, bench.breaker.state) == ("half-open", "closed")

    async def test_only_a_few_are_let_through(self) -> None:
        bench = Bench()
        bench.trip()
        await bench.clock.pass_time(2)

        with bench.pending(), bench.pending():
            third = bench.refused()

        assert third

    async def test_a_failed_probe_opens_it_and_the_other_probe_is_late(self) -> None:
        bench = Bench()
        bench.trip()
        await bench.clock.pass_time(2)

        with bench.pending():
            bench.fail()

        assert bench.breaker.state == "open"

    async def test_a_cancelled_probe_gives_its_place_back_and_decides_nothing(self) -> None:
        bench = Bench()
        bench.trip()
        await bench.clock.pass_time(2)

        for _ in range(5):
            with pytest.raises(asyncio.CancelledError), bench.breaker.calling():
                raise asyncio.CancelledError

        assert bench.breaker.state == "half-open"
        assert not bench.refused()

    async def test_probes_that_hang_have_failed(self) -> None:
        bench = Bench()
        bench.trip()
        await bench.clock.pass_time(2)

        with bench.pending(), bench.pending():
            await bench.clock.pass_time(5.1)
            refused = bench.refused()
            state = bench.breaker.state

        assert (refused, state, bench.breaker.state) == (True, "open", "open")

    async def test_a_call_from_before_the_opening_says_nothing_to_the_probing(self) -> None:
        bench = Bench()

        with bench.pending():
            bench.trip()
            await bench.clock.pass_time(2)
            bench.succeed()

        assert bench.breaker.state == "half-open"


async def test_listeners_of_pybreaker_hear_results_and_changes() -> None:
    heard = Heard()
    bench = Bench(heard)

    bench.trip()
    await bench.clock.pass_time(2)
    bench.succeed()
    bench.succeed()

    assert heard.events == [
        *["failure"] * 4, "closed -> open", "open -> half-open", "success", "success",
        "half-open -> closed",
    ]  # fmt: skip


def test_the_state_is_a_metric() -> None:
    bench = Bench()

    bench.trip()

    assert BREAKER_STATE.labels("dependency")._value.get() == 2
