"""Leases, nudges and rows of the outbox, without servers."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from chassis.errors import Unavailable
from chassis.messaging.lease import Leases
from chassis.messaging.nudge import Nudges
from chassis.messaging.outbox import Outbox, Outgoing, add_outbox, hash_of
from chassis.stores.statement import Statement
from chassis.testing.clock import VirtualClock
from tests.chassis.messaging.carrier_bed import a_row
from tests.chassis.messaging.relay_bed import LIMITS, Base, Line, an_envelope


class TestLeases:
    async def test_a_tick_that_fails_renumbers_later(self) -> None:
        base = Base(leases={2: 5})
        leases = Leases(base, owner="me", shards=4, lease_s=3.0)  # type: ignore[arg-type]  # a fake
        leases.renumber([2])
        base.away = Unavailable("postgres")
        with pytest.raises(Unavailable):
            await leases.tick()
        leases.renumber([3])
        base.away = None

        held = await leases.tick()
        await leases.tick()

        assert held == {2: 5}
        assert [sorted(tick[3]) for tick in base.ticks] == [[2], [2, 3], []]
        assert base.ticks[0] == ("me", timedelta(seconds=3), 4, [2], [])


class TestNudges:
    async def test_it_tells_hears_and_reconnects(self) -> None:
        clock, line, heard = VirtualClock(), Line(errors=[Unavailable("x")]), []
        nudges = Nudges(line, clock, heard.append)  # type: ignore[arg-type]  # a fake
        nudges.send([3])
        running = asyncio.create_task(nudges.run())
        await clock.pass_time(0.5)
        await clock.pass_time(0.003)
        (first,) = line.connections
        nudges.send([5, 4])
        nudges.send([4])
        await clock.pass_time(0.003)

        ((channel, hear),) = first.listens
        hear(first, 1, channel, "1,2,")
        first.on_lost(first)
        await clock.pass_time(0.5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        assert channel == "basalt_outbox"
        assert first.statements == [
            "SELECT pg_notify('basalt_outbox', '3')",
            "SELECT pg_notify('basalt_outbox', '4,5')",
        ]
        assert heard == [None, [1, 2], None]
        assert len(line.connections) == 2
        assert first.left == line.connections[1].left == [(channel, hear)]

    async def test_a_closed_connection_is_left_alone(self) -> None:
        clock, line = VirtualClock(), Line()
        nudges = Nudges(line, clock, lambda _: None)  # type: ignore[arg-type]  # a fake
        running = asyncio.create_task(nudges.run())
        await clock.settle()
        line.connections[0].closed = True

        line.connections[0].on_lost()
        await clock.settle()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        assert line.connections[0].left == []
        assert line.connections[0].statements == []


class TestOutbox:
    def test_a_row_is_what_the_message_says(self) -> None:
        envelope = replace(an_envelope(2), shard_key="")
        row = Outgoing.of(envelope, LIMITS.shards)

        assert row == Outgoing(
            envelope.id,
            2,
            envelope.key,
            envelope.type,
            envelope.topic,
            envelope.headers(),
            envelope.data,
        )
        elsewhere = replace(envelope, shard_key="another")
        assert Outgoing.of(elsewhere, 1000).shard == hash_of("another") % 1000

    def test_rows_are_written_column_by_column(self) -> None:
        row, statement = a_row("a.b.v1"), Statement()

        add_outbox(statement, [], {})
        assert not statement
        add_outbox(statement, [row, a_row(shard=9)], {3: 6})

        (fragment,) = statement.fragments
        columns: list[Any] = list(fragment.args)
        assert [column[0] for column in columns] == [
            row.id,
            "a.b",
            row.key,
            row.type,
            row.topic,
            orjson.dumps(row.headers).decode(),
            row.payload,
            3,
            6,
        ]
        assert columns[-1] == [6, 0]

    def test_it_counts_and_gives_what_it_has(self) -> None:
        outbox, envelope = Outbox(), an_envelope(0)

        outbox.append(envelope)

        assert (len(outbox), list(outbox)) == (1, [envelope])
