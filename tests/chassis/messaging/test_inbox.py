"""What the inbox remembers, for how long, and how it forgets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from chassis.clock import derived_id, new_id
from chassis.errors import Conflict
from chassis.messaging.inbox import Inbox, Kept, prune_inbox
from chassis.messaging.partitions import span
from chassis.stores.migrate import CHASSIS, migrate
from chassis.stores.postgres import Database, Reading, Statement

DAY = timedelta(days=1)
KEEP_S = 7 * 86_400.0
GROUP = "billing"


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    await migrate(fresh_database, [CHASSIS])
    database = await Database.open(fresh_database, pool_max=2)
    yield database
    await database.close()


def an_id(age: timedelta) -> UUID:
    """Of a message that was born so long ago."""
    return derived_id(datetime.now(UTC) - age, new_id())


async def weeks_of(database: Database) -> list[str]:
    """The partitions, oldest first."""
    rows = await database.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass"
        " AND inhrelid <> 'inbox_default'::regclass ORDER BY 1"
    )
    return [row[0] for row in rows]


async def add_week(database: Database, age: timedelta) -> str:
    """As if the service had run for so long: the partition of that week."""
    first = await database.fetchval("SELECT date_trunc('week', now() - $1::interval, 'UTC')", age)
    name = f"inbox_{first:%Y%m%d}"
    if name not in await weeks_of(database):
        low, high = [
            await database.fetchval("SELECT id_floor($1)", moment)
            for moment in (first, first + 7 * DAY)
        ]
        await database.execute(
            f"CREATE TABLE {name} PARTITION OF inbox FOR VALUES FROM ('{low}') TO ('{high}')"
        )
    return name


async def keep(database: Database, *ids: UUID, ago: timedelta | None = None) -> None:
    """Handle these messages: now, or so long ago."""
    inbox, statement = Inbox(GROUP), Statement()
    for message_id in ids:
        inbox.keep(message_id, Kept("T", b"{}"))
    inbox.flush(statement)
    await statement.run(database)
    if ago:
        await database.execute(
            "UPDATE inbox SET at = now() - $1::interval WHERE message_id = ANY($2::uuid[])",
            ago,
            list(ids),
        )


async def knows(database: Database, *ids: UUID) -> list[bool]:
    inbox, reading = Inbox(GROUP), Reading()
    inbox.reads(reading, ids)
    await reading.run(database)
    return [inbox.seen(message_id) is not None for message_id in ids]


async def test_an_old_week_is_dropped_and_no_row_deleted(database: Database) -> None:
    old_week = await add_week(database, 30 * DAY)
    old, young = [an_id(30 * DAY) for _ in range(5)], new_id()
    await keep(database, *old, ago=29 * DAY)
    await keep(database, young)

    deleted = await prune_inbox(database, KEEP_S)

    assert deleted == 0
    assert old_week not in await weeks_of(database)
    assert await knows(database, young, *old) == [True, *[False] * 5]


async def test_a_week_stays_while_one_of_its_messages_was_handled_lately(
    database: Database,
) -> None:
    old_week = await add_week(database, 30 * DAY)
    old, of_a_slow_saga = an_id(30 * DAY), an_id(30 * DAY)
    await keep(database, old, ago=29 * DAY)
    await keep(database, of_a_slow_saga, ago=2 * DAY)

    await prune_inbox(database, KEEP_S)

    assert old_week in await weeks_of(database)
    assert await knows(database, old, of_a_slow_saga) == [True, True]


@pytest.mark.parametrize(
    "who",
    [
        'INSERT INTO dead_letter (id, consumer_group, topic, partition, "offset", sent_ms, queue,'
        " headers, state, reason, first_at) VALUES (gen_random_uuid(), 'billing', 't', 0, 0, 0,"
        " 'q', '{}', 'failed', '', now() - interval '40 days')",
        "INSERT INTO pending_reply (name, consumer_group, message_id, type, reply_to, subject,"
        " traceparent, at) VALUES ('n', 'billing', gen_random_uuid(), 't', '', '', '',"
        " now() - interval '40 days')",
    ],
    ids=["a letter that has not ended", "a command that waits for its answer"],
)
async def test_nothing_younger_than_what_is_undecided_is_forgotten(
    database: Database, who: str
) -> None:
    week = await add_week(database, 30 * DAY)
    old, keyed = an_id(30 * DAY), derived_id(datetime(2100, 1, 1, tzinfo=UTC), new_id())
    await keep(database, old, keyed, ago=29 * DAY)
    await database.execute(who)

    await prune_inbox(database, KEEP_S)

    assert week in await weeks_of(database)
    assert await knows(database, old, keyed) == [True, True]
    await database.execute("DELETE FROM dead_letter")
    await database.execute("DELETE FROM pending_reply")
    assert await prune_inbox(database, KEEP_S) == 1
    assert await knows(database, old, keyed) == [False, False]


async def test_a_message_of_a_week_that_was_dropped_is_handled_and_remembered(
    database: Database,
) -> None:
    await add_week(database, 30 * DAY)
    await prune_inbox(database, KEEP_S)
    late = an_id(30 * DAY)

    await keep(database, late)

    assert await knows(database, late) == [True]
    with pytest.raises(Conflict):
        await keep(database, late)


async def test_a_message_has_one_place_whenever_it_is_handled(database: Database) -> None:
    """Two replicas at the turn of a week: the second one conflicts."""
    message = an_id(timedelta())
    await keep(database, message, ago=20 * DAY)

    with pytest.raises(Conflict):
        await keep(database, message)


async def test_rows_that_came_before_their_week_move_into_it(database: Database) -> None:
    late = an_id(-30 * DAY)  # of a clock that is a month ahead
    await keep(database, late)
    before = await weeks_of(database)

    until = await database.fetchval("SELECT id_partitions('inbox', 'week', 5)")

    assert len(await weeks_of(database)) == len(before) + 3
    assert until > datetime.now(UTC) + 35 * DAY
    assert await database.fetchval("SELECT count(*) FROM inbox_default") == 0
    assert await knows(database, late) == [True]


async def test_the_coming_weeks_are_made_and_how_far_is_told(database: Database) -> None:
    for week in await weeks_of(database):
        await database.execute(f"DROP TABLE {week}")
    waiting = new_id()
    await keep(database, waiting)  # never fails: it goes to the default partition

    await prune_inbox(database, KEEP_S)

    assert len(await weeks_of(database)) == 3
    assert await knows(database, waiting) == [True]
    until = REGISTRY.get_sample_value("basalt_partitions_until_seconds", {"table": "inbox"})
    assert until is not None
    assert until > (datetime.now(UTC) + 14 * DAY).timestamp()


async def test_nobody_waits_for_the_pruning(database: Database) -> None:
    """A long transaction holds the tables: the pruning gives up, and messages are handled."""
    await add_week(database, 30 * DAY)
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SELECT count(*) FROM inbox")

        with pytest.raises(Conflict):
            await prune_inbox(database, KEEP_S)

    await keep(database, new_id())
    await prune_inbox(database, KEEP_S)


async def test_a_lookup_opens_no_week_but_its_own(database: Database) -> None:
    await add_week(database, 30 * DAY)
    ids = [new_id() for _ in range(3)]
    reading = Reading()
    Inbox(GROUP).reads(reading, ids)
    sql, args = reading.build()

    plan = await database.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", *args)

    scans = [row[0] for row in plan if "Scan using" in row[0]]
    assert len(scans) == 1, scans


def test_the_span_of_nothing_is_empty() -> None:
    low, high = UUID(int=3), UUID(int=9)

    assert span([high, low]) == (low, high)
    assert span([]) == (UUID(int=0), UUID(int=0))


async def test_a_table_full_of_rows_is_partitioned_where_it_stands(database: Database) -> None:
    """What the migration does to an inbox of an older release."""
    await database.execute(
        "CREATE TABLE letter (id uuid PRIMARY KEY, note text NOT NULL DEFAULT 'x')"
        " WITH (fillfactor = 60)"
    )
    old, young, keyed = an_id(60 * DAY), new_id(), derived_id(datetime(2100, 1, 1, tzinfo=UTC), 1)
    every = {old, young, keyed}
    sql = "INSERT INTO letter (id) SELECT unnest($1::uuid[])"
    await database.execute(sql, list(every))

    await database.execute("SELECT partition_by_id('letter', 'id')")
    await database.execute("SELECT id_partitions('letter', 'week', 2)")

    rows = await database.fetch("SELECT id, tableoid::regclass::text AS part, note FROM letter")
    assert {row["id"] for row in rows} == every
    assert [row["id"] for row in rows if row["part"] != "letter_default"] == [young]
    for message_id in every:
        with pytest.raises(Conflict):
            await database.execute(sql, [message_id])
    options = await database.fetch(
        "SELECT DISTINCT reloptions FROM pg_class WHERE relname LIKE 'letter_2%' AND relkind = 'r'"
    )
    assert [row[0] for row in options] == [["fillfactor=60"]]
