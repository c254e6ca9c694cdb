"""Every service can be put together, and all of them cover all contracts."""

import importlib

import pytest

from chassis.assembly import SHARED_OWNERS, all_provides, given_placeholders
from chassis.messaging.handlers import Handlers
from chassis.service import Service
from contracts.base import Command, Query
from contracts.catalogue import CONTRACTS, EVENT_TOPICS
from tests.conformance.tidy import ROOT

NAMES = sorted(path.parent.name for path in ROOT.glob("services/*/main.py"))


def a_service(name: str) -> Service:
    service: Service = importlib.import_module(f"services.{name}.main").service
    return service


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_provider(name: str) -> None:
    a_service(name).check()


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_called_as_its_folder(name: str) -> None:
    assert a_service(name).name == name


def test_every_command_and_query_is_handled_by_its_owner() -> None:
    handled: set[str] = set()
    for name in NAMES:
        service = a_service(name)
        given = given_placeholders(service)
        handlers = Handlers(service.handlers, provides=all_provides(service), given=given)
        handled |= handlers.by_type.keys()
        for view in service.views:
            query = next(iter(view.__annotations__.values()))
            handled.add(query.address.type)

    wanted = {
        wire_type
        for wire_type, contract in CONTRACTS.items()
        if issubclass(contract, Command | Query) and contract.address.owner not in SHARED_OWNERS
    }
    assert wanted - handled == set()


def test_activity_hears_every_fact() -> None:
    assert set(a_service("activity").taps_topics) == set(EVENT_TOPICS)
