"""What the checker knows of the platform is what the platform declares."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope
from chassis.provision import all_services, has_database
from chassis.saga.ids import command_id as engines_id
from chassis.saga.state import TERMINAL
from chassis.stores.aggregates import AggregateStore
from contracts.base import Command, Event
from contracts.catalogue import CONTRACTS, EVENT_TOPICS
from sagas import SAGAS
from tools.basalt.check.ids import command_id
from tools.basalt.check.layout import (
    AGGREGATES,
    APP_TOPICS,
    ENDED,
    GROUPS,
    LOCKS,
    ONCE,
    SERVICES,
    WORKSPACE_TOPICS,
    is_fact_topic,
)


def handled(service: str) -> Iterator[Any]:  # contracts, and Envelope for taps
    """The first parameter of each handler."""
    for handler in import_module(f"services.{service}.main").service.handlers:
        yield next(iter(get_type_hints(handler).values()))


def announcing() -> Iterator[tuple[str, str, str]]:
    """(service, table, topic) of every store that numbers events."""
    for service in SERVICES:
        provides = import_module(f"services.{service}.main").service.provides
        for store in provides.values():
            if isinstance(store, type) and issubclass(store, AggregateStore) and store.announces:
                yield service, store.table, f"{service}.{store.announces}.v1"


def test_every_service_with_a_database_is_looked_at() -> None:
    assert set(SERVICES) == {name for name in all_services() if has_database(name)}


def test_every_aggregate_that_announces_is_known() -> None:
    known = {(each.service, each.table, each.topic) for each in AGGREGATES}

    assert known == set(announcing())


def test_every_fact_topic_is_known_as_one() -> None:
    assert all(is_fact_topic(topic) for topic in EVENT_TOPICS)


@pytest.mark.parametrize("service", SERVICES)
def test_a_group_handles_what_its_service_handles(service: str) -> None:
    (group,) = [each for each in GROUPS if each.name == service]
    messages = list(handled(service))

    events = {m.address.type for m in messages if issubclass(m, Event)}
    assert set(group.events) == events
    assert group.all_facts == any(issubclass(m, Envelope) for m in messages)
    takes_commands = any(issubclass(m, Command) for m in messages)
    assert group.commands == (service if takes_commands else "")


def test_what_happens_once_is_an_event_with_these_fields() -> None:
    for wire_type, fields in ONCE.items():
        assert set(fields) <= set(CONTRACTS[wire_type].model_fields), wire_type


def test_keys_of_topics_are_what_they_are_taken_for() -> None:
    keys = {
        contract.address.topic: contract.address.key
        for contract in CONTRACTS.values()
        if issubclass(contract, Event)
    }

    assert {topic for topic, key in keys.items() if key == "app_id"} == set(APP_TOPICS)
    workspaces = {topic for topic, key in keys.items() if key == "workspace_id"}
    assert workspaces == set(WORKSPACE_TOPICS)


def test_locks_and_ends_of_sagas_are_the_engines() -> None:
    assert {saga.name: saga.lock_fields for saga in SAGAS if saga.lock} == LOCKS
    assert set(ENDED) == {status.value for status in TERMINAL}


def test_ids_of_commands_are_the_engines() -> None:
    for saga in (new_id(), UUID(int=0), UUID(int=2**128 - 1)):
        for place in ((0, 0, 0), (3, 1, 2), (11, 0, 7)):
            assert command_id(saga, *place) == engines_id(saga, *place)
