"""Strawberry's field decorators, typed: what they decorate stays a method for the type checker."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry
from strawberry import Info
from strawberry.types.nodes import SelectedField, Selection

F = TypeVar("F", bound=Callable[..., Any])


def field(description: str) -> Callable[[F], F]:
    """A field that a method resolves. The description is for clients."""
    return cast("Callable[[F], F]", strawberry.field(description=description))


def subscription(description: str) -> Callable[[F], F]:
    """A stream that an async generator method produces."""
    return cast("Callable[[F], F]", strawberry.subscription(description=description))


def selects(info: Info[Any, Any], *names: str) -> bool:  # whatever the resolver's context is
    """Whether the client asks, anywhere below this field, for one of these fields."""
    pending: list[Selection] = list(info.selected_fields)
    while pending:
        one = pending.pop()
        if isinstance(one, SelectedField) and one.name in names:
            return True
        pending += one.selections
    return False
