"""Window: how the calls of the last seconds went, in a ring of buckets."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counts of calls. A slow failure is both."""

    calls: int = 0
    failed: int = 0
    slow: int = 0


class Window:
    """`seconds` long, in `buckets` steps: an old step falls out whole."""

    def __init__(self, seconds: float, buckets: int = 10) -> None:
        assert seconds > 0, "a window has a length"
        self._step = seconds / buckets
        self._ring = [Tally() for _ in range(buckets)]
        self._sum = Tally()
        self._at: int | None = None

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """Count one call."""
        tally = self._roll(now)
        for each in (tally, self._sum):
            each.calls += 1
            each.failed += failed
            each.slow += slow

    def total(self, now: float) -> Tally:
        """The sum over the window."""
        self._roll(now)
        return self._sum

    def clear(self) -> None:
        """Forget everything."""
        self._ring = [Tally() for _ in self._ring]
        self._sum = Tally()

    def _roll(self, now: float) -> Tally:
        at = int(now / self._step)
        size = len(self._ring)
        if self._at is None:
            self._at = at
        for passed in range(max(self._at + 1, at - size + 1), at + 1):
            old = self._ring[passed % size]
            self._sum.calls -= old.calls
            self._sum.failed -= old.failed
            self._sum.slow -= old.slow
            self._ring[passed % size] = Tally()
        self._at = max(self._at, at)
        return self._ring[self._at % size]
