"""What a carrier knows in memory, and what becomes of it when its producer breaks."""

import asyncio

import pytest

from chassis.clock import new_id
from chassis.errors import Conflict, Unavailable
from chassis.messaging.metrics import (
    OUTBOX_RESETS,
    OUTBOX_SENT,
)
from tests.chassis.messaging.carrier_bed import LIMITS, SHARD, Bed, a_row, ids


class TestMemory:
    async def test_rows_leave_in_order_once_each_and_are_deleted_by_and_by(self, bed: Bed) -> None:
        await bed.run()
        rows = [a_row() for _ in range(3)]
        bed.table.rows = list(rows)
        memory, kafka = (OUTBOX_SENT.labels(way)._value.get() for way in ("memory", "kafka"))

        bed.carrier.enqueue(rows[:2], "memory")
        bed.carrier.enqueue(rows, "memory")
        await bed.clock.settle()

        assert bed.kafka.sent == rows
        assert all(bed.carrier.has(row.id) and bed.carrier.is_acked(row.id) for row in rows)
        await bed.clock.pass_time(LIMITS.sweep_s * 2)
        assert bed.table.deleted == [ids(rows[:2]), ids(rows[2:])]
        assert not any(bed.carrier.has(row.id) or bed.carrier.is_acked(row.id) for row in rows)
        assert OUTBOX_SENT.labels("memory")._value.get() == memory + 3
        assert OUTBOX_SENT.labels("kafka")._value.get() == kafka + 3

    async def test_what_does_not_fit_is_left_to_the_table(self, bed: Bed) -> None:
        bed.book.begin_scan([SHARD])
        bed.book.end_scan([SHARD], complete=True)
        bed.carrier.enqueue([a_row() for _ in range(6)], "memory")
        assert bed.book.dirty == set()
        more = a_row()

        bed.carrier.enqueue([more], "memory")

        assert not bed.carrier.has(more.id)
        assert bed.book.dirty == {SHARD}

    async def test_known_rows_take_no_room(self, bed: Bed) -> None:
        bed.book.begin_scan([SHARD])
        rows = [a_row() for _ in range(6)]
        bed.carrier.enqueue(rows, "memory")

        bed.carrier.enqueue(rows, "memory")

        assert bed.book.dirty == set()

    async def test_confirmed_rows_are_handed_out_given_back_and_forgotten(self, bed: Bed) -> None:
        rows = [a_row() for _ in range(3)]
        bed.carrier.enqueue(rows, "memory")
        bed.carrier.confirm(ids(rows))

        first = bed.carrier.take_acked()
        rest = bed.carrier.take_acked()

        assert (first, rest) == (ids(rows[:2]), ids(rows[2:]))
        assert bed.carrier.take_acked() == []
        bed.carrier.give_back(first)
        assert bed.carrier.is_acked(first[0])
        bed.carrier.forget([*rest, new_id()])
        assert [bed.carrier.has(row.id) for row in rows] == [True, True, False]

    async def test_a_delete_that_fails_is_done_later(self, bed: Bed) -> None:
        row = a_row()
        bed.carrier.enqueue([row], "memory")
        bed.carrier.confirm([row.id])
        bed.table.errors = [Unavailable("postgres")]

        with pytest.raises(Unavailable):
            await bed.carrier.delete_acked()
        assert bed.carrier.is_acked(row.id)
        await bed.carrier.delete_acked()
        await bed.carrier.delete_acked()

        assert bed.table.deleted == [[row.id]]

    @pytest.mark.parametrize("error", [Unavailable("postgres"), Conflict("again")])
    async def test_the_sweep_outlives_its_errors(self, bed: Bed, error: Exception) -> None:
        await bed.run()
        row = a_row()
        bed.carrier.enqueue([row], "memory")
        await bed.clock.settle()
        bed.table.errors = [error]

        await bed.clock.pass_time(LIMITS.sweep_s * 2)

        assert bed.table.deleted == [[row.id]]


