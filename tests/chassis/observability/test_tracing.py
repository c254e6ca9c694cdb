"""Trace context: out as text, in as text, the same trace."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis.observability.tracing import (
    batch_span,
    client_span,
    consumer_span,
    continued,
    extract,
    inject,
    server_span,
    setup_tracing,
    trace_id,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
_exporter = InMemorySpanExporter()
_provider = setup_tracing("toy", exporter=_exporter)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    _exporter.clear()
    return _exporter


def test_one_trace_goes_through_request_call_and_message(spans: InMemorySpanExporter) -> None:
    with server_span("Count", PARENT), client_span("billing ReserveQuota"):
        carried = inject()
    with consumer_span("handle reserve_quota", carried):
        seen = trace_id()

    finished = {span.name: span for span in spans.get_finished_spans()}
    assert {f"{span.context.trace_id:032x}" for span in finished.values()} == {TRACE}
    assert seen == TRACE
    call, handled = finished["billing ReserveQuota"], finished["handle reserve_quota"]
    assert handled.parent is not None
    assert handled.parent.span_id == call.context.span_id


def test_a_batch_links_to_what_caused_each_message(spans: InMemorySpanExporter) -> None:
    others = [f"00-{number:032x}-{number:016x}-01" for number in range(1, 4)]

    with batch_span("relay", SpanKind.PRODUCER, [*others, others[0], "", "nonsense"]):
        pass

    (span,) = spans.get_finished_spans()
    assert [link.context.trace_id for link in span.links] == [1, 2, 3]


def test_an_error_is_marked_without_its_text(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="sw0rdfish"), server_span("Count"):
        raise ValueError("password=sw0rdfish")

    (span,) = spans.get_finished_spans()
    assert span.status.description == "ValueError"
    assert "sw0rdfish" not in span.to_json()


@pytest.mark.parametrize("text", ["", "00", "00-x-y-z", f"00-{'0' * 32}-{'0' * 16}-01", "é" * 60])
def test_what_is_no_trace_context_starts_none(text: str) -> None:
    assert extract(text) is None
    with continued(text):
        assert trace_id() == ""


def test_a_kept_context_is_continued() -> None:
    with continued(PARENT):
        assert trace_id() == TRACE
        assert inject() == PARENT
