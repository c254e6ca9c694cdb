"""What a relay commits, sends from memory, and leaves to others."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from chassis.errors import Conflict, Unavailable
from chassis.messaging.metrics import OUTBOX_AGE, SHARDS_HELD
from chassis.messaging.outbox import Outbox, Outgoing, hash_of
from chassis.stores.statement import Statement
from tests.chassis.messaging.carrier_bed import a_row
from tests.chassis.messaging.relay_bed import LIMITS, Field, an_envelope


class TestReady:
    async def test_it_is_ready_when_both_have_been_reached(self, field_: Field) -> None:
        assert field_.relay.not_ready() == "the relay has not reached PostgreSQL yet"
        field_.base.away = Unavailable("postgres: away")
        await field_.relay.start()
        await field_.clock.settle()
        assert field_.relay.not_ready() == "postgres: away"

        field_.base.away = None
        await field_.clock.pass_time(LIMITS.tick_s)

        assert field_.relay.not_ready() == ""
        assert SHARDS_HELD._value.get() == 2

    async def test_a_bug_in_a_loop_does_not_end_it(self, field_: Field) -> None:
        field_.base.away = KeyError("bug")
        await field_.relay.start()
        await field_.clock.settle()
        field_.base.away = None

        await field_.clock.pass_time(LIMITS.retry_s)

        assert field_.relay.not_ready() == ""


class TestCommit:
    async def test_what_it_holds_leaves_from_memory_with_its_epoch(self, started: Field) -> None:
        first, second, scans = an_envelope(0), an_envelope(1), started.base.scans

        await started.commit(first, second)

        assert started.sent == [first.id, second.id]
        (statement,) = started.base.run
        assert statement.fragments[0].args[-1] == [7, 8]
        (output,) = statement.outputs
        assert (output.name, output.args) == ("foreign_shards", ([0, 1], [7, 8]))
        assert started.base.scans == scans

    async def test_what_another_holds_is_left_to_it_and_it_is_told(self, started: Field) -> None:
        other = an_envelope(2)

        await started.commit(other, an_envelope(0))

        assert other.id not in started.sent
        assert started.base.run[0].fragments[0].args[-1] == [0, 7]
        assert started.relay._nudges._waiting == {2}

    async def test_only_what_another_holds_asks_for_no_foreign_rows(self, started: Field) -> None:
        await started.commit(an_envelope(3))

        assert started.base.run[0].outputs == []
        assert started.sent == []

    async def test_older_rows_of_another_epoch_go_first(self, started: Field) -> None:
        older, newer = an_envelope(0), an_envelope(0)
        started.base.rows = [Outgoing.of(e, LIMITS.shards) for e in (older, newer)]
        started.base.foreign = [0]

        await started.commit(newer)

        assert started.sent == [older.id, newer.id]

    async def test_nothing_to_write_is_not_written(self, started: Field) -> None:
        await started.commit()

        assert started.base.run == []

    async def test_a_statement_without_messages_is(self, started: Field) -> None:
        statement = Statement()
        statement.add("DELETE FROM x")

        await started.relay.commit(statement, Outbox())

        assert started.base.run == [statement]
        assert len(statement.fragments) == 1

    async def test_a_conflict_sends_nothing_and_memory_stays_trusted(self, started: Field) -> None:
        started.base.refusal = Conflict("again")
        with pytest.raises(Conflict):
            await started.commit(an_envelope(0))
        started.base.refusal = None
        good = an_envelope(0)

        await started.commit(good)

        assert started.sent == [good.id]
        await started.clock.pass_time(LIMITS.tick_s)
        assert started.base.ticks[-1][3] == []

    @pytest.mark.parametrize("error", [Unavailable("lost"), asyncio.CancelledError()])
    async def test_a_commit_in_doubt_is_left_to_the_table_under_a_new_epoch(
        self, started: Field, error: BaseException
    ) -> None:
        lost = an_envelope(0)
        started.base.refusal = error
        with pytest.raises(type(error)):
            await started.commit(lost)
        started.base.refusal = None
        started.base.rows = [Outgoing.of(lost, LIMITS.shards)]

        await started.clock.pass_time(LIMITS.rescan_s * 2)
        assert started.sent == [lost.id]
        await started.clock.pass_time(LIMITS.tick_s)

        assert started.base.ticks[-1][3] == [0]
        await started.clock.pass_time(LIMITS.tick_s)
        assert started.base.ticks[-1][3] == [], "once"

    async def test_what_was_confirmed_is_deleted_along_with_the_next(self, started: Field) -> None:
        first, second, third = (an_envelope(0) for _ in range(3))
        await started.commit(first)

        started.base.refusal = Conflict("again")
        with pytest.raises(Conflict):
            await started.commit(second)
        started.base.refusal = None
        await started.commit(third)

        deletes = [statement.fragments[1] for statement in started.base.run[1:]]
        assert [one.args for one in deletes] == [([first.id],), ([first.id],)]
        assert not started.relay._carrier.has(first.id)
        assert started.relay._carrier.has(third.id)

    async def test_a_single_record_goes_past_the_outbox(self, started: Field) -> None:
        await started.relay.send("dlq", b"k", b"v", [("h", b"1")])

        assert started.kafka.lives[0].records == [("dlq", b"k", b"v", [("h", b"1")])]


class TestShards:
    async def test_wishes_are_passed_on_as_far_as_there_are_such_shards(
        self, started: Field
    ) -> None:
        started.relay.wish([3, 1, 4, 9])

        await started.clock.pass_time(LIMITS.tick_s)

        owner, lease, shards, renumbered, wishes = started.base.ticks[-1]
        assert (shards, renumbered, wishes) == (4, [], [1, 3])
        assert lease == timedelta(seconds=LIMITS.lease_s)
        assert UUID(owner).version == 7

    async def test_a_fresh_id_is_of_a_shard_that_is_held(self, started: Field) -> None:
        minted = [started.relay.mint() for _ in range(50)]

        assert {hash_of(str(made)) % LIMITS.shards for made in minted} == {0, 1}
        assert len(set(minted)) == 50

    async def test_without_shards_any_id_will_do(self, field_: Field) -> None:
        assert field_.relay.mint().version == 7


class TestStale:
    async def test_old_rows_that_memory_does_not_know_are_fetched(self, started: Field) -> None:
        row, known = a_row(shard=0), an_envelope(1)
        await started.commit(known)
        started.base.rows = [row]
        started.base.stale = [
            {"id": row.id, "shard": 0, "age": 9.0},
            {"id": known.id, "shard": 1, "age": 11.0},
        ]

        await started.clock.pass_time(LIMITS.tick_s)

        assert started.sent == [known.id, row.id]
        assert started.base.asked_for[-1] == ([0, 1], LIMITS.poll_age_s)
        assert OUTBOX_AGE._value.get() == 9.0
        started.base.stale = []
        await started.clock.pass_time(LIMITS.tick_s)
        assert OUTBOX_AGE._value.get() == 0.0

    async def test_a_nudge_makes_it_look(self, started: Field) -> None:
        row = a_row(shard=1)
        started.base.rows = [row]

        started.relay._nudged([1])
        await started.clock.settle()
        again = a_row(shard=0)
        started.base.rows = [row, again]
        started.relay._nudged(None)
        await started.clock.settle()

        assert started.sent == [row.id, again.id]

    async def test_the_inbox_is_pruned_now_and_then(self, started: Field) -> None:
        await started.clock.pass_time(LIMITS.prune_s * 1.5)
        assert len(started.base.pruned) >= 1

        await started.clock.pass_time(LIMITS.prune_s * 1.5)

        assert 2 <= len(started.base.pruned) <= 6
        assert set(started.base.pruned) == {timedelta(seconds=LIMITS.inbox_keep_s)}


class TestStop:
    async def test_it_deletes_what_is_confirmed_leaves_and_disconnects(
        self, started: Field
    ) -> None:
        sent = an_envelope(0)
        await started.commit(sent)

        await started.relay.stop(3.0)

        assert started.base.deleted == [[sent.id]]
        assert started.base.gone == [started.base.ticks[0][0]]
        assert started.kafka.lives[0].stopped == [3.0]
        ticks = len(started.base.ticks)
        await started.clock.pass_time(LIMITS.tick_s * 3)
        assert len(started.base.ticks) == ticks

    async def test_without_a_database_it_disconnects_all_the_same(self, started: Field) -> None:
        await started.commit(an_envelope(0))
        started.base.errors = [Unavailable("postgres")]

        await started.relay.stop(3.0)

        assert started.kafka.lives[0].stopped == [3.0]
