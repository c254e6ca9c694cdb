"""What most tests of messaging stand on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.messaging.carrier import Carrier
from chassis.messaging.order import ShardBook
from chassis.messaging.relay import Relay
from chassis.stores.postgres import Database
from chassis.testing.clock import VirtualClock
from chassis.testing.messages import DirectCommit, FakeSender
from tests.chassis.messaging import relay_bed
from tests.chassis.messaging.carrier_bed import LIMITS, SHARD, Bed, Kafka, Table
from tests.chassis.messaging.quota import a_database


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    database = await a_database(fresh_database)
    yield database
    await database.close()


@pytest.fixture
def commit(database: Database) -> DirectCommit:
    return DirectCommit(database)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    clock, table, kafka, book = VirtualClock(), Table(), Kafka(), ShardBook()
    book.hold({SHARD: 1})
    carrier = Carrier(table, clock, kafka.connect, LIMITS, book)  # type: ignore[arg-type]  # fakes
    made = Bed(clock, table, kafka, book, carrier)
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


@pytest.fixture
async def field_() -> AsyncIterator[relay_bed.Field]:
    clock, base, kafka = VirtualClock(), relay_bed.Base(leases={0: 7, 1: 8}), Kafka()
    relay = Relay(base, clock, kafka.connect, relay_bed.LIMITS)  # type: ignore[arg-type]  # fakes
    yield relay_bed.Field(clock, base, kafka, relay)
    await relay.stop(0.01)


@pytest.fixture
async def started(field_: relay_bed.Field) -> relay_bed.Field:
    await field_.relay.start()
    await field_.clock.settle()
    return field_
