"""Inbox, outbox, relay and leases on both PostgreSQLs."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.clock import SystemClock, derived_id, new_id
from chassis.errors import Conflict
from chassis.messaging.carrier import _SCAN
from chassis.messaging.inbox import REFUSED, Inbox, Kept, prune_inbox
from chassis.messaging.lease import Leases
from chassis.messaging.nudge import Nudges
from chassis.messaging.outbox import Outgoing, add_outbox
from chassis.messaging.relay import _FOREIGN, _STALE
from chassis.stores.postgres import Database, Reading, Statement

GROUP = "billing"


def a_row(shard: int = 0, *, row_id: UUID | None = None, payload: bytes = b"{}") -> Outgoing:
    return Outgoing(row_id or new_id(), shard, "key", "T", "a.b.v1", {"ce_id": "x"}, payload)


async def written(
    database: Database, *rows: Outgoing, epochs: dict[int, int] | None = None
) -> None:
    statement = Statement()
    add_outbox(statement, rows, epochs or {})
    await statement.run(database)


async def kept(database: Database, answers: dict[UUID, Kept], group: str = GROUP) -> None:
    inbox, statement = Inbox(group), Statement()
    for message_id, answer in answers.items():
        inbox.keep(message_id, answer)
    inbox.flush(statement)
    await statement.run(database)


async def read(database: Database, *ids: UUID, group: str = GROUP) -> list[Kept | None]:
    inbox, reading = Inbox(group), Reading()
    inbox.reads(reading, ids)
    await reading.run(database)
    return [inbox.seen(message_id) for message_id in ids]


class TestInbox:
    async def test_an_answer_is_read_as_it_was_kept(self, either: Database) -> None:
        first, second, third = new_id(), new_id(), new_id()
        answer = Kept("billing.QuotaReserved.v1", '{"a":"\u00e9"}'.encode(), b"0123456789abcdef")

        await kept(either, {first: answer, second: Kept(), third: REFUSED})

        assert await read(either, first, second, third) == [answer, Kept(), REFUSED]
        assert await read(either, new_id()) == [None]
        assert await read(either, first, group="other") == [None]

    async def test_a_message_handled_meanwhile_is_a_conflict(self, either: Database) -> None:
        message_id, other = new_id(), new_id()
        await kept(either, {message_id: Kept("A", b"{}")})

        with pytest.raises(Conflict, match=r"inbox.*_pkey"):
            await kept(either, {other: Kept(), message_id: REFUSED})

        assert await read(either, message_id, other) == [Kept("A", b"{}"), None]
        await kept(either, {message_id: Kept()}, group="other")

    async def test_what_is_old_and_in_no_week_is_pruned_in_batches(self, either: Database) -> None:
        old = [derived_id(datetime(2100, 1, 1, tzinfo=UTC), n) for n in range(7)]
        await kept(either, dict.fromkeys(old, Kept()))
        await either.execute("UPDATE inbox SET at = now() - interval '2 hours'")
        young = new_id()
        await kept(either, {young: Kept()})

        gone = await prune_inbox(either, 3600, batch=3)

        assert gone == 7
        assert await read(either, young, *old) == [Kept(), *[None] * 7]


class TestOutbox:
    async def test_rows_are_found_in_the_order_of_their_writing(self, either: Database) -> None:
        rows = [a_row(n % 2, payload=b"%d" % n) for n in range(6)]
        await written(either, *rows[:3], epochs={0: 4})
        await written(either, *rows[3:])

        found = await either.fetch(_SCAN, [0, 1], [rows[2].id], 4)

        assert [row["id"] for row in found] == [rows[n].id for n in (0, 1, 3, 4)]
        assert (found[0]["payload"], found[0]["headers"]) == (b"0", '{"ce_id":"x"}')
        epochs = await either.fetch("SELECT epoch, aggregatetype FROM outbox ORDER BY seq")
        assert [tuple(row) for row in epochs] == [(e, "a.b") for e in (4, 0, 4, 0, 0, 0)]

    async def test_a_row_that_waits_already_stays_as_it_is(self, either: Database) -> None:
        first = a_row(payload=b"first")
        await written(either, first)

        await written(either, a_row(row_id=first.id, payload=b"again"), a_row())

        rows = await either.fetch("SELECT payload FROM outbox ORDER BY seq")
        assert [row["payload"] for row in rows] == [b"first", b"{}"]

    async def test_sent_again_while_the_sent_one_is_deleted_it_is_there(
        self, either: Database
    ) -> None:
        sent = a_row(payload=b"first")
        await written(either, sent)
        statement = Statement()
        add_outbox(statement, [a_row(row_id=sent.id, payload=b"again")], {})
        statement.add("DELETE FROM outbox WHERE id = ANY({}::uuid[])", [sent.id])

        await statement.run(either)

        assert await either.fetchval("SELECT payload FROM outbox") == b"again"

    @pytest.mark.parametrize(
        ("written_under", "foreign"), [({0: 3}, []), ({}, [0]), ({0: 2}, [0]), ({0: 5}, [0])]
    )
    async def test_rows_of_another_epoch_are_noticed(
        self, either: Database, written_under: dict[int, int], foreign: list[int]
    ) -> None:
        await written(either, a_row(0), epochs=written_under)
        statement = Statement()
        add_outbox(statement, [a_row(0), a_row(1)], {0: 3, 1: 9})
        statement.select("foreign_shards", _FOREIGN, [0, 1], [3, 9])

        row = await statement.run(either)

        assert row["foreign_shards"] == foreign, "its own rows do not count: seen from before"

    async def test_what_waits_too_long_is_found(self, either: Database) -> None:
        old, young, elsewhere = a_row(0), a_row(0), a_row(1)
        await written(either, old, young, elsewhere)
        await either.execute(
            "UPDATE outbox SET created_at = now() - interval '10 seconds' WHERE id <> $1", young.id
        )

        rows = await either.fetch(_STALE, [0], 5.0)

        assert [(row["id"], row["shard"]) for row in rows] == [(old.id, 0)]
        assert 9.9 < rows[0]["age"] < 60


def leases(database: Database, owner: str, lease_s: float = 60.0) -> Leases:
    return Leases(database, owner=owner, shards=5, lease_s=lease_s)


async def make_late(database: Database, owner: str) -> None:
    for table in ("relay_member", "relay_lease"):
        await database.execute(
            f"UPDATE {table} SET until = now() - interval '1 second' WHERE owner = $1", owner
        )


class TestLeases:
    async def test_one_alone_holds_all(self, either: Database) -> None:
        alone = leases(either, "a")

        assert await alone.tick() == dict.fromkeys(range(5), 1)
        assert await alone.tick() == dict.fromkeys(range(5), 1), "prolonged, not renumbered"

    async def test_two_share_fairly_and_epochs_rise(self, either: Database) -> None:
        a, b = leases(either, "a"), leases(either, "b")
        await a.tick()
        await b.tick()

        held_a, held_b = await a.tick(), await b.tick()

        assert held_a == {0: 1, 1: 1, 2: 1}
        assert held_b == {3: 2, 4: 2}

    async def test_a_renumbered_lease_has_the_next_epoch(self, either: Database) -> None:
        a = leases(either, "a")
        await a.tick()
        a.renumber([1, 3])

        assert await a.tick() == {0: 1, 1: 2, 2: 1, 3: 2, 4: 1}
        assert await a.tick() == {0: 1, 1: 2, 2: 1, 3: 2, 4: 1}

    async def test_the_dead_ones_shards_move_when_its_lease_is_over(self, either: Database) -> None:
        dead, heir = leases(either, "dead"), leases(either, "heir")
        await dead.tick()
        await heir.tick()
        assert await heir.tick() == {}
        await make_late(either, "dead")

        assert await heir.tick() == dict.fromkeys(range(5), 2)

    async def test_who_leaves_gives_all_at_once(self, either: Database) -> None:
        a, b = leases(either, "a"), leases(either, "b")
        await a.tick()
        await a.leave()

        assert await b.tick() == dict.fromkeys(range(5), 2)
        assert await either.fetchval("SELECT count(*) FROM relay_member") == 1


class TestWishes:
    async def test_a_wish_comes_true_once_the_holder_has_given_it_up(
        self, either: Database
    ) -> None:
        a, b = leases(either, "a"), leases(either, "b")
        await a.tick()
        b.wish([1, 4])
        assert await b.tick() == {}
        a.wish([0, 2, 3])

        assert await a.tick() == {0: 1, 2: 1, 3: 1}
        assert await b.tick() == {1: 2, 4: 2}

    async def test_what_both_wish_stays_where_it_is(self, either: Database) -> None:
        a, b = leases(either, "a"), leases(either, "b")
        a.wish(range(5))
        b.wish(range(5))
        held = await a.tick()

        assert await b.tick() == {}
        assert await a.tick() == held

    async def test_what_nobody_wishes_is_shared_fairly(self, either: Database) -> None:
        a, b = leases(either, "a"), leases(either, "b")
        a.wish([0])
        b.wish([4])
        assert (await a.tick()).keys() == set(range(5))
        await b.tick()

        assert (await a.tick()).keys() == {0, 1, 2}
        assert (await b.tick()).keys() == {3, 4}

    async def test_the_wishes_of_the_dead_count_for_nothing(self, either: Database) -> None:
        dead, heir = leases(either, "dead"), leases(either, "heir")
        dead.wish([0, 1, 2])
        await dead.tick()
        await make_late(either, "dead")

        assert (await heir.tick()).keys() == set(range(5))


async def test_nudges_arrive(either: Database) -> None:
    heard: list[list[int] | None] = []
    bell = asyncio.Event()

    def hear(shards: Any) -> None:
        heard.append(None if shards is None else list(shards))
        bell.set()

    nudges = Nudges(either, SystemClock(), hear)
    running = asyncio.create_task(nudges.run())
    async with asyncio.timeout(10):
        while heard[:1] != [None]:
            await bell.wait()
        nudges.send([3, 1])
        nudges.send([1, 2])
        while len(heard) < 2:
            bell.clear()
            await bell.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert heard == [None, [1, 2, 3]]
