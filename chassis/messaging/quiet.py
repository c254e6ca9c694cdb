"""aiokafka's logs, bounded."""

import logging


class _Budget(logging.Filter):
    """Lets a few lines through each second: in an outage aiokafka writes a hundred."""

    def __init__(self, lines_per_second: int) -> None:
        super().__init__()
        self._lines = lines_per_second
        self._second, self._used = 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        second = int(record.created)
        if second != self._second:
            self._second, self._used = second, 0
        self._used += 1
        return self._used <= self._lines


def quiet_kafka_logs() -> None:
    """Bound what aiokafka logs. Safe to repeat."""
    for name in list(logging.root.manager.loggerDict):
        if not name.startswith("aiokafka"):
            continue
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Budget) for each in logger.filters):
            logger.addFilter(_Budget(2))
