"""What only the simulated PostgreSQL has: a way to it that fails, texts that it does not know."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

import services.billing
from chassis.clock import new_id
from chassis.errors import Conflict, Unanswered, Unavailable
from chassis.messaging.inbox import Inbox, Kept
from chassis.saga import store
from chassis.stores.migrate import migrations_of
from chassis.stores.postgres import Statement
from chassis.testing.clock import VirtualClock
from chassis.testing.simulation.postgres import SimDatabase, SimPostgres, UnknownStatement
from tests.chassis.simulation.postgres.places import MIGRATIONS

T = TypeVar("T")


class Weather:
    """A link that does as it is told, once."""

    def __init__(self) -> None:
        self.next = ""
        self.calls: list[str] = []

    async def call(self, what: str, apply: Callable[[], T]) -> T:
        self.calls.append(what)
        fate, self.next = self.next, ""
        if fate == "refused":
            raise Unavailable("postgres: simulated")
        done = apply()
        if fate == "unanswered":
            raise Unanswered("postgres: simulated")
        return done


def a_server(clock: VirtualClock | None = None) -> SimPostgres:
    return SimPostgres((clock or VirtualClock()).now, MIGRATIONS)


def handled(message_id: object) -> Statement:
    inbox, statement = Inbox("g"), Statement()
    inbox.keep(message_id, Kept("T", b"{}"))  # type: ignore[arg-type]  # a UUID
    inbox.flush(statement)
    return statement


class TestLink:
    async def test_what_is_refused_has_not_happened(self) -> None:
        server, weather = a_server(), Weather()
        database = SimDatabase(server, weather)
        weather.next = "refused"

        with pytest.raises(Unavailable):
            await handled(new_id()).run(database)

        assert server.rows("inbox") == []

    async def test_what_is_not_answered_has_happened(self) -> None:
        server, weather, message_id = a_server(), Weather(), new_id()
        database = SimDatabase(server, weather)
        weather.next = "unanswered"

        with pytest.raises(Unanswered):
            await handled(message_id).run(database)

        assert [row["message_id"] for row in server.rows("inbox")] == [message_id]
        with pytest.raises(Conflict, match="inbox_pkey"):
            await handled(message_id).run(database)

    async def test_calls_have_names(self) -> None:
        weather = Weather()
        database = SimDatabase(a_server(), weather)

        await handled(new_id()).run(database)
        await database.fetch("SELECT id FROM outbox")

        assert weather.calls == ["statement", "SELECT id FROM"]

    async def test_a_closed_pool_answers_nobody(self) -> None:
        database = SimDatabase(a_server())
        await database.close()

        with pytest.raises(Unavailable):
            await database.fetchval("SELECT 1")


class TestListeners:
    async def test_a_crashed_process_hears_nothing_and_a_cut_one_is_told(self) -> None:
        server, heard = a_server(), list[str]()
        dead, cut = SimDatabase(server), SimDatabase(server)
        for name, database in (("dead", dead), ("cut", cut)):
            connection = database.acquire()
            opened = await connection.__aenter__()
            await opened.add_listener("c", lambda *_, name=name: heard.append(f"{name} heard"))
            opened.add_termination_listener(lambda *_, name=name: heard.append(f"{name} cut"))
        dead.drop()
        cut.cut()

        await SimDatabase(server).execute("SELECT pg_notify('c', '1')")
        await asyncio.sleep(0)

        assert heard == ["cut cut"]

    async def test_a_statement_that_fails_notifies_nobody(self) -> None:
        server, heard = a_server(), list[str]()
        async with SimDatabase(server).acquire() as connection:
            await connection.add_listener("c", lambda *_: heard.append("heard"))

            with pytest.raises(ZeroDivisionError):
                await connection.execute("SELECT pg_notify('c', '1'), 1 / 0")
            await asyncio.sleep(0)

        assert heard == []


class TestTime:
    async def test_now_is_the_worlds(self) -> None:
        clock = VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))
        database = SimDatabase(a_server(clock))
        await handled(new_id()).run(database)

        await clock.pass_time(60)

        age = await database.fetchval("SELECT now() - at FROM inbox")
        assert age == timedelta(minutes=1)


class TestUnknown:
    @pytest.mark.parametrize(
        "sql",
        [
            "VACUUM outbox",
            "SELECT frobnicate(id) FROM outbox",
            "SELECT id FROM outbox WINDOW w AS (PARTITION BY shard)",
            "SELECT wrong FROM outbox",
            "UPDATE outbox SET wrong = 1",
            "SELECT id FROM outbox UNION SELECT id FROM outbox",
        ],
    )
    async def test_is_refused_with_its_text(self, sql: str) -> None:
        with pytest.raises(UnknownStatement) as error:
            await SimDatabase(a_server()).execute(sql)

        assert sql in str(error.value)

    def test_so_are_triggers_until_they_are_named(self) -> None:
        billing = migrations_of(Path(services.billing.__file__).parent)
        named = ("billing_balanced", "billing_append_only")

        with pytest.raises(UnknownStatement, match="billing_balanced"):
            SimPostgres(VirtualClock().now, billing)

        assert SimPostgres(VirtualClock().now, billing, named).rows("account") == []


async def test_the_hottest_texts_are_the_chassis_own() -> None:
    """A shortcut whose text nobody says any more would only look fast."""
    from chassis.messaging import carrier, relay
    from chassis.testing.simulation.postgres.plans import numbered
    from chassis.testing.simulation.postgres.shortcuts import shortcut

    texts = [f"SELECT {numbered(relay._FOREIGN)}", carrier._SCAN, store._CLAIM]

    assert [text for text in texts if shortcut(text) is None] == []
