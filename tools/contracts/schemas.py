"""One JSON Schema for each message and major version, with what the wire needs to know beside."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.base import Command, Event, Message, Query, Rejection, Reply, answer_of

Json = dict[str, Any]  # a JSON document
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS: tuple[tuple[type[Message], str], ...] = (
    (Event, "event"),
    (Reply, "reply"),
    (Rejection, "rejection"),
    (Command, "command"),
    (Query, "query"),
)


class _Plain(GenerateJsonSchema):
    """Without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # pydantic's core schema
        return False


def schema_of(contract: type[Message]) -> Json:
    """The schema of the message's data. `x-basalt` says where it belongs on the wire."""
    schema = contract.model_json_schema(schema_generator=_Plain)
    address = contract.address
    about: Json = {
        "kind": kind_of(contract),
        "owner": address.owner,
        "aggregate": address.aggregate,
        "key": address.key,
        "permission": contract.permission,
        "secret": contract.secret,
    }
    if issubclass(contract, Event):
        about["topic"] = address.topic
    if issubclass(contract, Command | Query):
        about["answer"] = _answer(contract)
    return {
        "$schema": DIALECT,
        "$id": f"urn:basalt:schema:{address.type}",
        **schema,
        "x-basalt": about,
    }


def kind_of(contract: type[Message]) -> str:
    """ "event", "command" and so on."""
    return next(kind for base, kind in _KINDS if issubclass(contract, base))


def _answer(contract: type[Message]) -> str:
    try:
        return answer_of(contract).address.type
    except TypeError:
        return ""
