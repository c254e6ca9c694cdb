"""From command contract to GraphQL input, and back from what a client sent to contract fields."""

import inspect
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin
from unicodedata import category
from uuid import UUID

import strawberry
from pydantic import AwareDatetime, BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from strawberry.scalars import JSON

from contracts.base import Message
from services.gateway import ids
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.shapes import enum_of, unwrap

KEY_FIELD = "idempotency_key"
KEY_DESCRIPTION = (
    "A text of your own making that names this call. Sending it again with the same input gives "
    "the first call's answer and does nothing twice."
)
KEY_LENGTH_MAX = 200

_CARD = re.compile(r"(?:\d[ -]?){12,19}")
_NAMES = ("name", "email", "client")
NAME_LENGTH_MAX = 320
# Controls, line separators, what Trojan Source (CVE-2021-42574) turns texts around with, and what
# has no width, but for the joiners that scripts and emoji need.
_DISGUISES = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class InputPlan:
    """What a client gives for a command: a GraphQL input type, and how each field is read."""

    contract: type[Message]
    gql_type: type
    kinds: Mapping[str, str] = field(default_factory=dict)  # id field -> kind of its global id
    names: tuple[str, ...] = ()


def plan_input(
    contract: type[Message],
    *,
    name: str,
    hide: Collection[str] = (),
    optional: Collection[str] = (),
    keyed: bool = True,
) -> InputPlan:
    """The input of a command. An id that another required id carries is not asked for.

    `hide` = fields that the gateway fills; `optional` = fields that it fills when the client does
    not.
    """
    shown = {k: v for k, v in contract.model_fields.items() if k not in hide}
    kinds = {k: ids.KIND_OF_FIELD[k] for k in shown if _is_id(k, shown[k].annotation)}
    carried: set[str] = set()
    for field_name, kind in kinds.items():
        if field_name not in optional and shown[field_name].is_required():
            carried.update(ids.PARTS[kind][:-1])
    names = tuple(k for k in shown if k not in carried)
    namespace: dict[str, Any] = {"__doc__": contract.__doc__}  # class attributes
    annotations: dict[str, Any] = {}  # typing constructs
    for field_name in names:
        info = shown[field_name]
        required = info.is_required() and field_name not in optional
        gql_type = _input_type(info.annotation, field_name, contract.__name__)
        annotations[field_name] = gql_type if required else gql_type | None
        namespace[field_name] = strawberry.field(
            description=info.description, **({} if required else {"default": strawberry.UNSET})
        )
    if keyed:
        annotations[KEY_FIELD] = str | None
        namespace[KEY_FIELD] = strawberry.field(default=None, description=KEY_DESCRIPTION)
    bare = type(name, (), {**namespace, "__annotations__": annotations, "__module__": __name__})
    doc = " ".join(inspect.cleandoc(contract.__doc__ or "").split())
    kept = {k: v for k, v in kinds.items() if k in names}
    return InputPlan(contract, strawberry.input(bare, description=doc), kept, names)


def collect(plan: InputPlan, given: Any) -> dict[str, Any]:
    """The contract fields that an input stands for. BadInput when ids are wrong or disagree."""
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in plan.names:
        value = getattr(given, name)
        info = plan.contract.model_fields[name]
        if value is strawberry.UNSET or (value is None and not unwrap(info.annotation).optional):
            continue
        kind = plan.kinds.get(name)
        if kind is None or value is None:
            _merge(fields, name, _plain(value), name, faults)
            continue
        try:
            decoded = ids.decode(value, kind)
        except ids.InvalidId as error:
            faults.append(Fault(f"input.{to_camel(name)}", str(error)))
            continue
        *outer, own = ids.PARTS[kind]
        _merge(fields, name, decoded.fields[own], name, faults)
        for part in outer:
            if part in plan.contract.model_fields or part == "owner":
                _merge(fields, part, decoded.fields[part], name, faults)
    if faults:
        raise BadInput(*faults)
    return fields


