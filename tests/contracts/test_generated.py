"""The generated files are current, and what they say is true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from chassis.provision import topics
from contracts.base import Event, Message
from contracts.catalogue import CONTRACTS, EVENT_TOPICS
from tools.contracts.files import FOLDER, services, stale, wanted, write
from tools.contracts.gate import faults, released
from tools.contracts.samples import NoSample, sample_of
from tools.contracts.schemas import schema_of

EACH = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def test_they_are_current() -> None:
    assert stale(CONTRACTS) == [], "run `make contracts`"


def test_nothing_released_is_broken() -> None:
    assert faults(CONTRACTS, released()) == []


@EACH
def test_a_schema_is_valid_and_its_sample_fits(contract: type[Message]) -> None:
    schema = schema_of(contract)

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(sample_of(contract))


@EACH
def test_a_sample_survives_a_journey(contract: type[Message]) -> None:
    sample = sample_of(contract)

    message = contract.model_validate_json(json.dumps(sample))
    again = contract.model_validate_json(message.model_dump_json())

    assert again == message
    assert json.loads(again.model_dump_json()).keys() == sample.keys()


def test_samples_are_the_same_each_time() -> None:
    assert wanted(CONTRACTS) == wanted(CONTRACTS)


def test_a_pattern_that_nobody_guesses_asks_for_an_example() -> None:
    from pydantic import Field

    from tests.contracts.made import an_event

    clever = an_event("Clever", cart_id=(str, Field(pattern=r"^\d{3}-[QZ]{9}$")))

    with pytest.raises(NoSample, match="give the field `examples`"):
        sample_of(clever)


def test_writing_mends_what_is_missing_changed_or_left_over(tmp_path: Path) -> None:
    few = dict(list(CONTRACTS.items())[:3])
    write(few, tmp_path)
    first, *_ = few
    (tmp_path / "schemas" / f"{first}.json").write_text("{}")
    (tmp_path / "samples" / "gone.Gone.v1.json").write_text("{}")

    changed = write(few, tmp_path)

    assert changed == ["samples/gone.Gone.v1.json", f"schemas/{first}.json"]
    assert stale(few, tmp_path) == []


class TestAsyncApi:
    @pytest.fixture
    def document(self) -> dict[str, Any]:
        body: dict[str, Any] = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
        return body

    def test_it_is_asyncapi_3(self, document: dict[str, Any]) -> None:
        assert document["asyncapi"] == "3.0.0"
        document["servers"]["kafka"]["pathname"] = ""  # optional in AsyncAPI, not in this reader
        ApplicationSchema.model_validate(document)

    def test_every_reference_leads_somewhere(self, document: dict[str, Any]) -> None:
        references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))

        assert len(references) > 500
        for reference in references:
            file, _, pointer = reference.partition("#")
            if file:
                assert (FOLDER / file).is_file(), reference
                continue
            target: Any = document
            for part in pointer.strip("/").split("/"):
                target = target[part]

    def test_every_topic_is_in_it(self, document: dict[str, Any]) -> None:
        provisioned = {
            topic
            for topic in topics(services())
            if topic in EVENT_TOPICS or topic.startswith(("cmd.", "reply.", "dlq."))
        }
        handled = {f"cmd.{service}.v1" for service in services()}
        unused = {topic for topic in handled if not channel_messages(document, topic)}

        assert provisioned - unused == set(document["channels"])

    def test_every_event_is_on_its_topic(self, document: dict[str, Any]) -> None:
        for wire_type, contract in CONTRACTS.items():
            if issubclass(contract, Event):
                assert wire_type in channel_messages(document, contract.address.topic)

    def test_operations_say_who_hears_what(self, document: dict[str, Any]) -> None:
        assert document["operations"]["activity.hears.billing.account.v1"]["action"] == "receive"
        assert document["operations"]["billing.announces.billing.account.v1"]["action"] == "send"


def channel_messages(document: dict[str, Any], topic: str) -> dict[str, Any]:
    messages: dict[str, Any] = document["channels"].get(topic, {}).get("messages", {})
    return messages
