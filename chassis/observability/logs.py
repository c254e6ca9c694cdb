"""Logs: one JSON object a line, with the ids of whatever is being done.

Write `log = structlog.get_logger()` at a module's top and `log.info("quota_reserved", units=3)`:
the trace, workspace, command and saga ids come from the context (`bound`).
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import orjson
import structlog
from opentelemetry import trace

from chassis.observability.current import current_message
from chassis.observability.noise import RateLimit
from chassis.observability.redaction import redact

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
Event = MutableMapping[str, Any]  # structlog's own type


def bound(
    *,
    workspace_id: UUID | None = None,
    command_id: UUID | None = None,
    saga_id: UUID | None = None,
    **others: object,
) -> AbstractContextManager[None]:
    """Every line logged inside carries these ids."""
    ids = {"workspace_id": workspace_id, "command_id": command_id, "saga_id": saga_id, **others}
    given = {name: str(value) for name, value in ids.items() if value is not None}
    return structlog.contextvars.bound_contextvars(**given)


def setup_logs(service: str, level: str = "info", *, stream: Any = None) -> None:  # a binary file
    """Configure structlog and the standard library's loggers. Safe to repeat."""
    number = _LEVELS[level]
    out = stream or sys.stdout.buffer
    structlog.configure(
        processors=_processors(service),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=stream is None,
    )
    root = logging.getLogger()
    libraries = _ToStructlog(_processors(service), out)
    libraries.addFilter(RateLimit())
    root.handlers = [libraries]
    root.setLevel(max(number, logging.WARNING if number > 10 else number))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def _processors(service: str) -> list[Any]:  # structlog's processors have no common type
    def add_service(logger: object, method: str, event: Event) -> Event:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        _add_message,
        _add_trace,
        _add_exception,
        redact,
        structlog.processors.JSONRenderer(serializer=_dumps),
    ]


def _add_message(logger: object, method: str, event: Event) -> Event:
    message = current_message.get()
    if message is not None:
        event.setdefault("message_id", str(message.id))
        event.setdefault("message_type", message.type)
        if message.workspace_id is not None:
            event.setdefault("workspace_id", str(message.workspace_id))
        if message.correlation_id is not None:
            event.setdefault("correlation_id", str(message.correlation_id))
        if message.traceparent:
            event.setdefault("trace_id", message.traceparent[3:35])
    return event


def _add_trace(logger: object, method: str, event: Event) -> Event:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
        event["span_id"] = f"{span.span_id:016x}"
    return event


def _add_exception(logger: object, method: str, event: Event) -> Event:
    """The traceback as text, so that redaction sees it; no values of local variables."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__name__}: {error}"
        event["traceback"] = "".join(traceback.format_exception(error))
    return event


def _dumps(event: Event, **_: object) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)


class _ToStructlog(logging.Handler):
    """Lines of libraries, in the same shape as ours."""

    def __init__(self, processors: list[Any], out: Any) -> None:
        super().__init__()
        self._processors = processors
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        event: Any = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        method = record.levelname.lower()
        for processor in self._processors:
            event = processor(None, method, event)
        self._out.write(event + b"\n")
        self._out.flush()
