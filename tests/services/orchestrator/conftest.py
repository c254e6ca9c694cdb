"""What the orchestrator's tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.services.orchestrator.caller import Caller, a_caller


@pytest.fixture
async def caller(fresh_database: str, kafka_bootstrap: str) -> AsyncIterator[Caller]:
    async with a_caller(fresh_database, kafka_bootstrap) as caller:
        yield caller
