"""Billing on a real Postgres; and with its workers beside, asking a real payment provider."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.resources import Resources
from chassis.stores.postgres import Database
from services.billing.handlers import HANDLERS
from services.billing.main import service
from services.billing.settings import Settings
from tests.services.billing.desk import Desk, a_desk
from tests.services.participant import Participant, a_participant, fresh_database

KEY = "a test's key of contexts"


@pytest.fixture
async def billing(postgres_url: str) -> AsyncIterator[Participant]:
    database = await Database.open(await fresh_database(postgres_url, "billing"), pool_max=4)
    resources = Resources(Settings(context_key=KEY), service="billing")
    resources.opened["postgres"] = database
    yield a_participant("billing", HANDLERS, service.provides, resources)
    await database.close()


@pytest.fixture
async def desk(billing: Participant, payments_url: str) -> AsyncIterator[Desk]:
    """Billing and its workers, in this process; the provider is a process of its own."""
    desk = a_desk(billing, payments_url)
    worker = asyncio.create_task(desk.work())
    yield desk
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await desk.close()
