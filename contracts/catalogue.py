"""Catalogue: every contract there is. Importing it imports them all."""

import pkgutil
from importlib import import_module

import contracts
from contracts.base import REGISTRY, Command, Event, Message

for _module in pkgutil.walk_packages(contracts.__path__, "contracts."):
    if _module.name != __name__:
        import_module(_module.name)

CONTRACTS: dict[str, type[Message]] = {
    wire_type: contract
    for wire_type, contract in sorted(REGISTRY.items())
    if contract.__module__.startswith("contracts.")
}
"""By wire type."""

EVENT_TOPICS: tuple[str, ...] = tuple(
    sorted({c.address.topic for c in CONTRACTS.values() if issubclass(c, Event)})
)
"""The topics of all public facts."""

COMMAND_TOPICS: tuple[str, ...] = tuple(
    sorted(
        {
            f"cmd.{c.address.owner}.v1"
            for c in CONTRACTS.values()
            if issubclass(c, Command) and c.address.owner not in ("operation", "deadletter")
        }
    )
)
"""The topics that services take commands from. The contracts of `operation` and `deadletter` are
answered at the HTTP door of every service that does long work, or consumes."""