class TestConnection:
    async def test_it_says_that_it_is_not_connected_yet(self, bed: Bed) -> None:
        assert bed.carrier.down == "kafka: not connected yet"

        with pytest.raises(Unavailable, match=r"^kafka: not connected$"):
            await bed.carrier.send("t", b"k", b"v", [])

    async def test_a_single_record_goes_past_the_queue(self, bed: Bed) -> None:
        await bed.run()

        await bed.carrier.send("t", b"k", b"v", [("h", b"1")])

        assert bed.kafka.lives[0].records == [("t", b"k", b"v", [("h", b"1")])]
        assert bed.kafka.lives[0].started == [LIMITS.connect_s]

    async def test_a_broker_that_is_away_is_asked_again(self, bed: Bed) -> None:
        bed.kafka.refusals = [Unavailable("kafka: away"), Unavailable("kafka: still away")]
        await bed.run(clear=False)
        assert bed.carrier.down == "kafka: away"
        assert bed.table.scans == 0

        await bed.clock.pass_time(LIMITS.retry_s)
        assert bed.carrier.down == "kafka: still away"
        await bed.clock.pass_time(LIMITS.retry_s)

        assert bed.carrier.down == ""
        assert len(bed.kafka.lives) == 3

    async def test_a_broken_producer_is_replaced_and_its_rows_come_from_the_table(
        self, bed: Bed
    ) -> None:
        await bed.run()
        rows = [a_row(), a_row()]
        bed.table.rows = list(rows)
        bed.kafka.error = ConnectionError("gone")
        resets = OUTBOX_RESETS._value.get()

        bed.carrier.enqueue(rows, "memory")
        await bed.clock.pass_time(1)

        assert len(bed.kafka.lives) == 2
        assert bed.kafka.lives[0].stopped == [LIMITS.retry_s]
        assert bed.kafka.lives[1].rows == rows
        assert bed.kafka.lives[1].rows[0].headers == {"a": "b"}
        assert OUTBOX_RESETS._value.get() == resets + 1
        assert bed.carrier.down == ""

    async def test_while_it_is_replaced_it_says_why(self, bed: Bed) -> None:
        await bed.run()
        bed.kafka.refusals = []
        bed.kafka.error = ConnectionError("gone")
        seen: list[str] = []

        async def stop(timeout: float) -> None:
            seen.append(bed.carrier.down)

        bed.kafka.lives[0].stop = stop  # type: ignore[method-assign]
        bed.carrier.enqueue([a_row()], "memory")
        await bed.clock.settle()

        assert seen == ["kafka: ConnectionError"]

    async def test_the_first_failure_of_a_life_is_its_last(self, bed: Bed) -> None:
        await bed.run()
        watcher = bed.kafka.lives[0].watcher

        watcher.broken(ConnectionError("first"))
        watcher.broken(ValueError("second"))
        await bed.clock.settle()
        watcher.broken(ValueError("of an old life"))
        await bed.clock.settle()

        assert len(bed.kafka.lives) == 2

    async def test_what_is_confirmed_stays_known_when_the_producer_breaks(self, bed: Bed) -> None:
        await bed.run()
        done, lost = a_row(), a_row()
        bed.carrier.enqueue([done], "memory")
        await bed.clock.settle()
        bed.kafka.confirms = False
        bed.carrier.enqueue([lost], "memory")
        await bed.clock.settle()
        bed.table.rows = [done, lost]
        bed.kafka.confirms = True

        bed.kafka.lives[0].watcher.broken(ConnectionError("gone"))
        await bed.clock.settle()

        assert bed.kafka.lives[1].rows == [lost]

    async def test_leaving_stops_the_producer_within_its_time(self, bed: Bed) -> None:
        await bed.carrier.disconnect(1.5)
        await bed.run()

        await bed.carrier.disconnect(1.5)
        await bed.carrier.disconnect(2.5)

        assert bed.kafka.lives[0].stopped == [1.5]


class TestDrain:
    async def test_it_waits_for_what_kafka_has_not_confirmed(self, bed: Bed) -> None:
        await bed.run()
        bed.kafka.confirms = False
        row = a_row()
        bed.carrier.enqueue([row], "memory")
        draining = asyncio.create_task(bed.carrier.drain(5.0))
        await bed.clock.pass_time(1)
        assert not draining.done()

        bed.carrier.confirm([row.id])
        await bed.clock.pass_time(0.01)

        assert draining.done()

    async def test_it_gives_up_in_time_and_waits_for_no_dead_broker(self, bed: Bed) -> None:
        bed.carrier.enqueue([a_row()], "memory")
        await asyncio.wait_for(bed.carrier.drain(5.0), 1)
        await bed.run()
        bed.kafka.confirms = False
        bed.carrier.enqueue([a_row()], "memory")

        await asyncio.wait_for(bed.carrier.drain(0.02), 1)

        assert bed.kafka.sent
