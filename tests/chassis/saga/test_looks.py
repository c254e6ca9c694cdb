"""What looks at all sagas reads no more when more of them wait or have ended."""

from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest

from chassis.saga.auditor import INVARIANTS
from chassis.saga.store import _CLAIM
from tests.bench.scale import Filled
from tests.chassis.saga.stand import Stand, a_stand

FEW, MANY = 500, 20_000
PIECE = 100
OVERDUE = "SELECT min(next_wake_at) FROM saga_instance WHERE next_wake_at < now()"
COUNT = (
    "SELECT type, status, count(*) FROM saga_instance WHERE next_wake_at IS NOT NULL"
    " GROUP BY type, status"
)


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


async def blocks(stand: Stand, sql: str, *args: object) -> int:
    """How many blocks it reads, of tables and indexes, cached or not."""
    (row,) = await stand.database.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *args)
    plan = row[0] if isinstance(row[0], list) else orjson.loads(row[0])
    top = plan[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


async def looks(stand: Stand) -> dict[str, int]:
    """The blocks of each look at a database of so many sagas."""
    found = {
        "what is due": await blocks(stand, _CLAIM, 6, 100, timedelta(), ["publish_app 1"]),
        "what is overdue": await blocks(stand, OVERDUE),
    }
    for invariant in INVARIANTS:
        piece = () if invariant.start is None else (invariant.start, PIECE)
        found[invariant.name] = await blocks(stand, invariant.sql, 100, *piece)
    return found


async def test_looks_read_no_more_beside_many_sagas(stand: Stand, fresh_database: str) -> None:
    await Filled(FEW)(fresh_database)
    few = await looks(stand)
    await stand.database.execute("TRUNCATE saga_instance, entity_lock, inbox")

    await Filled(MANY)(fresh_database)
    many = await looks(stand)

    depth = 4 * PIECE  # a lookup goes through a level more of the index
    limits = {name: 2 * read + depth for name, read in few.items()}
    assert {name: read for name, read in many.items() if read > limits[name]} == {}


async def test_counting_reads_entries_and_no_rows(stand: Stand, fresh_database: str) -> None:
    await Filled(MANY)(fresh_database)

    read = await blocks(stand, COUNT)

    assert read < MANY / 20  # hundreds of entries lie in a block of the index, ten rows in one
    rows = await stand.database.fetch(COUNT)
    assert [tuple(row) for row in rows] == [("trade_thing", "RUNNING", MANY)]
