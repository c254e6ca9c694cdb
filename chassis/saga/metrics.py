"""What the engine counts. `prometheus_client` directly: these are on the hot path."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

from chassis.saga.batch import Batch

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

STARTED = Counter("basalt_sagas_started_total", "Sagas begun", ["saga"])
ENDED = Counter("basalt_sagas_ended_total", "Sagas at their end", ["saga", "status"])
SECONDS = Histogram(
    "basalt_saga_seconds", "From start to end", ["saga", "status"], buckets=_SECONDS
)
TRANSITIONS = Counter("basalt_saga_transitions_total", "Rows written")
IGNORED = Counter("basalt_saga_replies_ignored_total", "Answers that did not count", ["reason"])
TICKS_FAILED = Counter(
    "basalt_saga_ticks_failed_total", "Wake-ups that broke; tried again in seconds", ["saga"]
)
OPEN = Gauge("basalt_sagas_open", "Sagas that have not ended", ["saga", "status"])
OLDEST_OVERDUE = Gauge(
    "basalt_saga_oldest_overdue_seconds", "How long the oldest due wake-up has been waiting"
)
LOCK_WAITING = Gauge("basalt_saga_lock_waiting", "Sagas that wait for a lock")


def count(batch: Batch) -> None:
    """The metrics of a batch that was committed."""
    TRANSITIONS.inc(len(batch.lines))
    for state in batch.started:
        STARTED.labels(state.saga).inc()
    for state in batch.ended:
        ENDED.labels(state.saga, state.status.value).inc()
        took = (state.updated_at - state.started_at).total_seconds()
        SECONDS.labels(state.saga, state.status.value).observe(took)
    for note in batch.ignored():
        IGNORED.labels(note.reason.partition(":")[0]).inc()


def gauges(open_sagas: Mapping[tuple[str, str], int], waiting: int) -> None:
    """Set the gauges that count open sagas."""
    OPEN.clear()
    for (saga, status), number in open_sagas.items():
        OPEN.labels(saga, status).set(number)
    LOCK_WAITING.set(waiting)
