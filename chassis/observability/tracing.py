"""Traces: one id from the client's request to the last consumer.

Only the API of OpenTelemetry is imported here; the SDK and its exporter are loaded by
`setup_tracing`. A context crosses processes as W3C `traceparent` text: an HTTP header, a column of
the outbox, a CloudEvents extension.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

Attributes = Mapping[str, str | int | float | bool]
LINKS_MAX = 128  # of a batch; more are of no use to a reader
_EXPORT_QUEUE_MAX = 8192

_tracer = trace.get_tracer("basalt")


def setup_tracing(
    service: str, *, endpoint: str = "", sample_ratio: float = 1.0, exporter: Any = None
) -> Any:  # the SDK's provider: its type is loaded lazily
    """Start recording. With an OTLP/HTTP `endpoint` spans are exported in batches; without one
    ids are still made and carried, so that log lines and messages of one request share them.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    ratio = sample_ratio if endpoint or exporter else 0.0
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource.create({"service.name": service, "service.namespace": "basalt"}),
    )
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    elif endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        target = f"{endpoint.rstrip('/')}/v1/traces"
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(target), max_queue_size=_EXPORT_QUEUE_MAX)
        )
    trace.set_tracer_provider(provider)
    return provider


def inject() -> str:
    """The current span as `traceparent`, or ""."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def extract(traceparent: str) -> SpanContext | None:
    """The span that `traceparent` names, or None when there is none or it is malformed."""
    parts = traceparent.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    try:
        context = SpanContext(
            trace_id=int(parts[1], 16),
            span_id=int(parts[2], 16),
            is_remote=True,
            trace_flags=TraceFlags(int(parts[3], 16)),
        )
    except ValueError:
        return None
    return context if context.is_valid else None


def trace_id() -> str:
    """The current trace's id in hex, or ""."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


@contextmanager
def server_span(name: str, traceparent: str = "", **attributes: str | int) -> Iterator[Span]:
    """Answering a request. An exception that leaves it makes the span an error."""
    with _span(name, SpanKind.SERVER, traceparent, attributes) as span:
        yield span


@contextmanager
def client_span(name: str, **attributes: str | int) -> Iterator[Span]:
    """Asking another service or system."""
    with _span(name, SpanKind.CLIENT, None, attributes) as span:
        yield span


@contextmanager
def consumer_span(name: str, traceparent: str = "", **attributes: str | int) -> Iterator[Span]:
    """Handling one message: a child of the span that caused it."""
    with _span(name, SpanKind.CONSUMER, traceparent, attributes) as span:
        yield span


@contextmanager
def batch_span(
    name: str, kind: SpanKind, traceparents: Sequence[str], **attributes: str | int
) -> Iterator[Span]:
    """One span for many messages (a chunk, a relay's batch): it links to what caused each."""
    found = (extract(text) for text in dict.fromkeys(traceparents[:LINKS_MAX]) if text)
    links = [trace.Link(context) for context in found if context is not None]
    with _tracer.start_as_current_span(name, kind=kind, links=links, attributes=attributes) as span:
        yield span


@contextmanager
def continued(traceparent: str) -> Iterator[None]:
    """Inside, the current span is the one that `traceparent` names; nothing is recorded."""
    context = extract(traceparent)
    if context is None:
        yield
        return
    with trace.use_span(NonRecordingSpan(context)):
        yield


@contextmanager
def _span(
    name: str, kind: SpanKind, traceparent: str | None, attributes: Attributes
) -> Iterator[Span]:
    parent = None
    if traceparent is not None:
        context = extract(traceparent)
        parent = trace.set_span_in_context(
            NonRecordingSpan(context) if context else trace.INVALID_SPAN
        )
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            # Its type only: the text of an exception may quote what a user sent.
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
