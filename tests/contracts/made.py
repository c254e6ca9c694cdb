"""Contracts made for a test: the same message before and after a change."""

from typing import Any

from pydantic import create_model

from contracts.base import Command, Event, Message, Reply
from tools.contracts.schemas import Json, schema_of


class Done(Reply):
    """What a made command answers."""


def an_event(name: str = "Moved", key: str = "cart_id", **fields: Any) -> type[Message]:  # pydantic
    """An event of the cart; a field is `(type, default)` or `(type, ...)`."""
    return _made(Event, name, key, fields)


def a_command(name: str = "Move", key: str = "cart_id", **fields: Any) -> type[Message]:  # pydantic
    """A command to the shop."""
    return _made(Command[Done], name, key, fields)


def schema(contract: type[Message]) -> Json:
    """Its schema."""
    return schema_of(contract)


def _made(base: Any, name: str, key: str, fields: Any) -> type[Message]:  # pydantic's signature
    return create_model(  # type: ignore[no-any-return]
        name, __base__=base, __module__="tests.contracts.shop.cart",
        __cls_kwargs__={"key": key}, **fields,
    )  # fmt: skip
