"""Database, Statement and Reading on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis.errors import Conflict, Unanswered, Unavailable
from chassis.stores.migrate import CHASSIS, behind, migrate, not_ready
from chassis.stores.postgres import Database, Reading, Row, Statement


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    await migrate(fresh_database, [CHASSIS])
    database = await Database.open(fresh_database)
    await database.execute("CREATE TABLE item (id int PRIMARY KEY, size int)")
    yield database
    await database.close()


class TestStatement:
    async def test_all_fragments_are_one_transaction(self, database: Database) -> None:
        await database.execute("INSERT INTO item VALUES (1, 1)")
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}, {})", 2, 2)
        statement.add("UPDATE item SET size = {} WHERE id = {}", 9, 1, expect=1)
        statement.select("answer", "SELECT {}::int + 1", 41)

        row = await statement.run(database)

        assert row["answer"] == 42
        rows = await database.fetch("SELECT id, size FROM item ORDER BY id")
        assert [tuple(row) for row in rows] == [(1, 9), (2, 2)]

    async def test_an_expectation_that_is_not_met_undoes_everything(
        self, database: Database
    ) -> None:
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}, {})", 2, 2)
        statement.add("UPDATE item SET size = {} WHERE id = {}", 9, 1, expect=1)

        with pytest.raises(Conflict, match="0 rows affected, 1 expected"):
            await statement.run(database)

        assert await database.fetchval("SELECT count(*) FROM item") == 0

    @pytest.mark.parametrize("there", [0, 1])
    async def test_a_demand_that_is_not_met_undoes_everything(
        self, database: Database, there: int
    ) -> None:
        await database.execute("INSERT INTO item SELECT 1, 1 FROM generate_series(1, $1)", there)
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}, {})", 2, 2)
        statement.demand(0, "SELECT count(*) FROM item WHERE id = ANY({}::int[])", [1, 2])

        if there:
            with pytest.raises(Conflict, match="demand 0: 1 rows affected, 0 expected"):
                await statement.run(database)
        else:
            await statement.run(database)

        assert await database.fetchval("SELECT count(*) FROM item") == 1

    def test_placeholders_must_match(self) -> None:
        with pytest.raises(TypeError, match="2 placeholders for 1 arguments"):
            Statement().add("SELECT {}, {}", 1)

    def test_without_a_change_it_is_false(self) -> None:
        assert not Statement()


class TestReading:
    async def test_each_part_gets_its_own_rows(self, database: Database) -> None:
        await database.execute("INSERT INTO item VALUES (1, 10), (2, 20)")
        reading = Reading()
        found: dict[str, list[Row]] = {}
        sql = "SELECT id::text, size::bigint, NULL::bigint, NULL::text, NULL::text FROM item"
        reading.add(f"{sql} WHERE id = {{}}", 2, into=lambda rows: found.update(two=rows))
        reading.add(f"{sql} WHERE id = {{}}", 7, into=lambda rows: found.update(seven=rows))

        await reading.run(database)

        assert found == {"two": [("2", 20, None, None, None)], "seven": []}


class TestFates:
    async def test_a_unique_key_is_a_conflict_by_name(self, database: Database) -> None:
        await database.execute("INSERT INTO item VALUES (1, 1)")

        with pytest.raises(Conflict, match="item_pkey"):
            await database.execute("INSERT INTO item VALUES (1, 1)")

    async def test_a_slow_answer_is_in_doubt(self, database: Database) -> None:
        with pytest.raises(Unanswered):
            await database.execute("SELECT pg_sleep(5)", timeout=0.05)

    async def test_a_server_that_is_away_is_unavailable(self) -> None:
        database = await Database.open("postgresql://nobody@127.0.0.1:1/none", timeout=1)

        with pytest.raises(Unavailable):
            await database.fetchval("SELECT 1")

    async def test_a_broken_statement_is_a_bug(self, database: Database) -> None:
        with pytest.raises(Exception, match="nowhere") as error:
            await database.fetch("SELECT * FROM nowhere")
        assert not isinstance(error.value, Conflict | Unavailable)

    async def test_an_argument_of_the_wrong_type_is_a_bug(self, database: Database) -> None:
        with pytest.raises(asyncpg.DataError):
            await database.fetch("SELECT $1::int", "text")

    async def test_a_killed_connection_does_not_spoil_the_pool(
        self, database: Database, fresh_database: str
    ) -> None:
        victim = await database.fetchval("SELECT pg_backend_pid()")
        other = await Database.open(fresh_database)
        await other.execute("SELECT pg_terminate_backend($1, 1000)", victim)
        await other.close()

        answers = []
        for _ in range(3):
            try:
                answers.append(await database.fetchval("SELECT 1"))
            except Unavailable:
                answers.append(0)

        assert answers[-1] == 1


class TestConnections:
    async def test_there_are_never_more_than_allowed(self, fresh_database: str) -> None:
        database = await Database.open(fresh_database, pool_max=2)
        count = "SELECT count(*), pg_sleep(0.01) FROM pg_stat_activity WHERE datname = $1"
        name = fresh_database.rpartition("/")[2]

        counts = await asyncio.gather(*(database.fetchval(count, name) for _ in range(10)))

        assert max(counts) == 2
        await database.close()

    async def test_waiting_for_one_has_a_deadline(self, fresh_database: str) -> None:
        database = await Database.open(fresh_database, pool_max=1)
        async with database.acquire():
            with pytest.raises(Unanswered):
                await database.fetchval("SELECT 1", timeout=0.05)
        assert await database.fetchval("SELECT 1") == 1
        await database.close()

    async def test_a_cancelled_call_leaves_no_answer_to_the_next(self, fresh_database: str) -> None:
        database = await Database.open(fresh_database, pool_max=1)
        slow = asyncio.create_task(database.fetchval("SELECT 'slow', pg_sleep(5)"))
        await asyncio.wait({slow}, timeout=0.2)  # it is under way by then

        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)

        assert await database.fetchval("SELECT 'next'") == "next"
        await database.close()

    async def test_an_open_transaction_is_not_handed_on(self, fresh_database: str) -> None:
        database = await Database.open(fresh_database, pool_max=1)
        async with database.acquire() as connection:
            await connection.execute("BEGIN")

        async with database.acquire() as connection:
            assert not connection.is_in_transaction()
        await database.close()

    async def test_closing_waits_for_work_and_cuts_off_what_does_not_end(
        self, fresh_database: str
    ) -> None:
        database = await Database.open(fresh_database, pool_max=2)
        endless = asyncio.create_task(database.fetchval("SELECT pg_sleep(60)"))
        short = asyncio.create_task(database.fetchval("SELECT 1"))
        await short

        await database.close(timeout=0.1)

        with pytest.raises(Unavailable):
            await endless
        with pytest.raises(Unavailable):
            await database.fetchval("SELECT 1")


async def test_json_is_read_and_written_as_values(database: Database) -> None:
    value = {"a": [1, None, "ü"], "b": {"c": 1.5}}

    row = await database.fetchrow("SELECT $1::jsonb AS b, $2::json AS t", value, value)

    assert (row["b"], row["t"]) == (value, value)


async def test_the_schema_is_current_after_migration_only(
    postgres_url: str, fresh_database: str
) -> None:
    database = await Database.open(fresh_database)

    before = await not_ready(database, [CHASSIS])
    await migrate(fresh_database, [CHASSIS])
    await migrate(fresh_database, [CHASSIS])  # safe to repeat

    missing = f"alembic_version_chassis: nothing -> {CHASSIS.head}"
    assert before == f"migrations missing: {missing}"
    assert await not_ready(database, [CHASSIS]) == ""
    assert await behind(database, [CHASSIS]) == []
    await database.close()
