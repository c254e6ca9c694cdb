"""The platform as infra/local/stack.py describes it: what the other descriptions are held to."""

from pathlib import Path

from infra.local.places import Ports
from infra.local.stack import SERVICES, Service, Stack

OPTIONAL = {"OTLP_ENDPOINT"}  # read by every service, set where there is a collector


def a_stack(folder: Path, **external: str) -> Stack:
    """A stack that nobody starts."""
    return Stack(folder, Ports(7400), external)


def variables(stack: Stack, service: Service) -> set[str]:
    """The names of all that a service may read from its environment."""
    return set(stack.service_environment(service)) | OPTIONAL


def by_name(name: str) -> Service:
    """A service of the description."""
    return next(service for service in SERVICES if service.name == name)
