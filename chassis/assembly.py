"""Assembly: handlers and views bound to their providers, and what the doors take."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chassis.clock import Clock, SystemClock
from chassis.context import Context
from chassis.doors.http import Answer
from chassis.doors.views import Look, bind_views
from chassis.messaging.handlers import Handlers
from chassis.opening import given_types
from chassis.resources import Resources
from chassis.service import CannotStart, Service
from chassis.settings import ServiceSettings
from chassis.stores.chunks import ChunkStore
from chassis.wiring import Wiring, exposed
from contracts.base import Command, Message, Query

Given = Mapping[type, object]

SHARED_OWNERS = ("operation", "deadletter")
"""Their contracts are answered by every service that does long work, or consumes."""


def check(service: Service) -> None:
    """Bind everything to placeholders. Raises CannotStart naming handler and parameter."""
    try:
        given = given_placeholders(service)
        provides = all_provides(service)
        handlers = Handlers(service.handlers, provides=provides, given=given)
        bind_views(service.views, provides=provides, given=given)
        for worker in service.workers.values():
            _check_worker(worker, provides, given)
    except TypeError as error:
        raise CannotStart(str(error)) from error
    if (handlers.by_type or handlers.tap) and "postgres" not in service.stores:
        raise CannotStart('handlers need an inbox: name "postgres" in `stores`')
    if handlers.tap and not service.taps_topics:
        raise CannotStart(f"{handlers.tap.name}: takes every event, but of no topic: `taps_topics`")
    for binding in handlers.commands:
        contract: Any = binding.message  # a Command's class
        if contract.address.owner not in (service.name, *SHARED_OWNERS):
            raise CannotStart(
                f"{binding.name}: {contract.address.type} is a command to"
                f" {contract.address.owner}, not to {service.name}"
            )


def all_provides(service: Service) -> dict[Any, type]:
    """The service's own, and what the chassis adds for long work."""
    if not service.workers:
        return dict(service.provides)
    from chassis.work import Operations

    return {Operations: Operations, **service.provides}


def take_handlers(wiring: Wiring, handlers: Handlers) -> None:
    """The HTTP door takes every command that has a permission."""
    assert wiring.execute is not None, "handlers are taken once the chunk exists"
    for binding in handlers.commands:
        contract: Any = binding.message  # a Command's class
        if exposed(contract):
            wiring.take_command(contract, wiring.execute)


def take_views(wiring: Wiring, service: Service, given: Given) -> None:
    """The HTTP door takes every query that has a permission."""
    views = bind_views(service.views, provides=all_provides(service), given=given)
    for look in views.values():
        if exposed(look.query):
            wiring.take_query(look.query, _answer(look, wiring.resources))


def _answer(look: Look, resources: Resources) -> Answer:
    async def answer(query: Query[Message], context: Context) -> Message:
        message: Message = await look(query, context, resources)
        return message

    return answer


def command_types(handlers: Handlers) -> list[type[Command[Message]]]:
    """The contracts of the commands that are handled."""
    return [binding.message for binding in handlers.commands]  # type: ignore[misc]  # Commands


def given_placeholders(service: Service) -> dict[type, object]:
    """What a running service would be given, by type, with nothing behind it."""
    made: dict[type, object] = {}
    for wanted, provided in service.provides.items():
        if not (isinstance(provided, type) and issubclass(provided, ChunkStore)):
            made[wanted] = None
    settings = [c for c in service.settings.__mro__ if issubclass(c, ServiceSettings)]
    types = [*given_types(service.stores).values(), Clock, SystemClock, Resources, *settings]
    return {**dict.fromkeys(types, None), **made}


def _check_worker(worker: Callable[..., Awaitable[Any]], provides: Given, given: Given) -> None:
    from chassis.work import worker_sources

    assert inspect.iscoroutinefunction(worker), f"{worker} must be an async function"
    worker_sources(worker, provides, given)
