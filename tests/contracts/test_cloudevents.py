"""The envelope is a valid CloudEvent 1.0 in Kafka's binary mode, for every event there is."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope, decode, wire_headers
from chassis.testing.messages import FakeRecord
from contracts.base import Event, Message
from contracts.catalogue import CONTRACTS
from tools.contracts.samples import sample_of

EVENTS = {name: each for name, each in CONTRACTS.items() if issubclass(each, Event)}
RFC_3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
URI = r"^[a-z][a-z0-9+.-]*:[^\s]+$"
URI_REFERENCE = r"^[^\s]+$"

# The context attributes of CloudEvents 1.0: https://github.com/cloudevents/spec
CLOUD_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "type", "source"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "source": {"type": "string", "pattern": URI_REFERENCE},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "pattern": RFC_3339},
        "dataschema": {"type": "string", "pattern": URI},
    },
    # Extensions: lower-case letters and digits, at most 20 are advised.
    "patternProperties": {"^[a-z0-9]{1,20}$": {"type": "string"}},
    "additionalProperties": False,
}


def an_envelope(contract: type[Message], **what_matters: object) -> Envelope:
    message = contract.model_validate(sample_of(contract))
    fields: dict[str, object] = {
        "id": new_id(),
        "type": contract.address.type,
        "source": f"/basalt/{contract.address.owner}",
        "subject": message.key,
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "key": message.key,
        "topic": contract.address.topic,
        "data": message.model_dump_json().encode(),
        "workspace_id": new_id(),
        "aggregate_version": 7,
        "correlation_id": new_id(),
        "causation_id": new_id(),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "actor_id": new_id(),
        "deadline_ms": 1_767_000_000_000,
        "reply_to": "reply.orchestrator.v1",
        "forward_id": new_id(),
    }
    return Envelope(**(fields | what_matters))  # type: ignore[arg-type]


@pytest.mark.parametrize("contract", EVENTS.values(), ids=EVENTS)
def test_every_event_is_a_valid_cloud_event(contract: type[Message]) -> None:
    headers = an_envelope(contract).headers()

    attributes = {name[3:]: text for name, text in headers.items() if name.startswith("ce_")}
    others = {name for name in headers if not name.startswith("ce_")}
    Draft202012Validator(CLOUD_EVENT).validate(attributes)
    assert others == {"content-type"}
    assert headers["content-type"] == "application/json"
    assert headers["ce_dataschema"] == f"urn:basalt:schema:{contract.address.type}"


@pytest.mark.parametrize("contract", EVENTS.values(), ids=EVENTS)
def test_what_is_written_is_read_again(contract: type[Message]) -> None:
    envelope = an_envelope(contract)

    record = FakeRecord(
        envelope.topic, 0, 0, envelope.key.encode(), envelope.data, wire_headers(envelope.headers())
    )

    assert decode(record) == envelope
    json.loads(envelope.data)


def test_the_id_is_a_uuid_of_version_7() -> None:
    assert UUID(an_envelope(next(iter(EVENTS.values()))).headers()["ce_id"]).version == 7


def test_the_check_can_fail() -> None:
    validator = Draft202012Validator(CLOUD_EVENT)

    assert not validator.is_valid({"specversion": "1.0", "id": "1", "type": "t"})
    assert not validator.is_valid(
        {"specversion": "1.0", "id": "1", "type": "t", "source": "/s", "workspace_id": "x"}
    )
    assert not re.match(RFC_3339, "yesterday")
