"""Random statements on both PostgreSQLs: the same outcome each time, the same tables at the end."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import Conflict
from chassis.messaging.inbox import Inbox, Kept
from chassis.messaging.outbox import Outgoing, add_outbox
from chassis.messaging.relay import _FOREIGN
from chassis.parking.lot import waiting
from chassis.saga.batch import Change
from chassis.saga.locks import add_joins, add_leaves, holders
from chassis.saga.store import GROUP, SagaStore
from chassis.stores.postgres import Database, Statement
from chassis.testing.messages import FakeRecord
from tests.chassis.simulation.postgres.places import a_lot, a_real, a_simulated
from tests.chassis.simulation.postgres.test_saga_contract import a_saga, moved, wrote

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [UUID(int=n) for n in range(1, 5)]
KEYS = ["a", "b"]
Act = Callable[[Database], Coroutine[Any, Any, object]]

ids = st.sampled_from(IDS)
few = st.lists(ids, min_size=1, max_size=3, unique=True)
pairs = st.lists(st.tuples(st.sampled_from(KEYS), ids), min_size=1, max_size=4, unique=True)


@st.composite
def a_statement(draw: st.DrawFn) -> Act:
    """Several of the chassis's fragments in one transaction."""
    kept = draw(st.lists(ids, max_size=2, unique=True))
    sent = draw(st.lists(st.tuples(ids, st.integers(0, 1)), max_size=3, unique_by=lambda t: t[0]))
    epochs = draw(st.dictionaries(st.integers(0, 1), st.integers(1, 3), max_size=2))
    deleted = draw(st.lists(ids, max_size=2, unique=True))

    async def act(database: Database) -> object:
        statement, inbox = Statement(), Inbox(GROUP)
        for message_id in kept:
            inbox.keep(message_id, Kept("T", b"{}"))
        inbox.flush(statement)
        rows = [Outgoing(i, shard, "k", "T", "t.v1", {}, b"{}") for i, shard in sent]
        add_outbox(statement, rows, epochs)
        if deleted:
            statement.add("DELETE FROM outbox WHERE id = ANY({}::uuid[])", deleted)
        if epochs:
            statement.select("foreign", _FOREIGN, list(epochs), list(epochs.values()))
        row = await statement.run(database)
        return sorted(row["foreign"]) if epochs else None

    return act


@st.composite
def a_lock_statement(draw: st.DrawFn) -> Act:
    joins = draw(pairs)
    leaves = draw(st.one_of(st.just([]), pairs))
    free = set(draw(st.lists(st.sampled_from(KEYS), max_size=1)))

    async def act(database: Database) -> object:
        statement = Statement()
        add_joins(statement, joins, free)
        add_leaves(statement, leaves, [])
        await statement.run(database)
        return sorted((await holders(database, KEYS)).items())

    return act


@st.composite
def a_saga_statement(draw: st.DrawFn) -> Act:
    saga = a_saga(
        id=draw(ids),
        version=draw(st.integers(1, 2)),
        wake_at=START + timedelta(seconds=draw(st.integers(0, 3))),
        started_at=START,
        updated_at=START,
        deadline_at=START,
    )
    others = [a_saga(id=i, started_at=START, updated_at=START) for i in draw(few) if i != saga.id]
    begins, exact = draw(st.booleans()), draw(st.booleans())

    async def act(database: Database) -> object:
        if begins:
            await wrote(database, *[moved(s) for s in others], exact=exact)
            return None
        await wrote(database, Change(0, saga), exact=exact)
        return None

    return act


@st.composite
def a_move(draw: st.DrawFn) -> Act:
    chosen, cursor = draw(few), draw(st.integers(0, 5))

    async def act(database: Database) -> object:
        states, _ = await SagaStore(database, shards=2).load(chosen, chosen)
        changes = [moved(states[i], cursor=cursor) for i in chosen if i in states]
        if changes:
            await wrote(database, *changes)
        return sorted(i.int for i in states)

    return act


@st.composite
def a_parking(draw: st.DrawFn) -> Act:
    number, key = draw(st.integers(0, 3)), draw(st.sampled_from(KEYS))
    message_id, settles = draw(ids), draw(st.booleans())

    async def act(database: Database) -> object:
        lot = a_lot(database)
        record = FakeRecord("t", 0, number, key.encode(), b"{}")
        if settles:
            rows = await database.fetch("SELECT id FROM dead_letter ORDER BY seq LIMIT 1")
            await lot.settle_now([row["id"] for row in rows])
        else:
            await lot.line_up([waiting(record, f"t {key}", message_id)])
        return sorted(await lot.parked(f"t {k}" for k in KEYS))

    return act


acts = st.lists(
    st.one_of(a_statement(), a_lock_statement(), a_saga_statement(), a_move(), a_parking()),
    min_size=1,
    max_size=12,
)

TABLES = {
    "inbox": "message_id, reply_type, reply",
    "outbox": "id, shard, epoch, payload",
    "entity_lock": "key, queue",
    "saga_instance": "id, version, cursor, next_wake_at, status",
    "dead_letter": 'topic, "offset", queue, state, message_id',
}


async def outcome_of(database: Database, wanted: list[Act]) -> list[object]:
    """What each act gave or raised, then all the rows."""
    found: list[object] = []
    for act in wanted:
        try:
            found.append(await act(database))
        except (Conflict, asyncpg.CardinalityViolationError) as error:
            found.append(type(error).__name__)
    for table, columns in TABLES.items():
        rows = await database.fetch(f"SELECT {columns} FROM {table}")
        found.append(sorted([tuple(map(str, row)) for row in rows]))
    return found


@pytest.mark.servers
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=acts)
def test_both_do_the_same(postgres_url: str, wanted: list[Act]) -> None:
    async def both() -> tuple[list[object], list[object]]:
        async with a_simulated() as simulated, a_real(postgres_url) as real:
            return await outcome_of(simulated, wanted), await outcome_of(real, wanted)

    simulated, real = asyncio.run(both())

    assert simulated == real
