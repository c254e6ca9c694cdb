"""Trace context across messages: one span a message, child of whoever sent it."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from chassis.messaging.envelope import Envelope

_tracer = trace.get_tracer("basalt.messaging")


@contextmanager
def handling(envelope: Envelope, name: str) -> Iterator[str]:
    """Make the envelope's trace and ids current; gives the traceparent for what is sent on."""
    parent = _parse(envelope.traceparent)
    surroundings = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None
    with (
        structlog.contextvars.bound_contextvars(
            message_id=envelope.id,
            message_type=envelope.type,
            workspace_id=envelope.workspace_id,
            correlation_id=envelope.correlation_id,
        ),
        _tracer.start_as_current_span(
            f"handle {name}",
            context=surroundings,
            kind=SpanKind.CONSUMER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span,
    ):
        yield traceparent_of(span.get_span_context()) or envelope.traceparent


def current_traceparent() -> str:
    """Of the span that is current here; "" when there is none."""
    return traceparent_of(trace.get_current_span().get_span_context())


def traceparent_of(context: SpanContext) -> str:
    """W3C's header for a span, or ""."""
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _parse(text: str) -> SpanContext | None:
    parts = text.split("-")
    if len(parts) != 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None
    try:
        return SpanContext(
            int(parts[1], 16), int(parts[2], 16), True, TraceFlags(int(parts[3], 16))
        )
    except ValueError:
        return None
