"""Studio on a real Postgres and a real MongoDB."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.clock import new_id
from chassis.stores.mongo import Documents
from chassis.stores.postgres import Database
from tests.services.participant import fresh_database
from tests.services.studio.desk import Desk, a_desk


@pytest.fixture
async def desk(postgres_url: str, mongo_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    database = await Database.open(await fresh_database(postgres_url, "studio"), pool_max=4)
    documents = Documents.open(mongo_url, f"studio_{new_id().hex}")
    yield await a_desk(database, documents, tmp_path)
    documents.close()
    await database.close()
