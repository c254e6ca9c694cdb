"""What runner and carrier rely on: the simulated Kafka keeps it, and so does a real one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.messaging.envelope import Record
from chassis.messaging.outbox import Outgoing, hash_of
from chassis.testing.simulation.faults import Faults
from tests.chassis.simulation.beds import PARTITIONS, Bed, Heard, RealBed, SimBed, until

KEYS = [f"key-{number}" for number in range(8)]


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.servers)])
def bed(request: pytest.FixtureRequest) -> Iterator[SimBed | RealBed]:
    if request.param == "simulated":
        yield SimBed()
    else:
        yield RealBed(request.getfixturevalue("kafka_bootstrap"))


def rows(topic: str, numbers: range) -> list[Outgoing]:
    """Row n has key n modulo 8 and the payload `n`."""
    return [
        Outgoing(new_id(), 0, KEYS[n % 8], "T", topic, {"ce_id": str(n)}, str(n).encode())
        for n in numbers
    ]


class Seen:
    """A chunk handler that remembers; it may break, or hold what it is given for a while."""

    def __init__(self, breaks: int = 0) -> None:
        self.records: list[Record] = []
        self._breaks = breaks
        self.broke = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        if self.broke < self._breaks:
            self.broke += 1
            raise Unavailable("a dependency is away")
        self.records += records

    @property
    def numbers(self) -> list[int]:
        return [int(record.value or b"") for record in self.records]

    def by_key(self) -> dict[bytes | None, list[int]]:
        found: dict[bytes | None, list[int]] = defaultdict(list)
        for record, number in zip(self.records, self.numbers, strict=True):
            found[record.key].append(number)
        return found


async def sent(bed: Bed, numbers: range) -> None:
    """Send these rows, and wait until all are confirmed."""
    heard = Heard()
    producer = await bed.producer(heard)
    outgoing = rows(bed.topic, numbers)
    await producer.send_rows(outgoing)
    await until(bed.clock, lambda: len(heard.confirmed_ids) == len(outgoing))
    assert {row.id for row in outgoing} == set(heard.confirmed_ids)
    assert heard.errors == []
    await producer.stop(5.0)


def test_each_keys_rows_arrive_in_their_order(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        await sent(bed, range(40))
        seen = Seen()
        member = await bed.member("order", seen)
        await until(bed.clock, lambda: len(seen.records) >= 40)
        await member.stop()

        assert sorted(seen.numbers) == list(range(40))
        for numbers in seen.by_key().values():
            assert numbers == sorted(numbers)

    bed.run(story)


def test_a_key_has_its_partition_and_offsets_have_no_gaps(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        await sent(bed, range(24))
        seen = Seen()
        member = await bed.member("places", seen)
        await until(bed.clock, lambda: len(seen.records) >= 24)
        await member.stop()

        offsets: dict[int, list[int]] = defaultdict(list)
        for record in seen.records:
            assert record.partition == hash_of((record.key or b"").decode()) % PARTITIONS
            assert ("ce_id", record.value) in list(record.headers)
            offsets[record.partition].append(record.offset)
        for found in offsets.values():
            assert found == list(range(len(found)))

    bed.run(story)


def test_a_group_goes_on_where_it_stopped(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        await sent(bed, range(10))
        first, second = Seen(), Seen()
        member = await bed.member("again", first)
        await until(bed.clock, lambda: len(first.records) >= 10)
        await member.stop()

        await sent(bed, range(10, 20))
        member = await bed.member("again", second)
        await until(bed.clock, lambda: len(second.records) >= 10)
        await member.stop()

        assert sorted(second.numbers) == list(range(10, 20))

    bed.run(story)


def test_groups_do_not_see_each_other(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        await sent(bed, range(6))
        one, other = Seen(), Seen()
        members = [await bed.member("one", one), await bed.member("other", other)]
        await until(bed.clock, lambda: len(one.records) >= 6 and len(other.records) >= 6)
        for member in members:
            await member.stop()

        assert sorted(one.numbers) == sorted(other.numbers) == list(range(6))

    bed.run(story)


def test_what_a_handler_could_not_do_comes_again(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        await sent(bed, range(6))
        seen = Seen(breaks=2)
        member = await bed.member("patient", seen)
        await until(bed.clock, lambda: len(seen.records) >= 6)
        await member.stop()

        assert seen.broke == 2
        assert sorted(seen.numbers) == list(range(6))

    bed.run(story)


def test_what_was_read_and_not_done_is_left_to_the_next_member(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        helpless, able = Seen(breaks=1_000_000), Seen()
        first = await bed.member("leaving", helpless)
        await sent(bed, range(40))
        await until(bed.clock, lambda: helpless.broke)
        await first.stop()

        second = await bed.member("leaving", able)
        await until(bed.clock, lambda: len(able.records) >= 40)
        await second.stop()

        assert sorted(able.numbers) == list(range(40))

    bed.run(story)


def test_members_come_and_go_and_nothing_is_lost(bed: SimBed | RealBed) -> None:
    async def story(bed: Bed) -> None:
        one, other = Seen(), Seen()
        first = await bed.member("moving", one)
        await sent(bed, range(20))
        await until(bed.clock, lambda: len(one.records) >= 20)
        second = await bed.member("moving", other)
        count = 20
        while not other.records:  # until partitions have moved
            await sent(bed, range(count, count + 8))
            count += 8
        await first.stop()
        await sent(bed, range(count, count + 8))
        await until(bed.clock, lambda: {*one.numbers, *other.numbers} >= set(range(count + 8)))
        await second.stop()

        assert len(one.numbers) + len(other.numbers) == count + 8, "orderly moves double nothing"

    bed.run(story)


def test_what_waits_behind_a_slow_batch_keeps_its_order() -> None:
    """Times are sums, and sums are rounded: equal arrivals must not overtake each other."""
    bed = SimBed(Faults(slow=0.02, slow_s=20.0))

    async def story(_: Bed) -> None:
        heard, outgoing = Heard(), rows(bed.topic, range(2000))
        producer = await bed.producer(heard)
        for row in outgoing:
            await producer.send_rows([row])
            await bed.clock.sleep(0.0037)
        await until(bed.clock, lambda: len(heard.confirmed_ids) == len(outgoing))
        for place in bed.kafka.places(bed.topic):
            numbers = [int(record.value or b"") for record in bed.kafka.logs[place]]
            assert numbers == sorted(numbers)

    bed.run(story)
