"""AsyncBreaker: pybreaker's states and listeners around awaits.

pybreaker itself counts an `await` as done when it starts, lets every caller through half-open,
takes a cancellation for a failure and a late success for a recovery. So its breaker is kept as the
state and the voice (names, listeners), and the decisions are made here:

- closed: opens when failures, or slow calls, are a large enough share of enough calls in a window;
- open: refuses at once, for a while that doubles each time a probe fails, with jitter;
- half-open: lets a few probes through; all must succeed; one that hangs counts as failed;
- a result that belongs to an earlier generation (before a change of state) is ignored;
- a cancelled call says nothing about the dependency: it is neither success nor failure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

import structlog
from pybreaker import (
    STATE_CLOSED,
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitBreakerListener,
    CircuitMemoryStorage,
)

from chassis.clock import Clock, chance
from chassis.errors import Conflict, InvalidMessage, NotAllowed, Rejected, Unavailable
from chassis.observability.metrics import BREAKER_CALLS, BREAKER_STATE, BREAKER_TRANSITIONS
from chassis.resilience.window import Window

log = structlog.get_logger()

_STATE_NUMBERS = {STATE_CLOSED: 0, STATE_HALF_OPEN: 1, STATE_OPEN: 2}
_ANSWERED = (Rejected, Conflict, InvalidMessage, NotAllowed)
"""Errors that a healthy dependency gives."""


class BreakerOpen(Unavailable, CircuitBreakerError):
    """Refused without asking: the dependency has failed too often lately."""


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """Times in seconds, shares between 0 and 1."""

    window_s: float = 10.0
    calls_min: int = 20  # in the window, before shares mean anything
    failed_share: float = 0.5
    slow_s: float = 2.0
    slow_share: float = 0.8
    open_s: float = 2.0
    open_max_s: float = 60.0
    jitter: float = 0.2  # of the open time, either way
    probes: int = 3
    probe_s: float = 5.0  # a probe that takes longer has failed


@dataclass(slots=True)
class Permit:
    """One call that was let through."""

    generation: int
    began: float
    probe: bool


class Calling:
    """One guarded attempt. A class instead of a generator: it is on every call's way."""

    __slots__ = ("_breaker", "_permit")

    def __init__(self, breaker: "AsyncBreaker") -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        self._permit = self._breaker.admit()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        self._breaker.settle(self._permit, error)


class AsyncBreaker:
    """One for each dependency and process. Use `with breaker.calling():` around the await."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        limits: BreakerLimits | None = None,
        listeners: Sequence[CircuitBreakerListener] = (),
        dice: Callable[[], float] = chance,
    ) -> None:
        self.name = name
        self.limits = limits or BreakerLimits()
        self._clock, self._dice = clock, dice
        self._listeners = tuple(listeners)
        self._breaker = CircuitBreaker(
            name=name,
            state_storage=CircuitMemoryStorage(STATE_CLOSED),
            listeners=[*listeners],
            throw_new_error_on_trip=False,
        )
        self._state = STATE_CLOSED
        self._window = Window(self.limits.window_s)
        self._generation = 0
        self._open_until = 0.0
        self._openings = 0  # in a row, without closing in between
        self._probes: list[Permit] = []
        self._successes = 0
        BREAKER_STATE.labels(name).set(0)
        outcomes = ("ok", "slow", "failed", "late", "refused")
        self._counts = {outcome: BREAKER_CALLS.labels(name, outcome) for outcome in outcomes}

    @property
    def state(self) -> str:
        """ "closed", "open" or "half-open", in pybreaker's words."""
        return self._state

    @property
    def generation(self) -> int:
        """How often the state has changed."""
        return self._generation

    def calling(self) -> "Calling":
        """Guard one attempt: `with breaker.calling(): await ...`. Raises BreakerOpen, whose
        `retry_after` says when to come back."""
        return Calling(self)

    def admit(self) -> Permit:
        """Let one call through; `settle` it afterwards. Raises BreakerOpen."""
        now = self._clock.monotonic()
        if self._state == STATE_OPEN:
            if now < self._open_until:
                self._refuse(self._open_until - now)
            self._change(STATE_HALF_OPEN)
        if self._state == STATE_HALF_OPEN:
            self._bury_hung_probes(now)
            if self._state == STATE_OPEN:
                self._refuse(self._open_until - now)
            if len(self._probes) + self._successes >= self.limits.probes:
                self._refuse(self.limits.probe_s)
        permit = Permit(self._generation, now, self._state == STATE_HALF_OPEN)
        if permit.probe:
            self._probes.append(permit)
        return permit

    def settle(self, permit: Permit, error: BaseException | None) -> None:
        """The call has ended. What is no Exception (a cancellation) says nothing."""
        if error is None or isinstance(error, _ANSWERED):
            self._record(permit, None)
        elif isinstance(error, Exception):
            self._record(permit, error)
        else:
            self._give_back(permit)

    def _record(self, permit: Permit, error: Exception | None) -> None:
        now = self._clock.monotonic()
        self._give_back(permit)
        if permit.generation != self._generation:
            self._counts["late"].inc()
            return
        slow = now - permit.began > self.limits.slow_s
        outcome = "failed" if error else "slow" if slow else "ok"
        self._counts[outcome].inc()
        self._tell(error)
        if permit.probe:
            self._judge_probe(bool(error) or slow)
        else:
            self._window.add(now, failed=bool(error), slow=slow)
            self._judge_window(now)

    def _judge_window(self, now: float) -> None:
        total = self._window.total(now)
        if total.calls < self.limits.calls_min:
            return
        if (
            total.failed >= self.limits.failed_share * total.calls
            or total.slow >= self.limits.slow_share * total.calls
        ):
            self._open()

    def _judge_probe(self, failed: bool) -> None:
        if failed:
            self._open()
            return
        self._successes += 1
        if self._successes >= self.limits.probes:
            self._openings = 0
            self._window.clear()
            self._change(STATE_CLOSED)

    def _bury_hung_probes(self, now: float) -> None:
        if any(now - probe.began > self.limits.probe_s for probe in self._probes):
            self._open()

    def _open(self) -> None:
        self._openings += 1
        length = min(self.limits.open_max_s, self.limits.open_s * 2 ** (self._openings - 1))
        spread = 1 + self.limits.jitter * (2 * self._dice() - 1)
        self._open_until = self._clock.monotonic() + length * spread
        self._window.clear()
        self._change(STATE_OPEN)

    def _change(self, state: str) -> None:
        self._generation += 1
        self._state = state
        self._probes, self._successes = [], 0
        if state == STATE_OPEN:
            self._breaker.open()
        elif state == STATE_HALF_OPEN:
            self._breaker.half_open()
        else:
            self._breaker.close()
        BREAKER_STATE.labels(self.name).set(_STATE_NUMBERS[state])
        BREAKER_TRANSITIONS.labels(self.name, state).inc()
        log.warning("breaker_changed", breaker=self.name, state=state, opened=self._openings)

    def _give_back(self, permit: Permit) -> None:
        if permit.probe and permit.generation == self._generation:
            self._probes.remove(permit)

    def _refuse(self, seconds: float) -> None:
        self._counts["refused"].inc()
        raise BreakerOpen(
            f"{self.name}: the breaker is {self.state}", retry_after=max(0.0, seconds)
        )

    def _tell(self, error: Exception | None) -> None:
        """pybreaker's listeners hear of results as they would from pybreaker."""
        for listener in self._listeners:
            if error is None:
                listener.success(self._breaker)
            else:
                listener.failure(self._breaker, error)
