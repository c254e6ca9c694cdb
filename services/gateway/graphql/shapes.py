"""From contract to GraphQL output type: fields, descriptions and ids follow from the contract.

A derived type wraps the message it shows. Plain fields read the message; a hand-written class adds
fields of its own (connections, links) under ``@shape(Contract)``. What nobody wrote by hand is
derived when it is first met.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

import strawberry
from pydantic import BaseModel, SecretStr
from strawberry.scalars import JSON

from services.gateway import ids

LARGE = ("bytes", "size", "offset")
"""Names that end so hold sizes: GraphQL's Int ends at 2 GiB, so they travel as Float."""

Fields = Mapping[str, Any]  # a message's field values, by name
Reader = Callable[[Any, Fields], Any]  # (value, known fields) -> what GraphQL shows
C = TypeVar("C", bound=type)


class Shape:
    """Base of every type that shows a contract message.

    `shown` is the message; `known` holds the fields that ids need and the message lacks, such
    as the workspace of an entity.
    """

    contract: ClassVar[type[BaseModel]]
    readers: ClassVar[dict[str, tuple[str, Reader]]]
    shown: Any  # the contract message
    known: Fields

    @classmethod
    def of(cls, message: BaseModel, known: Fields | None = None) -> Self:
        """Show a message."""
        wrapped = object.__new__(cls)
        wrapped.shown = message
        wrapped.known = {**(known or {}), **_own_ids(message)}
        return wrapped

    def read(self, name: str) -> Any:  # any GraphQL value
        """The value of a derived field, called by the schema's default resolver."""
        field_name, reader = self.readers[name]
        return reader(getattr(self.shown, field_name), self.known)


SHAPES: dict[type[BaseModel], type[Shape]] = {}
_enums: dict[type[Enum], type[Enum]] = {}


def shape(
    contract: type[BaseModel],
    *,
    name: str = "",
    node: str = "",
    hide: Iterable[str] = (),
    rename: Mapping[str, str] | None = None,
    interface: bool = False,
) -> Callable[[C], C]:
    """Make a class the GraphQL type of a contract.

    `node` = the kind of its global id: the contract's own id becomes `id`. `hide` = contract
    fields not shown, `rename` = contract field -> GraphQL field.
    """

    def decorate(cls: C) -> C:
        assert contract not in SHAPES, f"{contract.__name__} has a GraphQL type already"
        own_key = ids.PARTS[node][-1] if node else ""
        hidden = {*hide, own_key}
        readers: dict[str, tuple[str, Reader]] = {}
        annotations = dict(inspect.get_annotations(cls))
        if node:
            annotations = {"id": strawberry.ID, **annotations}
            readers["id"] = (own_key, _id_reader(node))
        for field_name, field in contract.model_fields.items():
            public_name = (rename or {}).get(field_name, field_name)
            if field_name in hidden or public_name in vars(cls):
                continue
            gql_type, reader = output(field.annotation, field_name, cls.__name__)
            annotations[public_name] = gql_type
            readers[public_name] = (field_name, reader)
        cls.__annotations__ = annotations
        shaped = cast("type[Shape]", cls)
        shaped.contract, shaped.readers = contract, readers
        SHAPES[contract] = shaped
        doc = " ".join((inspect.cleandoc(cls.__doc__ or contract.__doc__ or "")).split())
        make = strawberry.interface if interface else strawberry.type
        return make(cls, name=name or contract.__name__, description=doc)

    return decorate


def shape_of(contract: type[BaseModel]) -> type[Shape]:
    """The GraphQL type of a contract: the hand-written one, or one derived now."""
    if contract not in SHAPES:
        bare = type(contract.__name__, (Shape,), {"__doc__": contract.__doc__})
        bare.__module__ = __name__
        shape(contract)(bare)
    return SHAPES[contract]


def show(message: BaseModel, known: Fields | None = None) -> Shape:
    """Wrap a message in its GraphQL type."""
    return shape_of(type(message)).of(message, known)


def read(source: Any, name: str) -> Any:  # graphql-core passes whatever a resolver returned
    """The schema's default resolver."""
    return source.read(name) if isinstance(source, Shape) else getattr(source, name)


def enum_of(enum: type[Enum]) -> type[Enum]:
    """The GraphQL enum of a contract's enum; its members' names are the GraphQL values."""
    if enum not in _enums:
        doc = " ".join(inspect.cleandoc(enum.__doc__ or "").split())
        _enums[enum] = strawberry.enum(enum, description=doc)
    return _enums[enum]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An annotation without its optional part."""

    annotation: Any  # a typing construct
    optional: bool


def unwrap(annotation: Any) -> Wanted:  # annotations are typing constructs
    """Take `X | None` apart."""
    if get_origin(annotation) in (Union, UnionType):
        others = [part for part in get_args(annotation) if part is not NoneType]
        if len(others) == 1:
            return Wanted(others[0], True)
    return Wanted(annotation, False)


def output(annotation: Any, name: str, where: str) -> tuple[Any, Reader]:
    """The GraphQL type of a contract field, and how to read it."""
    wanted = unwrap(annotation)
    gql_type, reader = _output(wanted.annotation, name, where)
    if not wanted.optional:
        return gql_type, reader
    return gql_type | None, lambda value, known: None if value is None else reader(value, known)


def _output(annotation: Any, name: str, where: str) -> tuple[Any, Reader]:
    kind = ids.KIND_OF_FIELD.get(name)
    if kind and annotation in (UUID, str):
        return strawberry.ID, _id_reader(kind)
    if annotation is UUID:
        return strawberry.ID, lambda value, known: str(value)
    if annotation is int and name.endswith(LARGE):
        return float, lambda value, known: float(value)
    if annotation in (str, int, float, bool, datetime):
        return annotation, lambda value, known: value
    if annotation is SecretStr:
        return str, lambda value, known: value.get_secret_value()
    if get_origin(annotation) is dict:
        return JSON, lambda value, known: value
    if get_origin(annotation) is list:
        item = get_args(annotation)[0]
        item_type, reader = output(item, name.removesuffix("s"), where)
        many: Any = list[item_type]  # type: ignore[valid-type]  # made at run time
        return many, lambda values, known: [reader(v, known) for v in values]
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return enum_of(annotation), lambda value, known: value
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return shape_of(annotation), lambda value, known: show(value, known)
    raise TypeError(f"{where}.{name}: no GraphQL type for {annotation}")


def _id_reader(kind: str) -> Reader:
    outer = ids.PARTS[kind][:-1]

    def reader(value: Any, known: Fields) -> str:
        if any(part not in known for part in outer):
            return str(value)  # its tenant is not known here: opaque all the same
        return ids.encode(kind, *(known[part] for part in outer), value)

    return reader


def _own_ids(message: BaseModel) -> dict[str, Any]:  # ids of several types
    names = ("workspace_id", "app_id", "owner")
    return {name: value for name in names if (value := getattr(message, name, None)) is not None}
