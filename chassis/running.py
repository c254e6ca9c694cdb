"""Running: one started service, from opening its stores to draining them.

Start: stores, relay, handlers, extensions, HTTP (alive, not ready), Kafka door once the database
has its migrations. Stop: not ready, Kafka door drained, HTTP finished, background work cancelled,
relay emptied, stores closed; all within `drain_timeout_ms`.
"""

import asyncio
import gc
import inspect
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from chassis.assembly import all_provides, take_handlers, take_views
from chassis.clock import Clock, SystemClock, jittered
from chassis.doors.app import Check, Health, build_app
from chassis.doors.faults import fault_routers
from chassis.doors.http import HttpDoor
from chassis.doors.server import HttpServer, http_server, start_server
from chassis.messaging.handlers import Handlers
from chassis.observability.logs import setup_logs
from chassis.observability.tracing import setup_tracing
from chassis.opening import (
    common_given,
    given_types,
    make_singletons,
    open_stores,
    schema_check,
)
from chassis.resources import Resources
from chassis.service import EXIT_CANNOT_START, CannotStart, Service
from chassis.settings import ServiceSettings, SettingsInvalid
from chassis.wiring import Background, Wiring

log = structlog.get_logger()

_SCHEMA_POLL_S = 0.2
_SCHEMA_POLL_MAX_S = 2.0
_RESTART_PAUSE_S = 0.5
_RESTART_PAUSE_MAX_S = 30.0


