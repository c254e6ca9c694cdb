"""Lanes: order within a partition, turns between them, no small chunks beside a busy lane."""

from chassis.messaging.lanes import Lane, Lanes, Partition
from chassis.messaging.limits import RunnerLimits
from chassis.testing.messages import FakeRecord

LIMITS = RunnerLimits(chunk_records_max=4, lanes=2)


def a_partition(number: int, *offsets: int) -> Partition:
    partition = Partition(number)
    partition.buffer.extend(FakeRecord("t", number, offset, b"k", b"{}") for offset in offsets)
    return partition


def taken(lanes: Lanes, lane: Lane, most: int = 4) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in lanes.take(lane, most)]


def asleep(lanes: Lanes) -> None:
    for lane in lanes.all:
        lane.wake.clear()


class TestLanes:
    def test_there_are_no_more_lanes_than_partitions(self) -> None:
        assert len(Lanes([a_partition(0)], LIMITS).all) == 1
        assert len(Lanes([a_partition(n) for n in range(3)], LIMITS).all) == 2
        assert all(lane.idle.is_set() for lane in Lanes([a_partition(0)], LIMITS).all)

    def test_a_lane_takes_one_partition_after_the_other_up_to_its_most(self) -> None:
        lanes = Lanes([a_partition(0, 1, 2, 3), a_partition(1, 7, 8), a_partition(2, 9)], LIMITS)

        assert taken(lanes, lanes.all[0]) == [(0, 1), (0, 2), (0, 3), (1, 7)]
        assert not lanes.all[0].idle.is_set()

    def test_a_partition_under_way_is_left_to_its_lane(self) -> None:
        lanes = Lanes([a_partition(0, 1, 2), a_partition(1, 7)], LIMITS)
        first, second = lanes.all

        assert taken(lanes, first, 1) == [(0, 1)]
        assert taken(lanes, second) == [(1, 7)]
        assert taken(lanes, first) == [(0, 2)], "the same lane may go on with it"

    def test_who_was_served_is_last_in_turn(self) -> None:
        lanes = Lanes([a_partition(0, 1, 2), a_partition(1, 7, 8)], LIMITS)
        lane = lanes.all[0]

        served = []
        for _ in range(4):
            served += taken(lanes, lane, 1)
            lanes.release(lane)

        assert served == [(0, 1), (1, 7), (0, 2), (1, 8)]

    def test_an_empty_partition_does_not_end_the_turn(self) -> None:
        lanes = Lanes([a_partition(0), a_partition(1, 7)], LIMITS)

        assert taken(lanes, lanes.all[0]) == [(1, 7)]

    def test_releasing_frees_the_own_partitions_alone(self) -> None:
        lanes = Lanes([a_partition(0, 1, 2), a_partition(1, 7, 8)], LIMITS)
        first, second = lanes.all
        taken(lanes, first, 1)
        taken(lanes, second, 1)

        lanes.release(second)

        assert second.idle.is_set()
        assert not first.idle.is_set()
        assert taken(lanes, second) == [(1, 8)]

    def test_more_than_a_chunk_wakes_all_and_a_chunk_wakes_nobody(self) -> None:
        much = Lanes([a_partition(0, 1, 2, 3), a_partition(1, 7, 8)], LIMITS)
        enough = Lanes([a_partition(0, 1, 2, 3), a_partition(1, 7)], LIMITS)
        for lanes in (much, enough):
            asleep(lanes)
            lanes.release(lanes.all[0])

        assert [lane.wake.is_set() for lane in much.all] == [True, True]
        assert [lane.wake.is_set() for lane in enough.all] == [False, False]

    def test_what_is_under_way_does_not_count_as_waiting(self) -> None:
        lanes = Lanes([a_partition(0, *range(9)), a_partition(1, 7)], LIMITS)
        first, second = lanes.all
        taken(lanes, first, 1)
        asleep(lanes)

        lanes.release(second)

        assert not second.wake.is_set()

    def test_less_than_a_chunk_is_left_to_the_lane_that_is_busy(self) -> None:
        lanes = Lanes([a_partition(0, 1), a_partition(1, 7, 8, 9)], LIMITS)
        first, second = lanes.all
        assert not lanes.others_will_do(second), "nobody is busy"
        taken(lanes, first, 1)

        assert lanes.others_will_do(second)
        assert not lanes.others_will_do(first), "it is itself the busy one"

    def test_one_record_is_left_too_and_a_whole_chunk_is_not(self) -> None:
        one = Lanes([a_partition(0, 1), a_partition(1, 7)], LIMITS)
        whole = Lanes([a_partition(0, 1), a_partition(1, 6, 7, 8, 9)], LIMITS)
        none = Lanes([a_partition(0, 1), a_partition(1)], LIMITS)
        for lanes in (one, whole, none):
            taken(lanes, lanes.all[0], 1)

        assert one.others_will_do(one.all[1])
        assert not whole.others_will_do(whole.all[1])
        assert not none.others_will_do(none.all[1])
