"""Strawberry's field decorators, typed: what they decorate stays a method for the type checker."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def field(description: str) -> Callable[[F], F]:
    """A field that a method resolves. The description is for clients."""
    return cast("Callable[[F], F]", strawberry.field(description=description))


def subscription(description: str) -> Callable[[F], F]:
    """A stream that an async generator method produces."""
    return cast("Callable[[F], F]", strawberry.subscription(description=description))
