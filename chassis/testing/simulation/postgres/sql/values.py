"""Values: how they are cast, compared and put into JSON. None is NULL everywhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any
from uuid import UUID

import orjson

from chassis.testing.simulation.postgres.sql.tokens import UnknownStatement

Value = Any  # whatever asyncpg takes and gives

_SAME = {
    "integer": "int",
    "int4": "int",
    "int8": "int",
    "bigint": "int",
    "smallint": "int",
    "bigserial": "int",
    "serial": "int",
    "boolean": "bool",
    "jsonb": "json",
    "float8": "float",
    "double": "float",
    "real": "float",
    "numeric": "float",
    "varchar": "text",
    "timestamp": "timestamptz",
}
_SPAN = re.compile(r"([-+]?[\d.]+)\s*(second|sec|minute|min|hour|day|week)s?")
_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400}
_SECONDS["week"] = 7 * 86400
EVER_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""`-infinity`."""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def type_of(name: str) -> str:
    """One name for each type: int, float, bool, text, uuid, bytea, json, timestamptz, interval;
    with `[]` behind it for arrays."""
    base, array, _ = name.partition("[]")
    return _SAME.get(base, base) + array


def cast_to(kind: str) -> Callable[[Value], Value]:
    """The function of `::kind` for values that are not JSON text already."""
    if kind == "uuid[]":
        return _uuids
    if kind.endswith("[]"):
        each = cast_to(kind[:-2])
        return lambda value: None if value is None else [each(item) for item in value]
    convert = _CASTS.get(kind)
    if convert is None:
        return lambda value: value
    return lambda value: None if value is None else convert(value)


def text_of(value: Value) -> str:
    """`value::text`, for what the chassis casts to text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


def json_of(value: Value) -> str:
    """A Python value as a JSON column keeps it."""
    return orjson.dumps(value, default=str).decode()


def hashed(value: Value) -> Value:
    """What stands for the value in an index: a UUID's number hashes ten times as fast."""
    kind = type(value)
    if kind is str or kind is int:
        return value
    if isinstance(value, UUID):
        return value.int
    return tuple(value) if isinstance(value, list) else value


def span_of(text: str | timedelta) -> timedelta:
    """An interval."""
    if isinstance(text, timedelta):
        return text
    found = _SPAN.findall(text)
    if not found:
        raise UnknownStatement(f"interval {text!r}")
    return timedelta(seconds=sum(float(count) * _SECONDS[unit] for count, unit in found))


def _moment(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value
    if value in ("-infinity", "infinity"):
        return EVER_AGO if value == "-infinity" else NEVER
    return datetime.fromisoformat(str(value))


def _uuid(value: Value) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value[2:]) if value.startswith("\\x") else value.encode()
    return bytes(value)


def _uuids(values: Value) -> Value:
    if values is None or _IDS.issuperset(map(type, values)):
        return values
    return [v if v is None or isinstance(v, UUID) else UUID(str(v)) for v in values]


_IDS = {UUID, NoneType}


def keys_of(kind: str) -> Callable[[Iterable[Value]], Iterable[Value]]:
    """What makes of values of this type what stands for them in an index, each once."""
    if kind == "uuid":
        return lambda values: dict.fromkeys([v.int for v in values if v is not None])
    if kind in ("text", "int"):
        return dict.fromkeys
    return lambda values: dict.fromkeys(map(hashed, values))


def _bool(value: Value) -> bool:
    return value in ("true", "t", "1") if isinstance(value, str) else bool(value)


def _whole(value: Value) -> int:
    return round(value) if isinstance(value, float) else int(value)


_CASTS: dict[str, Callable[[Value], Value]] = {
    "int": _whole,
    "float": float,
    "bool": _bool,
    "text": text_of,
    "bytea": _bytes,
    "uuid": _uuid,
    "interval": span_of,
    "timestamptz": _moment,
}


def least(values: Sequence[Value]) -> Value:
    """LEAST: NULLs do not count."""
    return min((value for value in values if value is not None), default=None)


def greatest(values: Sequence[Value]) -> Value:
    return max((value for value in values if value is not None), default=None)
