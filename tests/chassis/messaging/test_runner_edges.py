"""PartitionRunner at its edges: bounds, waits, what it tells of itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.messaging.envelope import Record
from chassis.messaging.limits import RunnerLimits
from chassis.messaging.metrics import LAG, PARTITIONS, PAUSES
from chassis.messaging.runner import PartitionRunner
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.test_runner import A, B, C, FakeConsumer, Handler, Stage

LIMITS = RunnerLimits(
    chunk_records_max=10,
    buffer_records_max=20,
    lanes=2,
    drain_s=0.05,
    commit_timeout_s=0.05,
    poll_s=0.3,
    retry_s=1.0,
    retry_max_s=3.0,
)


@dataclass
class CuriousConsumer(FakeConsumer):
    """Remembers what it was asked, and may never answer a commit."""

    asked: list[tuple[int, int]] = field(default_factory=list)
    commits: list[dict[Any, int]] = field(default_factory=list)
    deaf: bool = False

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Mapping[Any, Sequence[Record]]:
        self.asked.append((timeout_ms, max_records))
        return await super().getmany(timeout_ms=timeout_ms, max_records=max_records)

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        self.commits.append(dict(offsets))
        if self.deaf:
            await asyncio.Event().wait()
        await super().commit(offsets)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock, handler, consumer = VirtualClock(), Handler(), CuriousConsumer()
    runner = PartitionRunner(handler, clock, LIMITS)
    task = asyncio.create_task(runner.run(consumer))
    await clock.settle()
    yield Stage(clock, handler, consumer, runner)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    handler.gate.set()
    await runner.drain()


def curious(stage: Stage) -> CuriousConsumer:
    assert isinstance(stage.consumer, CuriousConsumer)
    return stage.consumer


class TestReading:
    async def test_it_asks_for_no_more_than_fits(self, stage: Stage) -> None:
        assert curious(stage).asked == [(300, 20)]

    async def test_a_partition_is_paused_at_its_bound_and_not_before(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B, C])
        stage.handler.gate.clear()
        for place in (A, B):
            stage.consumer.put(place, *range(10))
        await stage.clock.pass_time(LIMITS.gather_s)
        assert stage.handler.under_way == 2

        stage.consumer.put(A, *range(10, 29))
        stage.consumer.put(B, *range(10, 30))
        await stage.clock.settle()

        assert stage.consumer.paused == {B}

    async def test_it_is_resumed_when_half_of_it_is_gone(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.handler.gate.clear()
        stage.consumer.put(A, *range(20))
        await stage.clock.pass_time(LIMITS.gather_s)
        assert stage.consumer.paused == {A}, "ten are left, which is half"
        stage.consumer.put(A, 20)
        await stage.clock.settle()

        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.consumer.paused == set()
        assert stage.handler.offsets(A) == list(range(21))

    async def test_while_it_drains_nothing_new_is_begun(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        await stage.runner.drain()

        stage.consumer.put(A, 0)
        await stage.clock.pass_time(1)

        assert stage.handler.chunks == []


class TestWaiting:
    async def test_a_bug_is_tried_again_after_growing_pauses(self, stage: Stage) -> None:
        stage.handler.errors = [KeyError("bug") for _ in range(4)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        left = []
        for pause in (0.9, 0.1, 1.9, 0.1, 2.9, 0.1, 2.9):
            await stage.clock.pass_time(pause)
            left.append(len(stage.handler.errors))

        assert left == [3, 2, 2, 1, 1, 0, 0]
        await stage.clock.pass_time(0.2)
        assert stage.handler.chunks == [[(0, 0)]]

    async def test_an_outage_that_wants_long_waits_is_asked_sooner(self, stage: Stage) -> None:
        before = PAUSES._value.get()
        stage.handler.errors = [Unavailable("x", retry_after=100)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)
        await stage.clock.pass_time(2.9)
        assert stage.handler.chunks == []

        await stage.clock.pass_time(0.2)

        assert stage.handler.chunks == [[(0, 0)]]
        assert PAUSES._value.get() == before + 1

    async def test_waiting_knowingly_is_no_stall(self, stage: Stage) -> None:
        stage.handler.errors = [Unavailable("x", retry_after=3) for _ in range(100)]
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0)

        await stage.clock.pass_time(LIMITS.stalled_s + 5)

        assert stage.runner.stalled() == ""
        stage.handler.errors = []
        await stage.clock.pass_time(3)

    async def test_work_that_goes_on_is_no_stall(self, stage: Stage) -> None:
        await stage.runner.assigned([A])
        stage.runner.observe(waiting=5)
        await stage.clock.pass_time(LIMITS.stalled_s - 1)
        stage.consumer.put(A, 0)

        await stage.clock.pass_time(2)

        assert stage.runner.stalled() == ""


class TestDraining:
    async def test_a_chunk_that_does_not_end_is_cut_off(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0)
        await stage.clock.settle()

        await asyncio.wait_for(stage.runner.drain(), 5)
        stage.handler.gate.set()
        await stage.clock.pass_time(1)

        assert stage.handler.chunks == []
        assert stage.consumer.committed == {}

    async def test_a_commit_that_is_not_answered_is_given_up_and_repeated(
        self, stage: Stage
    ) -> None:
        await stage.runner.assigned([A])
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        curious(stage).deaf = True

        await asyncio.wait_for(stage.runner.drain(), 5)
        curious(stage).deaf = False
        await stage.runner.drain()

        assert curious(stage).commits == [{A: 2}, {A: 2}]
        assert stage.consumer.committed == {A: 2}

    async def test_what_is_committed_is_not_committed_again(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.consumer.put(A, 0)
        await stage.clock.pass_time(LIMITS.commit_s * 3)
        stage.consumer.put(B, 4)
        await stage.clock.pass_time(LIMITS.commit_s * 3)

        assert curious(stage).commits == [{A: 1}, {B: 5}]

    async def test_without_a_consumer_there_is_nothing_to_commit(self) -> None:
        runner = PartitionRunner(Handler(), VirtualClock())

        await runner.drain()

        assert runner.stalled() == ""


class TestTelling:
    async def test_it_says_what_it_has(self, stage: Stage) -> None:
        assert not stage.runner.ever_assigned
        assert stage.runner.places == []

        await stage.runner.assigned([B, A])

        assert stage.runner.ever_assigned is True
        assert stage.runner.places == [A, B]
        assert PARTITIONS._value.get() == 2
        await stage.runner.revoked([A, B])
        assert stage.runner.places == []
        assert PARTITIONS._value.get() == 0

    async def test_a_stall_says_how_long_and_how_many(self, stage: Stage) -> None:
        await stage.clock.pass_time(100)
        await stage.runner.assigned([A])
        stage.runner.observe(waiting=3)
        await stage.clock.pass_time(LIMITS.stalled_s - 1)
        assert stage.runner.stalled() == ""

        await stage.clock.pass_time(1)

        assert stage.runner.stalled() == "no progress for 30 s with 3 records waiting"

    async def test_it_counts_what_it_has_read_itself(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.handler.gate.clear()
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        stage.consumer.put(A, 2, 3, 4)
        await stage.clock.pass_time(LIMITS.stalled_s)

        assert stage.runner.stalled() == "no progress for 30 s with 3 records waiting"

    async def test_the_lag_is_what_the_broker_has_more(self, stage: Stage) -> None:
        await stage.runner.assigned([A, B])
        stage.consumer.put(A, 0, 1)
        await stage.clock.pass_time(LIMITS.gather_s)
        stage.consumer._ends[A] = 12

        await stage.clock.pass_time(LIMITS.commit_s)

        assert LAG.labels("topic", "0")._value.get() == 10
        stage.consumer._ends[A] = 1
        await stage.clock.pass_time(LIMITS.commit_s)
        assert LAG.labels("topic", "0")._value.get() == 0


async def test_a_lone_record_then_company_is_gathered_up_to_the_bound(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.consumer.put(A, *range(8))
    await stage.clock.settle()
    stage.consumer.put(A, *range(8, 16))

    await stage.clock.pass_time(LIMITS.gather_s * 3)

    assert [len(chunk) for chunk in stage.handler.chunks] == [10, 6]


async def test_after_a_quiet_time_a_lone_record_is_not_delayed_again(stage: Stage) -> None:
    await stage.runner.assigned([A])
    stage.consumer.put(A, 0, 1)
    await stage.clock.pass_time(1)

    stage.consumer.put(A, 2)
    await stage.clock.settle()

    assert stage.handler.chunks == [[(0, 0), (0, 1)], [(0, 2)]]
