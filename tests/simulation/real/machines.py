"""Machines of real services, and what outlives them."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import SecretStr
from redis.exceptions import RedisError

from chassis.assembly import all_provides
from chassis.context import Context
from chassis.messaging.handlers import Handler, Handlers
from chassis.messaging.later import Later
from chassis.messaging.relay import Relay
from chassis.opening import common_given
from chassis.outside import OutsideClient
from chassis.resources import Resources
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.stores.blobs import Blobs
from chassis.stores.chunks import ChunkStore
from chassis.stores.mongo import Documents
from chassis.testing.simulation.loop import PROCESS
from chassis.testing.simulation.machines import SHARDS, ParticipantMachine, Stage
from chassis.testing.simulation.participants import Participant
from chassis.testing.simulation.postgres import SimDatabase, SimPostgres
from chassis.testing.simulation.stores import Collections, SimBlobs, SimDocuments, kept
from chassis.testing.simulation.world import CLIENTS
from chassis.work.leases import WorkLeases
from chassis.work.rows import BELL, Bell
from chassis.work.workers import WorkLoop, worker_sources
from contracts.base import Message
from contracts.billing.payment import AuthorisePayment, CapturePayment, VoidPayment
from services.activity.main import service as activity
from services.billing.main import service as billing
from services.billing.payments import HttpPayments, PaymentProvider
from services.delivery.main import service as delivery
from services.identity.main import service as identity
from services.identity.model.passwords import Passwords
from services.studio.main import service as studio
from services.studio.store.cache import Cache
from tests.simulation.real.provider import SimTransport, StrictProvider

SERVICES: dict[str, Service] = {
    service.name: service for service in (activity, billing, delivery, identity, studio)
}
ANSWERED_LATER: tuple[type[Message], ...] = (AuthorisePayment, CapturePayment, VoidPayment)
"""Their effect comes after their handler, so no deed is written down: the provider has it."""


@dataclass
class Outlives:
    """What no crash takes away, besides the databases."""

    documents: dict[str, Collections] = field(
        default_factory=lambda: {name: kept() for name in SERVICES}
    )
    blobs: dict[tuple[UUID, str], bytes] = field(default_factory=dict)
    provider: StrictProvider = field(default_factory=StrictProvider)


class RealMachine(ParticipantMachine):
    """A replica of a real service."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        participant: Participant,
        server: SimPostgres,
        outlives: Outlives,
    ) -> None:
        super().__init__(stage, name, participant, server)
        self._real = SERVICES[participant.name]
        self._handlers = both_ways(participant, self._real)
        self._outlives = outlives

    def wire(self, resources: Resources, relay: Relay) -> None:
        service, outlives = self._real, self._outlives
        resources.settings = settings = settings_of(service.name)
        database = resources.database
        assert isinstance(database, SimDatabase), "a machine's"
        resources.opened |= {
            "mongo": SimDocuments(outlives.documents[service.name], database.link),
            "blobs": SimBlobs(outlives.blobs, database.link),
            "redis": RedisAway(),
        }
        given: dict[type, object] = {
            **common_given(settings, resources.clock, resources),
            Documents: resources.mongo,
            Blobs: resources.blobs,
        }
        client = OutsideClient(
            "payments",
            "http://simulated",
            settings,
            resources.clock,
            transport=SimTransport(outlives.provider, database.link),  # type: ignore[arg-type]
        )
        made = {PaymentProvider: HttpPayments(client), Passwords: PlainPasswords()}
        given |= made | self._singletons(resources, made)
        handlers = Handlers(self._handlers, provides=all_provides(service), given=given)
        topics = {*handlers.topics, *service.taps_topics}
        self.take_commands(resources, relay, handlers, (f"cmd.{service.name}.v1", *sorted(topics)))
        if service.workers:
            self._work(resources, given)

    def _singletons(self, resources: Resources, made: dict[type, object]) -> dict[type, object]:
        """What handlers and workers ask for; readers' own things are not needed."""
        asked = {
            wanted
            for function in (*self._real.handlers, *self._real.workers.values())
            for wanted in get_type_hints(function).values()
        }
        return {
            wanted: provided(resources)
            for wanted, provided in self._real.provides.items()
            if wanted in asked
            and wanted not in made
            and not (isinstance(provided, type) and issubclass(provided, ChunkStore))
        }

    def _work(self, resources: Resources, given: dict[type, object]) -> None:
        """Long work, as chassis.work.wire_work arranges it."""
        provides = all_provides(self._real)
        workers = {
            kind: worker_sources(worker, provides, given)
            for kind, worker in self._real.workers.items()
        }
        settings: ServiceSettings = resources.settings
        leases = WorkLeases(resources.database, resources.clock, settings.work_lease_ms / 1000)
        bell = resources.opened.setdefault(BELL, Bell())
        assert self.chunk is not None, "handlers come first"
        for _ in range(settings.work_parallel_max):
            self.background(WorkLoop(workers, leases, self.chunk.execute, resources, bell).run)


