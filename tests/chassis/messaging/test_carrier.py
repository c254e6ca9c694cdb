"""Carrier: a scan of the table and a producer that is replaced get in each other's way."""

import asyncio
from typing import Any

from chassis.clock import SystemClock, new_id
from chassis.messaging.carrier import Carrier
from chassis.messaging.limits import RelayLimits
from chassis.messaging.order import ShardBook
from chassis.messaging.outbox import Outgoing

SHARD = 3


class SlowTable:
    """An outbox table that answers when it is told to."""

    def __init__(self, *rows: Outgoing) -> None:
        self._rows = rows
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def fetch(self, sql: str, shards: list[int], known: list[Any], most: int) -> list[Any]:
        self.asked.set()
        await asyncio.wait_for(self.answer.wait(), 5)
        return [_as_row(row) for row in self._rows if row.id not in known]


def a_row() -> Outgoing:
    return Outgoing(new_id(), SHARD, "k", "T.v1", "topic", {}, b"{}")


def _as_row(row: Outgoing) -> dict[str, Any]:
    return {
        "id": row.id,
        "shard": row.shard,
        "aggregateid": row.key,
        "type": row.type,
        "topic": row.topic,
        "headers": "{}",
        "payload": row.payload,
    }


async def test_a_scan_during_which_rows_were_dropped_from_memory_is_done_again() -> None:
    older, newer = a_row(), a_row()
    book, table = ShardBook(), SlowTable(older, newer)
    book.hold({SHARD: 1})
    carrier = Carrier(table, SystemClock(), lambda watcher: watcher, RelayLimits(), book)  # type: ignore[arg-type,return-value]  # fakes
    carrier.enqueue([older], "memory")

    scan = asyncio.create_task(carrier._scan())
    await asyncio.wait_for(table.asked.wait(), 5)
    carrier._drop_unconfirmed()  # as when the producer broke with `older` in flight
    table.answer.set()
    found = await scan

    assert found == 0
    assert not carrier.has(newer.id), "it would have gone before the older one of its key"
    assert book.dirty == {SHARD}
    assert await carrier._scan() == 2
    assert carrier.has(older.id)
    assert carrier.has(newer.id)
