"""A producer that breaks again is noticed again by the scan that is under way."""

import asyncio
from typing import Any

from chassis.messaging.carrier import Carrier
from chassis.messaging.limits import RelayLimits
from chassis.messaging.order import ShardBook
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.test_carrier import SHARD, SlowTable, a_row


async def test_a_second_drop_voids_a_scan_as_the_first_did() -> None:
    book, table = ShardBook(), SlowTable(a_row())
    book.hold({SHARD: 1})
    unused: Any = None
    carrier = Carrier(table, VirtualClock(), unused, RelayLimits(), book)  # type: ignore[arg-type]  # a fake
    carrier._drop_unconfirmed()

    scan = asyncio.create_task(carrier._scan())
    await asyncio.wait_for(table.asked.wait(), 5)
    carrier._drop_unconfirmed()
    table.answer.set()

    assert await scan == 0
    assert book.dirty == {SHARD}