class Running:
    """`app` is the ASGI application, `port` where it listens."""

    def __init__(
        self, service: Service, settings: ServiceSettings, *, clock: Clock | None = None
    ) -> None:
        self.service, self.settings = service, settings
        self.clock = clock or SystemClock()
        resources = Resources(settings, self.clock, service=service.name)
        self.wiring = Wiring(service.name, settings, resources)
        self.health = Health(self.wiring.checks, settings.ready_timeout_ms / 1000)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server: HttpServer | None = None
        self._http: asyncio.Task[None] | None = None
        self._kafka: Any = None  # chassis.doors.kafka.KafkaDoor, loaded only where it is needed
        self._schema: Check | None = None  # set where there is a database
        self._opening: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """The HTTP door's port."""
        assert self._server is not None, "it has not started"
        return self._server.port

    async def start(self) -> None:
        """Raises SettingsInvalid or CannotStart; what was opened is closed again."""
        try:
            await self._assemble()
            self.app = await self._build()
            self._server = http_server(self.app, self.settings)
            self._http = await start_server(self._server, self.settings.start_timeout_ms / 1000)
            self._http.add_done_callback(self._ended)
            self._opening = asyncio.create_task(self._open(), name="opening")
            self._opening.add_done_callback(self._ended)
        except BaseException:
            await self.stop()
            raise
        log.info("service_started", port=self.port)

    async def stop(self) -> None:
        """Drain. Never raises; what does not end in time is cut off and logged."""
        self.health.draining = True
        total = self.settings.drain_timeout_ms / 1000
        if self.settings.drain_delay_ms and self._http is not None:
            await self.clock.sleep(self.settings.drain_delay_ms / 1000)
        if self._opening is not None:
            self._opening.cancel()  # it may still be waiting for the migrations
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._kafka is not None:
            await self._within("kafka", total / 2, self._kafka.stop)
        if self._server is not None and self._http is not None:
            self._server.should_exit = True
            http = self._http
            await self._within("http", total / 2, lambda: asyncio.wait_for(http, None))
        for task in self._tasks:
            task.cancel()
        await self._within(
            "background", total / 4, lambda: asyncio.gather(*self._tasks, return_exceptions=True)
        )
        if self.wiring.relay is not None:
            relay = self.wiring.relay
            await self._within("relay", total / 4, lambda: relay.stop(total / 8))
        for close in reversed(self.wiring.closes):
            await self._within("close", total / 8, close)
        self.wiring.closes.clear()

    async def _assemble(self) -> None:
        service, wiring = self.service, self.wiring
        await open_stores(wiring, service.stores)
        if service.clients:
            from chassis.client import open_clients

            wiring.resources.clients = await open_clients(wiring, service.clients)
        made = await make_singletons(service.provides, wiring.resources)
        stores = {
            kind: wiring.resources.opened[n] for n, kind in given_types(service.stores).items()
        }
        given = {**common_given(self.settings, self.clock, wiring.resources), **stores, **made}
        if "postgres" in service.stores:
            self._schema = schema_check(wiring.resources.database, service.folder)
            wiring.check("postgres", self._schema)
            wiring.handlers = Handlers(
                service.handlers, provides=all_provides(service), given=given
            )
            if self.settings.kafka_bootstrap:
                from chassis.doors.kafka import KafkaDoor

                self._kafka = await KafkaDoor.open(service, wiring)
                take_handlers(wiring, wiring.handlers)
            elif service.handlers:
                raise SettingsInvalid(f"KAFKA_BOOTSTRAP is not set, and {service.name} needs it")
        take_views(wiring, service, given)
        if service.workers:
            from chassis.work import wire_work

            wire_work(service, wiring, given)
        for extension in service.extend:
            added = extension(wiring)
            if inspect.isawaitable(added):
                await added

    async def _build(self) -> Any:  # a FastAPI application
        wiring = self.wiring
        door = HttpDoor(self.settings, self.clock, wiring.commands, wiring.queries)
        routers = fault_routers(self.settings, self.clock, self.service.name)
        for entry in self.service.routers:
            router = entry(wiring.resources) if inspect.isroutine(entry) else entry
            routers.append(await router if inspect.isawaitable(router) else router)
        self.health.checks = wiring.checks
        return build_app(
            self.service.name, door, self.health, wiring.commands, wiring.queries, routers
        )

    async def _open(self) -> None:
        """What needs the database's tables waits for them; /readyz says so meanwhile."""
        pause = _SCHEMA_POLL_S
        while self._schema is not None:
            try:
                await self._schema()
                break
            except Exception:
                await self.clock.sleep(pause)
                pause = min(2 * pause, _SCHEMA_POLL_MAX_S)
        if self._kafka is not None:
            await self._kafka.start()
        for name, background in self.wiring.backgrounds.items():
            self._tasks.append(asyncio.create_task(self._keep(name, background), name=name))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """The HTTP server must not end by itself, and opening must not fail."""
        if self.health.draining or self.failed.done() or task.cancelled():
            return
        error = task.exception()
        if task is self._http or error is not None:
            log.error("service_lost", part=task.get_name(), exc_info=error)
            self.failed.set_result(None)

    async def _keep(self, name: str, background: Background) -> None:
        pause = _RESTART_PAUSE_S
        while True:
            began = self.clock.monotonic()
            try:
                await background()
                return
            except Exception:
                log.exception("background_failed", task=name)
            if self.clock.monotonic() - began > _RESTART_PAUSE_MAX_S:
                pause = _RESTART_PAUSE_S
            await self.clock.sleep(pause / 2 + jittered(pause / 2))
            pause = min(2 * pause, _RESTART_PAUSE_MAX_S)

    async def _within(
        self, what: str, seconds: float, stop: Callable[[], Awaitable[object]]
    ) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stop()
        except TimeoutError:
            log.warning("drain_cut_off", part=what, seconds=seconds)
        except Exception:
            log.exception("drain_failed", part=what)


def run_process(service: Service, settings: ServiceSettings) -> int:
    """The process's whole life; its exit code."""
    import uvloop

    setup_logs(service.name, settings.log_level)
    provider = setup_tracing(
        service.name, endpoint=settings.otlp_endpoint, sample_ratio=settings.trace_sample_ratio
    )
    try:
        code: int = uvloop.run(_live(service, settings))
        return code
    finally:
        provider.shutdown()


async def _live(service: Service, settings: ServiceSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = Running(service, settings)
    try:
        await running.start()
    except (SettingsInvalid, CannotStart) as error:
        log.error("service_cannot_start", reason=str(error))
        return EXIT_CANNOT_START
    _calm_garbage_collector()
    running.failed.add_done_callback(lambda _: stop.set())
    await stop.wait()  # tidy: a service lives until a signal comes or its HTTP server is lost
    log.info("service_stopping")
    await running.stop()
    log.info("service_stopped")
    return 1 if running.failed.done() else 0


def _calm_garbage_collector() -> None:
    """What was made at the start stays; what a chunk makes dies with it. Measured: a quarter more
    commands a second through a participant."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
