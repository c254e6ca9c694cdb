"""The chassis's own tests of what it keeps in PostgreSQL, run again on the simulated one.

The classes are those that run on a real server; only the fixtures are of this folder.
"""

from tests.chassis.messaging.test_chunk import TestChunk, TestFates, TestTombstone
from tests.chassis.messaging.test_execute import (
    TestExecute,
)
from tests.chassis.messaging.test_later import (
    chunk,
    test_a_duplicate_waits_too_and_is_answered_the_same_afterwards,
    test_all_who_wait_for_the_same_are_answered_and_a_second_outcome_answers_nobody,
    test_an_outcome_that_is_refused_answers_nobody,
    test_the_answer_follows_in_the_commands_own_name,
)
from tests.chassis.parking.conftest import desk, yard
from tests.chassis.parking.test_desk import TestList, TestRedrive
from tests.chassis.parking.test_discard import TestDiscard
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
    "TestDiscard",
    "TestExecute",
    "TestFates",
    "TestList",
    "TestLocks",
    "TestOutage",
    "TestParking",
    "TestReading",
    "TestRecentEngine",
    "TestRedrive",
    "TestRows",
    "TestStart",
    "TestStatement",
    "TestTombstone",
    "TestUndecodable",
    "TestUndo",
    "TestWake",
    "chunk",
    "desk",
    "test_a_duplicate_waits_too_and_is_answered_the_same_afterwards",
    "test_all_who_wait_for_the_same_are_answered_and_a_second_outcome_answers_nobody",
    "test_an_outcome_that_is_refused_answers_nobody",
    "test_reading_through_asks_for_a_flush_after_an_earlier_save",
    "test_the_answer_follows_in_the_commands_own_name",
    "yard",
]
