"""Handlers: which function takes which message, and where its other parameters come from."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from chassis.context import Context
from chassis.messaging.envelope import Envelope
from chassis.messaging.later import Later
from chassis.stores.chunks import ChunkStore
from contracts.base import Command, Event, Message

Handler = Callable[..., Awaitable[Any]]  # its parameters are read at start
Answers = Message | tuple[Message, ...] | Later | None


@dataclass(frozen=True, slots=True)
class Given:
    """An argument that is the same for every message."""

    value: object


FROM_MESSAGE = object()
"""Marks the parameter that takes the message's Context."""

Source = type[ChunkStore] | Given | object


@dataclass(frozen=True)
class Binding:
    """One handler and the sources of its parameters after the message."""

    handler: Handler
    message: type[Message] | type[Envelope]
    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        return self.handler.__name__

    # Looked up once: every message passes here.

    @cached_property
    def is_command(self) -> bool:
        return issubclass(self.message, Command)

    @cached_property
    def validator(self) -> Any:  # pydantic keeps its type to itself
        """Of the contract; None where undecoded facts are taken."""
        return None if issubclass(self.message, Envelope) else self.message.__pydantic_validator__

    @cached_property
    def secret(self) -> bool:
        """Whether nothing of its answers may be stored."""
        return not issubclass(self.message, Envelope) and self.message.secret

    @cached_property
    def stores(self) -> tuple[type[ChunkStore], ...]:
        """The stores that live for a chunk."""
        return tuple(source for source in self.sources if isinstance(source, type))

    async def __call__(
        self, message: object, stores: Mapping[type[ChunkStore], ChunkStore], context: Context
    ) -> Answers:
        """Run the handler on one message."""
        arguments = [
            stores[source]
            if isinstance(source, type)
            else source.value
            if isinstance(source, Given)
            else context
            for source in self.sources
        ]
        answer: Answers = await self.handler(message, *arguments)
        return answer


class Handlers:
    """A service's handlers by the wire type that they take.

    `provides` maps a parameter's type to the class that fulfils it; `given` maps one to an object
    that exists once. Raises TypeError for a handler that cannot be called.
    """

    def __init__(
        self,
        handlers: Iterable[Handler],
        *,
        provides: Mapping[type, type],
        given: Mapping[type, object],
    ) -> None:
        self.by_type: dict[str, Binding] = {}
        self.tap: Binding | None = None
        for handler in handlers:
            self._bind(handler, provides, given)

    def of(self, wire_type: str) -> Binding | None:
        """The binding that takes messages of this type."""
        return self.by_type.get(wire_type, self.tap)

    @property
    def commands(self) -> list[Binding]:
        return [binding for binding in self.by_type.values() if binding.is_command]

    @property
    def topics(self) -> set[str]:
        """The topics of the events that are handled (commands arrive on the service's own)."""
        return {
            binding.message.address.topic
            for binding in self.by_type.values()
            if issubclass(binding.message, Event)
        }

    def _bind(
        self, handler: Handler, provides: Mapping[type, type], given: Mapping[type, object]
    ) -> None:
        hints = get_type_hints(handler)
        names = list(inspect.signature(handler).parameters)
        message = hints.get(names[0]) if names else None
        if not isinstance(message, type) or not issubclass(message, Command | Event | Envelope):
            raise TypeError(f"{handler.__name__}: the first parameter must be a command or event")
        sources = []
        for name in names[1:]:
            source = _source(hints.get(name), provides, given)
            if source is None:
                raise TypeError(f"{handler.__name__}: nothing provides {name}: {hints.get(name)}")
            sources.append(source)
        binding = Binding(handler, message, tuple(sources))
        if issubclass(message, Envelope):
            if self.tap is not None:
                raise TypeError(f"{handler.__name__}: {self.tap.name} already takes every event")
            self.tap = binding
            return
        taken = self.by_type.setdefault(message.address.type, binding)
        if taken is not binding:
            raise TypeError(f"{handler.__name__}: {taken.name} already takes {message.__name__}")


def _source(
    wanted: object, provides: Mapping[type, type], given: Mapping[type, object]
) -> Source | None:
    if not isinstance(wanted, type):
        return None
    if wanted is Context:
        return FROM_MESSAGE
    provided = provides.get(wanted, wanted)
    if issubclass(provided, ChunkStore):
        return provided
    for offered, value in given.items():
        if offered is wanted or offered is provided:
            return Given(value)
    return None
