"""Noise: a library that says the same thing a thousand times says it a few times a minute."""

import logging
from collections import OrderedDict

from chassis.clock import Clock, SystemClock

LINES_PER_WINDOW = 5
WINDOW_SECONDS = 60.0
TEMPLATES_MAX = 512


class RateLimit(logging.Filter):
    """Lets a few lines of each message template through in each window, and says afterwards how
    many it held back. Templates, not texts: offsets and node numbers differ from line to line."""

    def __init__(self, clock: Clock | None = None, lines: int = LINES_PER_WINDOW) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._lines = lines
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        template = (record.name, str(record.msg))
        now = self._clock.monotonic()
        began, count = self._seen.pop(template, (now, 0))
        if now - began >= WINDOW_SECONDS:
            held = max(0, count - self._lines)
            began, count = now, 0
            if held:
                record.msg = f"{record.msg} (and {held} more like it)"
        self._seen[template] = (began, count + 1)
        if len(self._seen) > TEMPLATES_MAX:
            self._seen.popitem(last=False)
        return count < self._lines
