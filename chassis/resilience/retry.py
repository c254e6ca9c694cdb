"""Retry: another attempt, within a budget, after a random pause.

The budget is a token bucket: each first attempt pays in a fraction of a token, each retry takes a
whole one. When a dependency is down its callers retry at most that fraction of their calls,
instead of multiplying its load just then. One layer retries, and only what is idempotent.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.clock import Clock, jittered
from chassis.errors import Conflict, IdempotencyKeyReused, Unavailable
from chassis.observability.metrics import RETRIES, RETRIES_DENIED
from chassis.resilience.breaker import BreakerOpen
from chassis.resilience.bulkhead import BulkheadFull
from chassis.resilience.deadline import remaining

T = TypeVar("T")


class RetryBudget:
    """`ratio` retries for each first attempt over time; at most `burst` saved up."""

    def __init__(self, *, ratio: float, burst: float = 10.0) -> None:
        assert 0 <= ratio <= 1, "more retries than calls is a storm"
        self._ratio, self._burst = ratio, burst
        self._tokens = burst

    @property
    def tokens(self) -> float:
        """Retries that may be made now."""
        return self._tokens

    def earn(self) -> None:
        """A first attempt is made."""
        self._tokens = min(self._burst, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Whether a retry may be made; takes its token if so."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Retry:
    """`attempts_max` in all. Pauses grow from `pause_s` to `pause_max_s`, with full jitter."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        budget: RetryBudget,
        *,
        attempts_max: int = 3,
        pause_s: float = 0.05,
        pause_max_s: float = 2.0,
        jitter: Callable[[float], float] = jittered,
    ) -> None:
        self.name = name
        self._clock, self._budget, self._jitter = clock, budget, jitter
        self._attempts_max = attempts_max
        self._pause_s, self._pause_max_s = pause_s, pause_max_s

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first success; otherwise the last attempt's error. Only Unavailable and Conflict
        are tried again: not what a breaker or bulkhead refused, nor past the deadline."""
        self._budget.earn()
        for number in range(1, self._attempts_max + 1):
            try:
                return await attempt()
            except (Unavailable, Conflict) as error:
                pause = self._pause(number, error)
                if number == self._attempts_max or not self._worth_it(error, pause):
                    raise
            RETRIES.labels(self.name).inc()
            await self._clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, number: int, error: Exception) -> float:
        cap = min(self._pause_max_s, self._pause_s * 2 ** (number - 1))
        asked = getattr(error, "retry_after", None) or 0.0
        return max(asked, self._jitter(cap))

    def _worth_it(self, error: Exception, pause: float) -> bool:
        if isinstance(error, BreakerOpen | BulkheadFull | IdempotencyKeyReused):
            return False
        left = remaining(self._clock)
        if left is not None and pause >= left:
            return False
        if self._budget.spend():
            return True
        RETRIES_DENIED.labels(self.name).inc()
        return False
