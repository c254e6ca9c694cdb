"""Opening a service's stores, clients and singletons; importing only the drivers that it names."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.clock import Clock
from chassis.doors.app import Check
from chassis.resources import Resources
from chassis.settings import ServiceSettings, SettingsInvalid
from chassis.stores.chunks import ChunkStore
from chassis.wiring import Wiring

if TYPE_CHECKING:
    from chassis.stores.postgres import Database

STORES = ("postgres", "mongo", "redis", "blobs")
Given = dict[type, object]


def given_types(stores: Iterable[str]) -> dict[str, type]:
    """The type by which a handler asks for each store."""
    types: dict[str, type] = {}
    for store in stores:
        if store == "postgres":
            from chassis.stores.postgres import Database

            types[store] = Database
        elif store == "mongo":
            from chassis.stores.mongo import Documents

            types[store] = Documents
        elif store == "redis":
            from redis.asyncio import Redis

            types[store] = Redis
        elif store == "blobs":
            from chassis.stores.blobs import Blobs

            types[store] = Blobs
        else:
            raise TypeError(f"{store!r} is no store: choose from {', '.join(STORES)}")
    return types


async def open_stores(wiring: Wiring, stores: Iterable[str]) -> None:
    """Open what the service names. Nothing connects yet: a server that is down is not ready,
    which is no reason to die. Raises SettingsInvalid when a URL is missing."""
    openers: Mapping[str, Callable[[Wiring], Any]] = {
        "postgres": _open_postgres,
        "mongo": _open_mongo,
        "redis": _open_redis,
        "blobs": _open_blobs,
    }
    for store in stores:
        wiring.resources.opened[store] = await openers[store](wiring)


async def make_singletons(
    provides: Mapping[type, type], resources: Resources
) -> dict[type, object]:
    """What `provides` names and is no ChunkStore: made once, by its `create` if it has one."""
    made: dict[type, object] = {}
    built: dict[type, object] = {}
    for wanted, provided in provides.items():
        if isinstance(provided, type) and issubclass(provided, ChunkStore):
            continue
        if provided not in built:
            make: Any = getattr(provided, "create", provided)
            thing = make(resources)
            built[provided] = await thing if inspect.isawaitable(thing) else thing
        made[wanted] = built[provided]
    return made


def common_given(settings: ServiceSettings, clock: Clock, resources: Resources) -> Given:
    """Clock, resources, and the settings under each of their classes."""
    classes = [c for c in type(settings).__mro__ if issubclass(c, ServiceSettings)]
    return {Clock: clock, Resources: resources, **dict.fromkeys(classes, settings)}


def needed(value: str, variable: str, service: str) -> str:
    """The value of a setting that this service can't do without."""
    if not value:
        raise SettingsInvalid(f"{variable} is not set, and {service} needs it")
    return value


async def _open_postgres(wiring: Wiring) -> "Database":
    from chassis.stores.postgres import Database

    settings: ServiceSettings = wiring.settings
    url = needed(settings.postgres_url.get_secret_value(), "POSTGRES_URL", wiring.service)
    database = await Database.open(
        url,
        pool_max=settings.postgres_connections_max,
        timeout=settings.postgres_timeout_ms / 1000,
        application=f"basalt-{wiring.service}",
    )
    wiring.close(database.close)
    return database


async def _open_mongo(wiring: Wiring) -> object:
    from chassis.stores.mongo import Documents

    settings: ServiceSettings = wiring.settings
    url = needed(settings.mongo_url.get_secret_value(), "MONGO_URL", wiring.service)
    documents = Documents.open(
        url,
        settings.mongo_database or wiring.service,
        timeout=settings.mongo_timeout_ms / 1000,
    )

    async def close() -> None:
        documents.close()

    wiring.close(close)
    wiring.check("mongo", documents.ping)
    return documents


async def _open_redis(wiring: Wiring) -> object:
    from chassis.stores.redis import open_redis

    settings: ServiceSettings = wiring.settings
    url = needed(settings.redis_url.get_secret_value(), "REDIS_URL", wiring.service)
    redis = open_redis(
        url,
        timeout=settings.redis_timeout_ms / 1000,
        connections_max=settings.redis_connections_max,
    )
    wiring.close(redis.aclose)
    return redis  # no check: Redis holds only what can be rebuilt, the service serves without it


async def _open_blobs(wiring: Wiring) -> object:
    from chassis.stores.blobs import FolderBlobs

    folder = Path(needed(wiring.settings.blob_dir, "BLOB_DIR", wiring.service))
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    return FolderBlobs(folder)


def schema_check(database: "Database", folder: Path) -> Check:
    """Not ready while PostgreSQL is away or lacks a migration."""
    from chassis.stores.migrate import migrations_of, not_ready

    wanted = migrations_of(folder)
    current = False

    async def check() -> None:
        nonlocal current
        if current:  # migrations do not go back: from now on only whether it answers
            await database.fetchval("SELECT 1")
            return
        reason = await not_ready(database, wanted)
        if reason:
            raise RuntimeError(reason)
        current = True

    return check