def build(contract: type[Message], fields: Mapping[str, Any], prefix: str = "input.") -> Any:
    """The message, checked. BadInput names each field that breaks a rule, as the client knows it.

    Returns an instance of `contract`.
    """
    try:
        message = contract.model_validate(dict(fields))
    except ValidationError as error:
        raise BadInput(*(fault_of(item, prefix) for item in error.errors())) from None
    faults = [
        Fault(prefix + to_camel(name), rule)
        for name, value in message
        if isinstance(value, str) and (rule := _misnamed(name, value))
    ]
    if faults:
        raise BadInput(*faults)
    return message


def _misnamed(field_name: str, value: str) -> str:
    """Which rule of what people call things a value breaks; "" = none, or it is no such field. A
    card's number is nobody's token, and is not to be stored."""
    if field_name == "payment_token" and _CARD.fullmatch(value):
        return "looks like a card's number: give the provider's token for it"
    if not field_name.endswith(_NAMES) or not value:
        return ""
    if len(value) > NAME_LENGTH_MAX:
        return f"has more than {NAME_LENGTH_MAX} characters"
    if _DISGUISES.search(value):
        return "has a control character, or one that hides or turns the text around"
    visible = any(category(sign)[0] in "LNPS" for sign in value)
    return "" if visible else "has nothing to read"


def fault_of(item: Mapping[str, Any], prefix: str = "") -> Fault:
    """One of pydantic's error records as a fault."""
    path = ".".join(to_camel(p) if isinstance(p, str) else str(p) for p in item["loc"])
    return Fault(prefix + path, str(item["msg"]))


def _merge(fields: dict[str, Any], name: str, value: Any, source: str, faults: list[Fault]) -> None:
    if fields.setdefault(name, value) != value:
        rule = f"belongs to another {name.removesuffix('_id')} than the rest of the input"
        faults.append(Fault(f"input.{to_camel(source)}", rule))


def _is_id(name: str, annotation: Any) -> bool:
    wanted = unwrap(annotation).annotation
    return name in ids.KIND_OF_FIELD and wanted in (UUID, str)


def _input_type(annotation: Any, name: str, where: str) -> Any:
    wanted = unwrap(annotation)
    gql_type = _bare_type(wanted.annotation, name, where)
    return gql_type | None if wanted.optional else gql_type


def _bare_type(annotation: Any, name: str, where: str) -> Any:
    if _is_id(name, annotation) or annotation is UUID:
        return strawberry.ID
    if annotation is SecretStr:
        return str
    if annotation is AwareDatetime:  # GraphQL's DateTime always has its zone
        return datetime
    if annotation in (str, int, float, bool, datetime):
        return annotation
    if get_origin(annotation) is dict:
        return JSON
    if get_origin(annotation) is list:
        item = _input_type(get_args(annotation)[0], name.removesuffix("s"), where)
        return list[item]  # type: ignore[valid-type]  # made at run time
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return enum_of(annotation)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return _nested(annotation)
    raise TypeError(f"{where}.{name}: no GraphQL input type for {annotation}")


@cache
def _nested(model: type[BaseModel]) -> type:
    """A part of a command as an input type of its own. Its fields are plain values."""
    namespace: dict[str, Any] = {"__doc__": model.__doc__, "__module__": __name__}
    annotations: dict[str, Any] = {}  # typing constructs
    for name, info in model.model_fields.items():
        gql_type = _input_type(info.annotation, name, model.__name__)
        annotations[name] = gql_type if info.is_required() else gql_type | None
        if not info.is_required():
            namespace[name] = strawberry.UNSET
    bare = type(f"{model.__name__}Input", (), {**namespace, "__annotations__": annotations})
    return strawberry.input(bare, description=" ".join((model.__doc__ or "").split()))


def _plain(value: Any) -> Any:  # GraphQL input objects become dicts, the rest stays
    if is_dataclass(value):
        given = {name: _plain(part) for name, part in vars(value).items()}
        return {name: part for name, part in given.items() if part is not strawberry.UNSET}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
