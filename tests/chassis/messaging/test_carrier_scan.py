"""What a carrier reads from its table, and when."""

import asyncio

import pytest

from chassis.errors import Conflict, Unavailable
from chassis.messaging.metrics import (
    OUTBOX_QUEUE,
    OUTBOX_SENT,
    OUTBOX_UNROUTABLE,
)
from tests.chassis.messaging.carrier_bed import LIMITS, SHARD, Bed, a_row, ids


class TestMissingTopic:
    async def test_its_rows_wait_aside_and_then_come_from_the_table_in_order(
        self, bed: Bed
    ) -> None:
        await bed.run()
        bed.kafka.confirms = False
        missing, other, later = a_row("missing"), a_row(), a_row("missing")
        bed.table.rows = [missing, other, later]
        before = OUTBOX_UNROUTABLE._value.get()
        bed.carrier.enqueue([missing], "memory")
        await bed.clock.settle()
        bed.kafka.lives[0].watcher.unroutable([missing])

        bed.carrier.enqueue([later, other], "memory")
        await bed.clock.settle()
        assert bed.kafka.sent == [missing, other]
        assert OUTBOX_UNROUTABLE._value.get() == before + 2
        async with asyncio.timeout(5):
            await bed.kafka.until(4)

        assert bed.kafka.sent[2:] == [missing, later]


class TestScan:
    async def test_a_table_longer_than_a_scan_is_read_in_several(self, bed: Bed) -> None:
        bed.table.rows = [a_row() for _ in range(5)]
        rows = list(bed.table.rows)

        await bed.run(clear=False)
        await bed.clock.pass_time(LIMITS.sweep_s)

        assert bed.kafka.sent == rows
        assert bed.table.scans == 2

    async def test_a_scan_that_fills_its_bound_is_not_the_last(self, bed: Bed) -> None:
        bed.table.rows = [a_row() for _ in range(4)]

        await bed.run(clear=False)
        await bed.clock.pass_time(LIMITS.sweep_s)

        assert bed.table.scans == 2

    async def test_other_shards_are_not_read(self, bed: Bed) -> None:
        bed.table.rows = [a_row(shard=SHARD + 1)]

        await bed.run()

        assert bed.kafka.sent == []

    @pytest.mark.parametrize("error", [Unavailable("postgres"), Conflict("again")])
    async def test_a_scan_that_fails_is_done_again_after_a_while(
        self, bed: Bed, error: Exception
    ) -> None:
        bed.table.errors = [error]
        row = a_row()
        bed.table.rows = [row]
        await bed.run(clear=False)
        assert bed.kafka.sent == []

        await bed.clock.pass_time(LIMITS.retry_s)

        assert bed.kafka.sent == [row]

    @pytest.mark.parametrize(("queued", "scans"), [(3, 1), (4, 0)])
    async def test_a_queue_that_is_half_full_is_not_scanned_into(
        self, bed: Bed, queued: int, scans: int
    ) -> None:
        bed.carrier.down = ""
        bed.carrier.enqueue([a_row() for _ in range(queued)], "memory")
        task = asyncio.create_task(bed.carrier._scan_loop())
        bed.tasks.append(task)

        bed.carrier.rouse()
        await bed.clock.settle()

        assert bed.table.scans == scans

    async def test_it_reads_no_more_than_it_may_and_counts_it(self, bed: Bed) -> None:
        before = OUTBOX_SENT.labels("scan")._value.get()
        bed.table.rows = [a_row()]

        await bed.run()

        assert bed.table.most == [LIMITS.scan_rows]
        assert OUTBOX_SENT.labels("scan")._value.get() == before + 1

    async def test_without_kafka_nothing_is_scanned(self, bed: Bed) -> None:
        bed.tasks.append(asyncio.create_task(bed.carrier._scan_loop()))

        bed.carrier.rouse()
        await bed.clock.settle()

        assert bed.table.scans == 0

    async def test_a_shard_in_doubt_is_looked_at_without_haste(self, bed: Bed) -> None:
        await bed.run()
        scans = bed.table.scans
        bed.book.doubt([SHARD])
        bed.carrier.rouse()

        await bed.clock.settle()
        assert bed.table.scans == scans + 1
        await bed.clock.pass_time(LIMITS.rescan_s)

        assert bed.table.scans == scans + 2

    async def test_nobody_is_roused_when_nothing_is_dirty(self, bed: Bed) -> None:
        await bed.run()
        scans = bed.table.scans

        bed.carrier.rouse()
        await bed.clock.pass_time(1)

        assert bed.table.scans == scans


async def test_the_queue_is_counted_without_what_is_confirmed(bed: Bed) -> None:
    await bed.run()
    bed.carrier.enqueue([a_row()], "memory")
    await bed.clock.settle()
    bed.kafka.confirms = False

    bed.carrier.enqueue([a_row(), a_row()], "memory")
    await bed.clock.settle()

    assert OUTBOX_QUEUE._value.get() == 2


async def test_the_queue_is_counted_again_once_kafka_has_confirmed(bed: Bed) -> None:
    """Also when nothing more is sent."""
    await bed.run()
    bed.kafka.confirms = False
    rows = [a_row(), a_row(), a_row()]
    bed.carrier.enqueue(rows, "memory")
    await bed.clock.settle()

    bed.kafka.lives[-1].watcher.confirmed(ids(rows[:2]))
    await bed.clock.pass_time(LIMITS.sweep_s)

    assert OUTBOX_QUEUE._value.get() == 1