class RedisAway:
    """Redis is a cache, and down: nothing may depend on it."""

    def pipeline(self, transaction: bool) -> "RedisAway":
        return self

    def set(self, *args: object, **kwargs: object) -> None:
        """Queued, as a pipeline does."""

    async def execute(self) -> None:
        raise RedisError("simulated: away")


class PlainPasswords:
    """Passwords that nobody keeps: slow hashes are not what is simulated."""

    @asynccontextmanager
    async def turn(self) -> Any:  # an async context manager of None
        yield

    async def hash(self, password: str) -> str:
        return f"hash of {password}"


class CacheOfEach:
    """One of studio's caches, one for each simulated process."""

    def __init__(self) -> None:
        self._caches: dict[object, Cache[Any, Any]] = {}

    def get(self, key: Any) -> Any:  # as Cache
        return self._mine().get(key)

    def put(self, key: Any, value: Any, size: int, size_max: int) -> None:  # as Cache
        self._mine().put(key, value, size, size_max)

    def _mine(self) -> Cache[Any, Any]:
        return self._caches.setdefault(PROCESS.get(None), Cache())


@cache
def settings_of(name: str) -> ServiceSettings:
    """As a service's environment would say, for a small platform."""
    service = SERVICES[name]
    given: dict[str, Any] = {"work_parallel_max": 1, "work_lease_ms": 6_000}
    return service.settings(
        context_key=SecretStr("simulated-simulated"), topic_partitions=SHARDS, **given
    )


def both_ways(participant: Participant, service: Service) -> list[Handler]:
    """Each made-up handler also does what the service does; and the service's other handlers."""
    for store in participant.stores.values():
        store.announces = ""  # the service's own store announces
    made_up = {
        handler.__annotations__["message"]: handler
        for handler in participant.handlers
        if "message" in handler.__annotations__
    }
    return list(_handlers(service, made_up))


def _handlers(service: Service, made_up: dict[type, Handler]) -> Iterator[Handler]:
    for real in service.handlers:
        message = get_type_hints(real)[next(iter(inspect.signature(real).parameters))]
        deeds = None if message in ANSWERED_LATER else made_up.get(message)
        yield real if deeds is None else _both(deeds, real)


def _both(made_up: Handler, real: Handler) -> Handler:
    """A saga's deed, then the work, in one transaction: a refusal takes both back."""
    theirs = list(inspect.signature(real).parameters)[1:]

    async def handle(message: Any, deeds: Any, context: Context, *given: Any) -> Any:
        if context.actor_id is not None and context.actor_id.int >> 64 == CLIENTS:
            await made_up(message, deeds, context)
        answer = await real(message, *given)
        assert not isinstance(answer, Later), f"{real.__name__} answers later"
        return answer

    hints, own = get_type_hints(real), made_up.__annotations__
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ["message", "deeds", "context", *(f"real_{name}" for name in theirs)]
    typed: Callable[..., Any] = handle
    typed.__name__ = real.__name__
    typed.__annotations__ = {
        "message": own["message"],
        "deeds": own["deeds_of"],
        "context": Context,
        **{f"real_{name}": hints[name] for name in theirs},
    }
    typed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in names]
    )
    return typed
