"""Metrics: rate, errors and duration of every operation. `prometheus_client` directly: hot path."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("basalt_requests_total", "Requests answered", ["operation", "outcome"])
REQUEST_SECONDS = Histogram(
    "basalt_request_seconds", "Time to answer", ["operation"], buckets=_SECONDS
)
REQUESTS_IN_FLIGHT = Gauge("basalt_requests_in_flight", "Requests being answered")
CALLS = Counter("basalt_client_calls_total", "Calls to others", ["target", "outcome"])
CALL_SECONDS = Histogram(
    "basalt_client_call_seconds", "Time of one attempt", ["target"], buckets=_SECONDS
)
RETRIES = Counter("basalt_retries_total", "Attempts after the first", ["target"])
RETRIES_DENIED = Counter("basalt_retries_denied_total", "Retries the budget refused", ["target"])
BREAKER_STATE = Gauge("basalt_breaker_state", "0 closed, 1 half-open, 2 open", ["breaker"])
BREAKER_TRANSITIONS = Counter(
    "basalt_breaker_transitions_total", "Changes of state", ["breaker", "state"]
)
BREAKER_CALLS = Counter("basalt_breaker_calls_total", "Calls by outcome", ["breaker", "outcome"])
BULKHEAD_IN_USE = Gauge("basalt_bulkhead_in_use", "Places taken", ["bulkhead"])
BULKHEAD_REFUSED = Counter("basalt_bulkhead_refused_total", "Calls without a place", ["bulkhead"])
DEADLINES = Counter("basalt_deadlines_exceeded_total", "Work cut off by its deadline", ["hop"])
VIOLATIONS = Gauge(
    "basalt_invariant_violations", "What breaks an invariant, at the last look", ["name"]
)
WORK = Counter("basalt_work_total", "Long work ended, by kind and state", ["kind", "state"])


def observe(operation: str, outcome: str, seconds: float) -> None:
    """Count one answered request."""
    REQUESTS.labels(operation, outcome).inc()
    REQUEST_SECONDS.labels(operation).observe(seconds)
