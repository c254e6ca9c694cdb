"""Resources: what a service's stores, views and routers are built from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from chassis.clock import Clock, SystemClock, new_id

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from chassis.stores.blobs import Blobs
    from chassis.stores.mongo import Documents
    from chassis.stores.postgres import Database


@dataclass(slots=True)
class Resources:
    """Opened by `Service` for the stores that it names; asking for another one is a bug."""

    settings: Any  # the service's own Settings class
    clock: Clock = field(default_factory=SystemClock)
    clients: Mapping[str, Any] = field(default_factory=dict)  # name -> ServiceClient
    opened: dict[str, Any] = field(default_factory=dict)  # by store name
    service: str = ""  # whose they are
    mint: Callable[[], UUID] = new_id  # a fresh id for what begins here: see Relay.mint

    def _get(self, name: str) -> Any:  # the properties below give it its type
        if name not in self.opened:
            raise RuntimeError(f"the service does not name {name!r} in `stores`")
        return self.opened[name]

    @property
    def database(self) -> "Database":
        return cast("Database", self._get("postgres"))

    @property
    def mongo(self) -> "Documents":
        return cast("Documents", self._get("mongo"))

    @property
    def redis(self) -> "Redis":
        return cast("Redis", self._get("redis"))

    @property
    def blobs(self) -> "Blobs":
        return cast("Blobs", self._get("blobs"))
