"""Service: a name, settings, handlers and views; the chassis makes a running process of it.

    service = Service(
        name="billing",
        settings=Settings,
        handlers=handlers.HANDLERS,
        views=views.VIEWS,
        provides={Accounts: store.SqlAccounts},
        stores=("postgres",),
    )

    if __name__ == "__main__":
        service.run()

The type of a handler's first parameter is its address: from it follow the Kafka door (commands on
`cmd.<name>.v1`, events on their topics) and the HTTP door (`POST /commands/{Contract}`).
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.settings import ServiceSettings, SettingsInvalid, read_settings

if TYPE_CHECKING:
    from chassis.running import Running
    from chassis.wiring import Extension

EXIT_CANNOT_START = 78  # EX_CONFIG: trying again changes nothing


class CannotStart(Exception):
    """The service is not put together rightly: the text names what is missing, and where."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service is made of.

    `provides` maps a parameter's type to the class that fulfils it: a ChunkStore lives for a
    chunk, anything else is made once as `Thing(resources)` or by `await Thing.create(resources)`.
    `routers` are extra routes: an APIRouter, or a function of the resources that makes one.
    `workers` do long work by its kind; `taps_topics` are what a handler of Fact hears; `clients`
    name the services that this one calls; `extend` adds whatever else to the wiring.
    """

    name: str
    settings: type[ServiceSettings]
    handlers: Sequence[Callable[..., Awaitable[Any]]] = ()
    views: Sequence[Callable[..., Awaitable[Any]]] = ()
    provides: Mapping[Any, type] = field(default_factory=dict)  # keys may be Protocols
    stores: Sequence[str] = ()
    routers: Sequence[Any] = ()  # APIRouter, or a function that makes one
    workers: Mapping[str, Callable[..., Awaitable[Any]]] = field(default_factory=dict)
    taps_topics: Sequence[str] = ()
    clients: Sequence[str] = ()
    extend: Sequence["Extension"] = ()

    @property
    def folder(self) -> Path:
        """Where the service's code lies, and its migrations."""
        file = sys.modules[self.settings.__module__].__file__
        return Path(file or ".").parent

    def check(self) -> None:
        """Whether every parameter has a provider; needs no server. Raises CannotStart."""
        from chassis.assembly import check

        check(self)

    async def start(self, settings: ServiceSettings, **parts: Any) -> "Running":
        """Start inside a running event loop (`run` does it for a process). `parts` for tests:
        `clock`. Stop it by `await running.stop()`."""
        from chassis.running import Running

        self.check()
        running = Running(self, settings, **parts)
        await running.start()
        return running

    def run(self) -> None:
        """Be the process: until SIGTERM or SIGINT, then drain and exit 0. A service that cannot
        start says why in one line and exits 78."""
        try:
            settings = read_settings(self.settings)
            self.check()
        except (SettingsInvalid, CannotStart) as error:
            print(f"basalt {self.name}: cannot start: {error}", file=sys.stderr)
            sys.exit(EXIT_CANNOT_START)
        from chassis.running import run_process

        sys.exit(run_process(self, settings))
