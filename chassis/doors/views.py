"""Views: which function answers which query, and where its other parameters come from."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from chassis.context import Context
from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore
from contracts.base import Message, Query

View = Callable[..., Awaitable[Any]]  # its parameters are read at start


@dataclass(frozen=True, slots=True)
class Look:
    """One view. A source is a store built anew for each query, or an object that exists once."""

    view: View
    query: type[Query[Message]]
    sources: tuple[object, ...]

    async def __call__(self, query: Query[Message], context: Context, resources: Resources) -> Any:
        arguments = [
            context
            if source is Context
            else source(resources)
            if isinstance(source, type) and issubclass(source, ChunkStore)
            else source
            for source in self.sources
        ]
        return await self.view(query, *arguments)


def bind_views(
    views: Iterable[View], *, provides: Mapping[type, type], given: Mapping[type, object]
) -> dict[str, Look]:
    """By contract name. Raises TypeError naming view and parameter when nothing provides it."""
    bound: dict[str, Look] = {}
    for view in views:
        hints = get_type_hints(view)
        names = list(inspect.signature(view).parameters)
        query = hints.get(names[0]) if names else None
        if not isinstance(query, type) or not issubclass(query, Query):
            raise TypeError(f"{view.__name__}: the first parameter must be a query")
        sources = [_source(view, name, hints.get(name), provides, given) for name in names[1:]]
        taken = bound.setdefault(query.__name__, Look(view, query, tuple(sources)))
        if taken.view is not view:
            raise TypeError(f"{view.__name__}: {taken.view.__name__} already answers it")
    return bound


def _source(
    view: View,
    name: str,
    wanted: object,
    provides: Mapping[type, type],
    given: Mapping[type, object],
) -> object:
    if wanted is Context:
        return Context
    if isinstance(wanted, type):
        provided = provides.get(wanted, wanted)
        if isinstance(provided, type) and issubclass(provided, ChunkStore):
            return provided
        if wanted in given:
            return given[wanted]
        if provided in given:
            return given[provided]
    raise TypeError(f"{view.__name__}: nothing provides {name}: {wanted}")
