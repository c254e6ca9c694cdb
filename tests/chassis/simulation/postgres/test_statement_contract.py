"""What a transaction is: the simulated PostgreSQL and the real one must agree."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.errors import Conflict
from chassis.stores.postgres import Database, Reading, Row, Statement


async def items(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.fetch("SELECT id, size FROM item ORDER BY id")
    return [tuple(row) for row in rows]


async def having(database: Database, *rows: tuple[int, int]) -> None:
    statement = Statement()
    statement.add(
        "INSERT INTO item (id, size) SELECT * FROM unnest({}::int[], {}::int[])",
        [number for number, _ in rows],
        [size for _, size in rows],
    )
    await statement.run(database)


class TestAllOrNothing:
    async def test_an_expectation_that_is_not_met_leaves_nothing(self, either: Database) -> None:
        await having(either, (1, 10))
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, {}::int)", 2, 20)
        statement.add("DELETE FROM item WHERE id = {}", 1)
        statement.add("UPDATE item SET size = 0 WHERE id = {}", 7, expect=1)

        with pytest.raises(Conflict, match="f2: 0 rows affected, 1 expected"):
            await statement.run(either)

        assert await items(either) == [(1, 10)]

    async def test_a_unique_violation_leaves_nothing(self, either: Database) -> None:
        await having(either, (1, 10))
        statement = Statement()
        statement.add("UPDATE item SET size = 11 WHERE id = {}", 1, expect=1)
        statement.add("INSERT INTO item VALUES ({}::int, {}::int)", 2, 20)
        statement.add("INSERT INTO item VALUES ({}::int, {}::int)", 1, 0)

        with pytest.raises(Conflict, match="item_pkey"):
            await statement.run(either)

        assert await items(either) == [(1, 10)]

    async def test_two_parts_that_insert_the_same_key_are_a_conflict(
        self, either: Database
    ) -> None:
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, 1)", 1)
        statement.add("INSERT INTO item VALUES ({}::int, 2)", 1)

        with pytest.raises(Conflict, match="item_pkey"):
            await statement.run(either)

        assert await items(either) == []

    async def test_a_null_where_none_may_be_is_a_bug(self, either: Database) -> None:
        with pytest.raises(asyncpg.NotNullViolationError):
            await either.execute("INSERT INTO item VALUES (NULL, 1)")

    async def test_a_broken_rule_is_a_bug_and_leaves_nothing(self, either: Database) -> None:
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, 1)", 1)
        statement.add("INSERT INTO entity_lock (key, queue) VALUES ({}, {}::uuid[])", "k", [])

        with pytest.raises(asyncpg.CheckViolationError):
            await statement.run(either)

        assert await items(either) == []

    async def test_a_table_that_is_not_there_is_a_bug(self, either: Database) -> None:
        with pytest.raises(Exception, match="nowhere") as error:
            await either.fetch("SELECT * FROM nowhere")
        assert not isinstance(error.value, Conflict)


class TestSeenFromBefore:
    async def test_no_part_sees_what_another_does(self, either: Database) -> None:
        await having(either, (1, 10), (2, 20))
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, 0)", 3)
        statement.add("UPDATE item SET size = size + 1 WHERE id > {}", 1)
        statement.add("DELETE FROM item WHERE id IN (SELECT id FROM item WHERE size = {})", 10)
        statement.select("before", "SELECT count(*) FROM item WHERE id <> {}", 0)

        row = await statement.run(either)

        assert row["before"] == 2
        assert await items(either) == [(2, 21), (3, 0)]

    async def test_a_demand_sees_the_state_before(self, either: Database) -> None:
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, 0)", 3)
        statement.demand(0, "SELECT count(*) FROM item WHERE id = {}", 3)

        await statement.run(either)

        again = Statement()
        again.add("DELETE FROM item WHERE id = {}", 3)
        again.demand(0, "SELECT count(*) FROM item WHERE id = {}", 3)
        with pytest.raises(Conflict, match="demand 0: 1 rows affected, 0 expected"):
            await again.run(either)
        assert await items(either) == [(3, 0)]

    async def test_a_row_changed_twice_is_changed_once(self, either: Database) -> None:
        await having(either, (1, 10))
        statement = Statement()
        statement.add("UPDATE item SET size = 11 WHERE id = {}", 1)
        statement.add("UPDATE item SET size = 12 WHERE id = {}", 1, expect=1)

        await statement.run(either)

        assert await items(either) == [(1, 12)], "what is expected runs first"

    async def test_an_expectation_on_a_row_that_went_away_is_not_met(
        self, either: Database
    ) -> None:
        await having(either, (1, 10))
        statement = Statement()
        statement.add("DELETE FROM item WHERE id = {}", 1, expect=1)
        statement.add("UPDATE item SET size = 12 WHERE id = {}", 1, expect=1)

        with pytest.raises(Conflict, match="f1: 0 rows affected"):
            await statement.run(either)

        assert await items(either) == [(1, 10)]

    async def test_what_nobody_expects_runs_from_the_last_to_the_first(
        self, either: Database
    ) -> None:
        """So a command that is sent again while its sent row is deleted stays."""
        await having(either, (1, 10), (2, 20))
        statement = Statement()
        statement.add("INSERT INTO item VALUES ({}::int, 11) ON CONFLICT (id) DO NOTHING", 1)
        statement.add("DELETE FROM item WHERE id = ANY({}::int[])", [1])
        await statement.run(either)
        other_way_round = Statement()
        other_way_round.add("DELETE FROM item WHERE id = ANY({}::int[])", [2])
        other_way_round.add("INSERT INTO item VALUES ({}::int, 0) ON CONFLICT (id) DO NOTHING", 2)

        await other_way_round.run(either)

        assert await items(either) == [(1, 11)]

    async def test_a_merge_into_a_row_that_the_statement_made_is_a_bug(
        self, either: Database
    ) -> None:
        await having(either, (1, 10))
        statement = Statement()
        statement.add(
            "INSERT INTO item AS i VALUES ({}::int, 5)"
            " ON CONFLICT (id) DO UPDATE SET size = i.size + excluded.size",
            1,
        )
        statement.add("UPDATE item SET size = 11 WHERE id = {}", 1)

        with pytest.raises(asyncpg.CardinalityViolationError):
            await statement.run(either)

        assert await items(either) == [(1, 10)]


class TestReadings:
    async def test_parts_without_rows_are_told_so(self, either: Database) -> None:
        await having(either, (1, 10), (2, 20))
        reading = Reading()
        found: dict[str, list[Row]] = {}
        sql = "SELECT id::text, size::bigint, NULL::bigint, NULL::text, 'x'::text FROM item"
        reading.add(
            f"{sql} WHERE id = ANY({{}}::int[]) ORDER BY id DESC",
            [2, 1, 7],
            into=lambda rows: found.update(some=rows),
        )
        reading.add(f"{sql} WHERE id = {{}}", 7, into=lambda rows: found.update(none=rows))

        await reading.run(either)

        assert found["none"] == []
        assert sorted(found["some"]) == [("1", 10, None, None, "x"), ("2", 20, None, None, "x")]


class TestQueries:
    @pytest.mark.parametrize(
        ("sql", "args", "rows"),
        [
            ("SELECT id FROM item WHERE size > $1 ORDER BY id DESC LIMIT 2", [10], [(4,), (3,)]),
            ("SELECT count(*), min(size), max(size) FROM item WHERE size IS NOT NULL", [],
             [(3, 10, 30)]),
            ("SELECT size, count(*) FROM item GROUP BY size ORDER BY size NULLS FIRST", [],
             [(None, 1), (10, 1), (20, 1), (30, 1)]),
            ("SELECT id FROM item WHERE size <> ALL($1::int[]) ORDER BY id", [[10]],
             [(3,), (4,)]),
            ("SELECT id FROM item WHERE NOT (size = ANY($1::int[])) ORDER BY 1", [[10, None]], []),
            ("SELECT id FROM item WHERE size IS DISTINCT FROM $1 ORDER BY id", [10],
             [(2,), (3,), (4,)]),
            ("SELECT coalesce(size, -1) FROM item ORDER BY size DESC", [],
             [(-1,), (30,), (20,), (10,)]),
            ("SELECT id FROM item WHERE id IN (SELECT size / 10 FROM item) ORDER BY id", [],
             [(1,), (2,), (3,)]),
            ("SELECT i.id, j.id FROM item AS i LEFT JOIN item AS j ON j.id = i.size / 10"
             " ORDER BY i.id", [], [(1, 1), (2, None), (3, 2), (4, 3)]),
            ("SELECT ARRAY(SELECT id FROM item WHERE size < $1 ORDER BY id)", [25], [([1, 3],)]),
            ("SELECT CASE WHEN size > 15 THEN 'big' WHEN size <= 15 THEN 'small' END FROM item"
             " ORDER BY id", [], [("small",), (None,), ("big",), ("big",)]),
            ("SELECT u.a, u.n FROM unnest($1::text[]) WITH ORDINALITY AS u(a, n)"
             " WHERE NOT EXISTS (SELECT FROM item WHERE id = u.n)", [list("abcdef")],
             [("e", 5), ("f", 6)]),
            ("SELECT array_agg(id ORDER BY size DESC) FILTER (WHERE size > 10) FROM item", [],
             [([4, 3],)]),
            ("SELECT DISTINCT ON (id % 2) id FROM item ORDER BY id % 2, id DESC", [],
             [(4,), (3,)]),
            ("SELECT id FROM item WHERE size < 15 OR size IS NULL ORDER BY id", [], [(1,), (2,)]),
            ("SELECT id FROM item WHERE NOT (size < 15) ORDER BY id", [], [(3,), (4,)]),
            ("SELECT id FROM item WHERE (id, size) IN (SELECT * FROM unnest($1::int[], $2::int[]))"
             " ORDER BY id", [[1, 2, 3], [10, 20, 20]], [(1,), (3,)]),
            ("WITH gone AS (DELETE FROM item WHERE size > $1 RETURNING id, size)"
             " SELECT id FROM gone ORDER BY id", [15], [(3,), (4,)]),
            ("UPDATE item SET size = 0 WHERE id = (SELECT id FROM item WHERE size > $1"
             " ORDER BY size LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id", [10], [(3,)]),
            ("SELECT id FROM item WHERE id = ANY(ARRAY(SELECT size / 10 FROM item)) ORDER BY id",
             [], [(1,), (2,), (3,)]),
            ("WITH RECURSIVE n AS ((SELECT id FROM item ORDER BY id LIMIT 1) UNION ALL"
             " SELECT i.id FROM n JOIN item AS i ON i.id = n.id + 1) SELECT id FROM n", [],
             [(1,), (2,), (3,), (4,)]),
            ("SELECT k.n, (SELECT count(*) FROM item WHERE id >= k.n) FROM unnest($1::int[])"
             " AS k(n) CROSS JOIN LATERAL (SELECT FROM item WHERE id = k.n LIMIT 1) AS one",
             [[4, 9, 3]], [(4, 1), (3, 2)]),
            ("SELECT id, id IN (1, 9), size IN (10, NULL) FROM item WHERE id < 3 ORDER BY id",
             [], [(1, True, True), (2, False, None)]),
            ("UPDATE item AS i SET size = u.size FROM unnest($1::int[], $2::int[])"
             " AS u(id, size) WHERE i.id = u.id RETURNING i.id, i.size", [[2], [5]], [(2, 5)]),
        ],
    )  # fmt: skip
    async def test_give_the_same(
        self, either: Database, sql: str, args: list[Any], rows: list[tuple[Any, ...]]
    ) -> None:
        await either.execute("INSERT INTO item VALUES (1, 10), (2, NULL), (3, 20), (4, 30)")

        found = await either.fetch(sql, *args)

        assert [tuple(row) for row in found] == rows

    async def test_a_record_answers_to_places_and_names(self, either: Database) -> None:
        await having(either, (1, 10))

        row = await either.fetchrow("SELECT id, size AS wide FROM item")

        assert (row[0], row["wide"], dict(row)) == (1, 10, {"id": 1, "wide": 10})
        assert await either.fetchrow("SELECT id FROM item WHERE id = 9") is None
        assert await either.fetchval("SELECT id FROM item WHERE id = 9") is None

    async def test_tags_say_how_many(self, either: Database) -> None:
        tags = [
            await either.execute("INSERT INTO item VALUES (1, 10), (2, 20)"),
            await either.execute("INSERT INTO item VALUES (1, 0) ON CONFLICT DO NOTHING"),
            await either.execute("UPDATE item SET size = 0"),
            await either.execute("DELETE FROM item WHERE id = 1"),
        ]

        assert tags == ["INSERT 0 2", "INSERT 0 0", "UPDATE 2", "DELETE 1"]

    async def test_json_comes_back_as_values(self, either: Database) -> None:
        await either.execute(
            "INSERT INTO account (id, revision, version, state) VALUES ($2, 1, 1, $1)",
            {"a": [1, {"b": None}], "name": "x"},
            UUID(int=1),
        )

        row = await either.fetchrow(
            "SELECT state, state ->> 'name' AS name, state -> 'a' -> 1 AS inner FROM account"
        )

        assert tuple(row) == ({"a": [1, {"b": None}], "name": "x"}, "x", {"b": None})
