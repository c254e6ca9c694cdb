"""Golden samples: one whole message of each contract, the same on every machine.

Values follow from the field's name and schema alone; a field whose pattern is too clever to guess
names its own: `Field(pattern=..., examples=["..."])`.
"""

import re
from hashlib import blake2b
from typing import Any
from uuid import UUID

from contracts.base import Message
from tools.contracts.schemas import Json, schema_of

MOMENT = "2026-01-02T03:04:05Z"
_GUESSES = (
    "0123456789abcdef" * 4,
    "text/html",
    "text",
    "folder/file.txt",
    "a",
    "v1",
    "2026-01-02",
    "someone@example.com",
)


class NoSample(Exception):
    """A field whose schema gives no value: it needs `examples`."""


def sample_of(contract: type[Message]) -> Json:
    """A message with every field set, checked against the contract."""
    schema = schema_of(contract)
    data: Json = _Sampler(schema).value(schema, contract.__name__)
    contract.model_validate(data)
    return data


class _Sampler:
    def __init__(self, root: Json) -> None:
        self._definitions = root.get("$defs", {})

    def value(self, schema: Json, name: str, depth: int = 0) -> Any:  # JSON
        """A value that the schema allows."""
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]] | {
                key: value for key, value in schema.items() if key != "$ref"
            }
        if "examples" in schema:
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for union in ("anyOf", "oneOf", "allOf"):
            if union in schema:
                options = [option for option in schema[union] if option.get("type") != "null"]
                return self.value(options[0], name, depth)
        return self._typed(schema, name, depth)

    def _typed(self, schema: Json, name: str, depth: int) -> Any:  # JSON
        match schema.get("type"):
            case "string":
                return _text(schema, name)
            case "integer" | "number":
                return _number(schema, name)
            case "boolean":
                return True
            case "array":
                # A type that holds itself ends somewhere.
                return [self.value(schema.get("items", {}), name, depth + 1)] if depth < 3 else []
            case "object":
                return self._object(schema, name, depth)
        return {"any": "thing"}

    def _object(self, schema: Json, name: str, depth: int) -> Json:
        if "properties" in schema:
            fields = schema["properties"].items()
            return {field: self.value(each, field, depth) for field, each in fields}
        inner = schema.get("additionalProperties")
        if isinstance(inner, dict) and inner:
            return {"first": self.value(inner, name, depth + 1)}
        return {"any": "thing"}


def _text(schema: Json, name: str) -> str:
    match schema.get("format"):
        case "uuid":
            return str(UUID(bytes=_hash(name, 16), version=4))
        case "date-time":
            return MOMENT
        case "date":
            return MOMENT[:10]
        case "email":
            return "someone@example.com"
    pattern, low = schema.get("pattern"), schema.get("minLength", 0)
    high = schema.get("maxLength", 10_000)
    for guess in (f"a {name.replace('_', ' ')}", *_GUESSES):
        text = guess.ljust(low, "x")[:high]
        if pattern is None or re.search(pattern, text):
            return text
    raise NoSample(f"{name}: no guess matches {pattern}: give the field `examples`")


def _number(schema: Json, name: str) -> int | float:
    # Any: a schema's limits are ints or floats
    low: Any = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high: Any = schema.get("maximum", schema.get("exclusiveMaximum", low + 100))
    if "exclusiveMaximum" in schema:
        high -= 1
    number = min(low + 1 + _hash(name, 1)[0] % 40, high)
    return int(number) if schema["type"] == "integer" else number


def _hash(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()
