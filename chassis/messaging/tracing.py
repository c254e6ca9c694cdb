"""Trace context across messages: one span a message, child of whoever sent it."""

from contextvars import Token
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode

from chassis.messaging.envelope import Envelope
from chassis.observability.current import Handled, current_message
from chassis.observability.tracing import extract, inject

_tracer = trace.get_tracer("basalt.messaging")
_NOT_SAMPLED = "-00"


class handling:  # used like a function
    """Make the envelope current for logs and traces; gives the traceparent for what is sent on.

    A trace that nobody records costs no span: its ids are handed on as they came. A class instead
    of a generator, because every message passes here.
    """

    __slots__ = ("_envelope", "_name", "_span", "_token")

    def __init__(self, envelope: Envelope, name: str) -> None:
        self._envelope = envelope
        self._name = name
        self._span: Any = None  # OpenTelemetry's context manager of a span
        self._token: Token[Handled | None] | None = None

    def __enter__(self) -> str:
        traceparent = self._envelope.traceparent
        self._token = current_message.set(self._envelope)
        if traceparent.endswith(_NOT_SAMPLED):
            return traceparent
        parent = extract(traceparent)
        self._span = _tracer.start_as_current_span(
            f"handle {self._name}",
            context=trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None,
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.message.id": str(self._envelope.id),
                "messaging.message.type": self._envelope.type,
            },
            record_exception=False,
            set_status_on_exception=False,
        )
        self._span.__enter__()
        return inject() or traceparent

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        if self._span is not None:
            if kind is not None:  # its type only: the text may quote what a user sent
                trace.get_current_span().set_status(Status(StatusCode.ERROR, kind.__name__))
            self._span.__exit__(kind, error, stack)
        assert self._token is not None, "it was entered"
        current_message.reset(self._token)


def current_traceparent() -> str:
    """Of the span that is current here; "" when there is none."""
    return inject()
