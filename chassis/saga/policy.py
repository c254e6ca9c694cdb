"""Retry policies, by name: a saga's steps say QUICK, never a number."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long an answer is awaited, and how often the same command is sent again.

    `attempts` sends at most before a compensatable step is given up; for every other command it is
    when somebody is called, and sending goes on. The wait doubles from `timeout` to `timeout_max`.
    """

    name: str
    attempts: int
    timeout: timedelta
    timeout_max: timedelta

    def wait(self, attempt: int, spread: float = 0.5) -> timedelta:
        """How long to wait after the `attempt`-th send (from 1). `spread` 0..1 sets 80..120 %."""
        seconds = _seconds(self)[min(attempt, DOUBLINGS) - 1]
        return timedelta(seconds=seconds * (0.8 + 0.4 * spread))

    @property
    def longest(self) -> timedelta:
        """All attempts unanswered, every wait at its longest."""
        waits = (self.wait(attempt, 1.0) for attempt in range(1, self.attempts + 1))
        return sum(waits, timedelta())


DOUBLINGS = 20
"""After so many the wait is at its longest, whatever the policy."""


@cache
def _seconds(policy: RetryPolicy) -> tuple[float, ...]:
    """The wait after each attempt, without its spread."""
    first, longest = policy.timeout.total_seconds(), policy.timeout_max.total_seconds()
    return tuple(min(first * 2**number, longest) for number in range(DOUBLINGS))


# The outbox loses nothing, so silence mostly means that somebody is slow or down: the first waits
# are long enough not to add to a jam.
QUICK = RetryPolicy("QUICK", 5, timedelta(seconds=10), timedelta(seconds=30))
"""Milliseconds of work: given up after about two minutes."""

PATIENT = RetryPolicy("PATIENT", 6, timedelta(seconds=30), timedelta(minutes=2))
"""Seconds of work, such as files moved: given up after about ten minutes."""

UNTIL_DONE = RetryPolicy("UNTIL_DONE", 6, timedelta(seconds=10), timedelta(minutes=2))
"""Must happen: somebody is called after about seven minutes, and sending never stops."""
