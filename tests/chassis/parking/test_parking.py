"""A message that keeps failing parks its key, on a real PostgreSQL."""

from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Conflict, Unavailable
from chassis.parking import metrics
from chassis.parking.letter import letter_of
from chassis.parking.loop import LoopLimits
from chassis.parking.lot import ParkingFull
from chassis.stores.postgres import Database
from chassis.testing.messages import DirectCommit, FakeRecord, FakeSender, replies_of
from tests.chassis.parking.yard import Mood, Yard, a_commit, a_yard, reservations

POISON = UUID(int=666)
BUG = RuntimeError("a bug")


def a_broken_yard(database: Database, **parts: object) -> Yard:
    return a_yard(database, mood=Mood({POISON: BUG}), **parts)  # type: ignore[arg-type]


class TestParking:
    async def test_later_messages_of_the_key_wait_and_others_go_on(
        self, database: Database
    ) -> None:
        yard, workspace, other = a_broken_yard(database), new_id(), new_id()
        before, poison, after = (
            a_commit(workspace),
            a_commit(workspace, POISON),
            a_commit(workspace),
        )
        elsewhere = [a_commit(other), a_commit(other)]

        await yard.take(before, elsewhere[0], poison, after, elsewhere[1])

        assert await yard.rows("message_id, state") == [
            (poison.id, "failed"),
            (after.id, "waiting"),
        ]
        assert await yard.commits(workspace) == reservations([before])
        assert await yard.commits(other) == reservations(elsewhere)

    async def test_they_wait_in_later_chunks_and_other_replicas_too(
        self, database: Database
    ) -> None:
        yard, workspace = a_broken_yard(database), new_id()
        await yard.take(a_commit(workspace, POISON))
        late = a_commit(workspace)
        replica = a_yard(database, mood=yard.mood)
        replica.offset = yard.offset

        await replica.take(late, a_commit(new_id()))

        assert await yard.rows() == ["failed", "waiting"]
        assert await yard.commits(workspace) == []

    async def test_all_follow_in_order_once_the_first_succeeds(
        self, database: Database, commit: DirectCommit
    ) -> None:
        yard, workspace = a_broken_yard(database, commit_point=commit), new_id()
        commands = [a_commit(workspace, POISON), *(a_commit(workspace) for _ in range(120))]
        for at in range(0, len(commands), 40):
            await yard.take(*commands[at : at + 40])

        yard.mood.failing.clear()
        await yard.retry()

        assert await yard.commits(workspace) == reservations(commands)
        assert set(await yard.rows()) == {"handled"}
        assert all(len(replies_of(commit.sent, c.id)) == 1 for c in commands)
        late = a_commit(workspace)
        await yard.take(late)
        assert (await yard.commits(workspace))[-1:] == reservations([late])

    async def test_poison_in_the_middle_holds_up_what_is_behind_it_alone(
        self, database: Database
    ) -> None:
        yard, workspace = a_broken_yard(database), new_id()
        worse = UUID(int=667)
        yard.mood.failing[worse] = BUG
        commands = [a_commit(workspace) for _ in range(60)]
        commands[0], commands[37] = a_commit(workspace, POISON), a_commit(workspace, worse)
        await yard.take(*commands)

        del yard.mood.failing[POISON]
        await yard.retry()

        assert await yard.commits(workspace) == reservations(commands[:37])
        assert (await yard.rows())[36:39] == ["handled", "failed", "waiting"]
        yard.mood.failing.clear()
        await yard.retry()
        assert await yard.commits(workspace) == reservations(commands)

    async def test_a_retry_that_fails_waits_longer_each_time(self, database: Database) -> None:
        yard = a_broken_yard(database)
        await yard.take(a_commit(new_id(), POISON))

        pauses = []
        for _ in range(3):
            await yard.retry()
            pauses += await yard.rows("pause_s")

        assert pauses == [120.0, 240.0, 300.0], "never longer than five minutes"
        assert await yard.rows("attempts, error LIKE 'RuntimeError at yard.py:%'") == [(6, True)]
        assert await yard.keys.round() == 0, "it is not due yet"

    async def test_a_conflict_that_does_not_end_is_a_failure(self, database: Database) -> None:
        yard = a_broken_yard(database)
        await yard.take(a_commit(new_id(), POISON))
        yard.mood.failing[POISON] = Conflict("a key that is there already")

        await yard.retry()

        assert await yard.rows("state, attempts, next_at > now()") == [("failed", 4, True)]

    async def test_a_copy_goes_to_the_dead_letter_topic_once(
        self, database: Database, sender: FakeSender
    ) -> None:
        yard = a_broken_yard(database, sender=sender)
        poison = a_commit(new_id(), POISON)
        records = yard.records([poison, a_commit(new_id(), POISON)])

        await yard.chunk(records)
        await yard.chunk(records)
        await yard.retry()

        assert [topic for topic, *_ in sender.sent] == ["dlq.billing"] * 2
        assert sender.sent[0][2] == poison.data

    async def test_the_same_message_waits_once(self, database: Database) -> None:
        """A saga sends its command again and again while it has no answer."""
        yard, workspace = a_broken_yard(database), new_id()
        poison, after = a_commit(workspace, POISON), a_commit(workspace)

        await yard.take(poison, after, after, poison)
        await yard.take(after, poison)

        assert await yard.rows("message_id") == [poison.id, after.id]

    async def test_a_message_handled_before_is_answered_though_its_key_is_parked(
        self, database: Database, commit: DirectCommit
    ) -> None:
        yard, workspace = a_broken_yard(database, commit_point=commit), new_id()
        first = a_commit(workspace)
        await yard.take(first, a_commit(workspace, POISON))

        await yard.take(first)

        assert len(replies_of(commit.sent, first.id)) == 2
        assert await yard.rows() == ["failed"]


