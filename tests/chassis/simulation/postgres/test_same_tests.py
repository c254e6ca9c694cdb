"""The chassis's own tests of what it keeps in PostgreSQL, run again on the simulated one.

The classes are those that run on a real server; only the fixtures are of this folder.
"""

from tests.chassis.messaging.test_chunk import TestChunk, TestFates, TestTombstone
from tests.chassis.messaging.test_execute import (
    TestExecute,
    test_an_old_inbox_row_is_forgotten_and_a_new_one_is_not,
)
from tests.chassis.parking.test_parking import TestBound, TestOutage, TestParking, TestUndecodable
from tests.chassis.saga.test_engine import TestAnswer, TestLocks, TestStart, TestWake
from tests.chassis.saga.test_recent import TestEngine as TestRecentEngine
from tests.chassis.saga.test_timers import TestTimers as _TestTimers
from tests.chassis.stores.test_aggregates import (
    TestConflicts,
    TestRows,
    TestUndo,
    test_reading_through_asks_for_a_flush_after_an_earlier_save,
)
from tests.chassis.stores.test_postgres import TestReading, TestStatement


class TestTimers(_TestTimers):
    test_wait_for_their_tables = None  # type: ignore[assignment]  # of an empty real database


__all__ = [
    "TestAnswer",
    "TestBound",
    "TestChunk",
    "TestConflicts",
    "TestExecute",
    "TestFates",
    "TestLocks",
    "TestOutage",
    "TestParking",
    "TestReading",
    "TestRecentEngine",
    "TestRows",
    "TestStart",
    "TestStatement",
    "TestTombstone",
    "TestUndecodable",
    "TestUndo",
    "TestWake",
    "test_an_old_inbox_row_is_forgotten_and_a_new_one_is_not",
    "test_reading_through_asks_for_a_flush_after_an_earlier_save",
]
