"""The envelope on the wire, and readers that forgive what they may."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope, Undecodable, decode, type_of, wire_headers
from chassis.testing.messages import FakeRecord, a_record


def an_envelope() -> Envelope:
    return Envelope(
        id=new_id(),
        type="billing.QuotaReserved.v1",
        source="/basalt/billing",
        subject="the account",
        time=datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
        key="the saga",
        topic="reply.orchestrator.v1",
        data=b'{"units": 1}',
        workspace_id=new_id(),
        aggregate_version=7,
        correlation_id=new_id(),
        causation_id=new_id(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        actor_id=new_id(),
        deadline_ms=1_800_000_000_000,
        reply_to="reply.orchestrator.v1",
        forward_id=new_id(),
    )


def without(record: FakeRecord, name: str) -> FakeRecord:
    return replace(record, headers=[(n, v) for n, v in record.headers if n != name])


def test_what_was_written_is_read() -> None:
    envelope = an_envelope()

    assert decode(a_record(envelope)) == envelope


def test_absent_extensions_are_no_headers() -> None:
    bare = replace(an_envelope(), workspace_id=None, actor_id=None, reply_to="", deadline_ms=None)

    names = bare.headers().keys()

    assert not {"ce_workspaceid", "ce_actorid", "ce_replyto", "ce_deadlinems"} & names
    assert decode(a_record(bare)) == bare


def test_it_is_a_cloudevent_in_binary_mode() -> None:
    headers = an_envelope().headers()

    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_dataschema"] == "urn:basalt:schema:billing.QuotaReserved.v1"
    assert headers["content-type"] == "application/json"
    assert headers["ce_time"] == "2026-03-04T05:06:07.000089+00:00"


def test_unknown_headers_and_bytes_that_are_no_text_are_passed_over() -> None:
    record = a_record(an_envelope())
    odd = replace(record, headers=[*record.headers, ("x-odd", b"\xff\xfe"), ("x-none", None)])  # type: ignore[list-item]

    assert decode(odd) == decode(record)


def test_a_producer_that_sends_no_time_gets_kafkas() -> None:
    record = replace(without(a_record(an_envelope()), "ce_time"), timestamp=1_000)

    assert decode(record).time == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(Undecodable, match=name):
        decode(without(a_record(an_envelope()), name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"no uuid"),
        ("ce_aggregateversion", b"seven"),
        ("ce_time", b"yesterday"),
    ],
)
def test_an_attribute_that_makes_no_sense_is_undecodable(name: str, value: bytes) -> None:
    record = a_record(an_envelope())

    with pytest.raises(Undecodable):
        decode(replace(record, headers=[*record.headers, (name, value)]))


def test_no_body_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="no body"):
        decode(replace(a_record(an_envelope()), value=None))


def test_the_type_is_found_without_reading_the_rest() -> None:
    headers = wire_headers({"ce_type": "a.B.v1"})

    assert type_of(FakeRecord("topic", 0, 0, None, None, headers)) == "a.B.v1"
    assert type_of(FakeRecord("topic", 0, 0, None, None)) == ""