class TestUndecodable:
    async def test_its_raw_bytes_are_kept_and_its_key_goes_on(
        self, database: Database, sender: FakeSender
    ) -> None:
        yard, workspace = a_yard(database, sender=sender), new_id()
        good = a_commit(workspace)
        key = str(workspace).encode()
        raw = bytes(range(256))
        headers = [
            ("ce_type", b"\x00\xff"),
            ("a", None),
            ("a", b""),
            ("\x00é", raw),
            ("ce_id", b"x"),
        ]
        record = FakeRecord("cmd.billing.v1", 0, 0, key, raw, headers, 5)  # type: ignore[arg-type]
        yard.offset = 1

        await yard.chunk([record, *yard.records([good])])

        (row,) = await database.fetch("SELECT * FROM dead_letter")
        letter = letter_of(row)
        assert (letter.key, letter.value, list(letter.headers)) == (key, raw, headers)
        assert row["state"] == "undecodable"
        assert sender.sent[0][2] == raw
        assert await yard.commits(workspace) == reservations([good])

    @pytest.mark.parametrize("key", [None, b"", b"\x00", b"\xff" * 9000, b"k" * 9000])
    async def test_no_key_is_too_strange(self, database: Database, key: bytes | None) -> None:
        record = FakeRecord("cmd.billing.v1", 0, 0, key, None)

        await a_yard(database).chunk([record, record])

        rows = await database.fetch("SELECT key, payload FROM dead_letter")
        assert [tuple(row) for row in rows] == [(key, None)]


class TestOutage:
    async def test_it_burns_no_try_and_parks_nothing(self, database: Database) -> None:
        yard = a_yard(database, mood=Mood({POISON: Unavailable("the weather")}))
        records = yard.records([a_commit(new_id(), POISON)])

        for _ in range(5):
            with pytest.raises(Unavailable):
                await yard.chunk(records)

        assert await yard.rows() == []
        assert yard.mood.tries == 5

    async def test_it_burns_no_try_of_what_is_parked(self, database: Database) -> None:
        yard = a_broken_yard(database)
        await yard.take(a_commit(new_id(), POISON))
        yard.mood.failing[POISON] = Unavailable("the weather")

        await yard.retry()

        assert await yard.rows("state, attempts, next_at > now()") == [("failed", 3, True)]

    async def test_a_dead_letter_that_kafka_does_not_confirm_is_not_passed_over(
        self, database: Database, sender: FakeSender
    ) -> None:
        sender.error = Unavailable("kafka")
        yard = a_broken_yard(database, sender=sender)
        records = yard.records([a_commit(new_id(), POISON)])

        with pytest.raises(Unavailable):
            await yard.chunk(records)
        assert await yard.rows() == []

        sender.error = None
        await yard.chunk(records)
        assert await yard.rows() == ["failed"]


class TestBound:
    async def test_a_full_lot_makes_the_partition_wait_and_sounds_the_alarm(
        self, database: Database
    ) -> None:
        yard, workspace = a_broken_yard(database, open_max=3), new_id()
        await yard.take(a_commit(workspace, POISON), a_commit(workspace), a_commit(workspace))
        late, alarm = a_commit(workspace), metrics.FULL.labels("billing")._value
        records = yard.records([late])

        for _ in range(2):
            with pytest.raises(ParkingFull):
                await yard.chunk(records)
        with pytest.raises(ParkingFull):
            await yard.take(a_commit(new_id(), POISON))

        assert alarm.get() == 1
        assert await yard.rows() == ["failed", "waiting", "waiting"]
        assert len(yard.sender.sent) == 1, "no copies for what has no room"
        yard.mood.failing.clear()
        await yard.retry()
        await yard.chunk(records)
        assert (await yard.commits(workspace))[-1:] == reservations([late])
        assert alarm.get() == 0

    async def test_undecodable_records_have_a_bound_of_their_own(self, database: Database) -> None:
        yard = a_yard(database, open_max=2)
        garbage = [FakeRecord("cmd.billing.v1", 0, offset, None, b"?") for offset in range(3)]
        await yard.chunk(garbage[:2])

        with pytest.raises(ParkingFull):
            await yard.chunk(garbage[2:])

        assert await yard.rows() == ["undecodable"] * 2
        assert len(yard.sender.sent) == 2


async def test_what_ended_long_ago_is_forgotten(database: Database) -> None:
    limits = LoopLimits(pause_s=60.0, keep_s=86_400.0, prune_s=0.0, prune_rows=2)
    yard = a_broken_yard(database, loop=limits)
    await yard.take(*(a_commit(new_id(), POISON) for _ in range(6)))
    await database.execute("UPDATE dead_letter SET last_at = now() - interval '2 days'")
    await database.execute("UPDATE dead_letter SET state = 'handled' WHERE seq % 6 <> 0")

    await yard.keys.round()

    assert await yard.rows() == ["failed"]
