"""The saga tables on both PostgreSQLs: compare-and-set, claims, locks, the wake-up rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.clock import new_id
from chassis.errors import Conflict
from chassis.saga.batch import Batch, Change, Line
from chassis.saga.inputs import Happened, Note
from chassis.saga.locks import add_joins, add_leaves, holders
from chassis.saga.state import Phase, SagaState, Status
from chassis.saga.store import SagaStore
from chassis.stores.postgres import Database, Statement
from sagas.publish_app import publish_app
from services.orchestrator.model import DEFINITIONS, announce

NOW = datetime.now(UTC)
PINS = [("publish_app", publish_app.version)]
LEASE = timedelta(seconds=30)


def a_saga(**what_matters: Any) -> SagaState:
    fields: dict[str, Any] = {
        "id": new_id(),
        "saga": "publish_app",
        "definition_version": publish_app.version,
        "workspace_id": UUID(int=7),
        "actor_id": None,
        "started_at": NOW,
        "updated_at": NOW,
        "deadline_at": NOW + timedelta(hours=1),
        "wake_at": NOW + timedelta(minutes=1),
        "data": {"app_id": "a"},
        "steps": [],
        "status": Status.RUNNING,
        "phase": Phase.FORWARD,
        "cursor": 0,
        "version": 1,
        "facts": 0,
        "error_type": "",
        "error": {},
        "business_key": "a",
        "traceparent": "",
    }
    return SagaState(**(fields | what_matters))


def moved(state: SagaState, **changes: Any) -> Change:
    """The next version of it."""
    return Change(state.version, replace(state, version=state.version + 1, **changes))


async def wrote(database: Database, *changes: Change, exact: bool = False) -> None:
    batch, statement = Batch(DEFINITIONS, announce), Statement()
    batch.changes = {change.state.id: change for change in changes}
    SagaStore(database, shards=2).add_changes(statement, batch, exact=exact)
    await statement.run(database)


async def begun(database: Database, *states: SagaState) -> None:
    await wrote(database, *[Change(0, state) for state in states])


async def column(database: Database, name: str, saga: SagaState) -> Any:
    return await database.fetchval(f"SELECT {name} FROM saga_instance WHERE id = $1", saga.id)


class TestRows:
    async def test_a_state_is_read_as_it_was_written(self, either: Database) -> None:
        saga, other = a_saga(), a_saga(workspace_id=None, actor_id=UUID(int=3))
        message_id = new_id()
        statement = Statement()
        store = SagaStore(either, shards=2)
        store.add_inbox(statement, [message_id])
        await statement.run(either)
        await begun(either, saga, other)

        states, seen = await store.load([saga.id, new_id(), other.id], [message_id, new_id()])

        assert states == {saga.id: saga, other.id: other}
        assert seen == {message_id}

    async def test_a_lost_race_is_a_conflict_and_leaves_nothing(self, either: Database) -> None:
        mine, contested = a_saga(), a_saga()
        await begun(either, mine, contested)
        await wrote(either, moved(contested, cursor=1))

        with pytest.raises(Conflict):
            await wrote(either, moved(mine, cursor=9), moved(contested, cursor=9))

        assert await column(either, "cursor", mine) == 0
        assert await column(either, "cursor", contested) == 1

    async def test_a_saga_that_is_there_cannot_begin_again(self, either: Database) -> None:
        saga = a_saga()
        await begun(either, saga)

        with pytest.raises(Conflict, match=r"saga_instance.*_pkey"):
            await begun(either, a_saga(), saga)

        assert await either.fetchval("SELECT count(*) FROM saga_instance") == 1

    @pytest.mark.parametrize(
        ("status", "wake_at"), [(Status.RUNNING, None), (Status.COMPLETED, NOW)]
    )
    async def test_open_has_a_wake_up_and_ended_has_none(
        self, either: Database, status: Status, wake_at: datetime | None
    ) -> None:
        saga = a_saga()
        await begun(either, saga)

        with pytest.raises(asyncpg.CheckViolationError, match="open_has_wake_up"):
            await wrote(either, moved(saga, status=status, wake_at=wake_at), exact=True)

        assert await column(either, "version", saga) == 1

    @pytest.mark.parametrize("exact", [True, False])
    async def test_an_earlier_wake_up_stays_unless_it_is_to_be_exact(
        self, either: Database, exact: bool
    ) -> None:
        saga = a_saga()
        await begun(either, saga)
        later = NOW + timedelta(minutes=5)

        await wrote(either, moved(saga, wake_at=later), exact=exact)

        wanted = later if exact else saga.wake_at
        assert await column(either, "next_wake_at", saga) == wanted

    async def test_an_ended_saga_keeps_the_time_of_its_end(self, either: Database) -> None:
        saga = a_saga()
        await begun(either, saga)
        ended = moved(saga, status=Status.COMPLETED, wake_at=None, updated_at=NOW)
        await wrote(either, ended)
        late = moved(ended.state, updated_at=NOW + timedelta(hours=1))

        await wrote(either, late)

        assert await column(either, "updated_at", saga) == NOW
        assert await column(either, "next_wake_at", saga) is None

    async def test_a_rearm_is_for_its_version_alone(self, either: Database) -> None:
        saga, gone_on = a_saga(), a_saga()
        await begun(either, saga, gone_on)
        await wrote(either, moved(gone_on))
        soon, statement = NOW + timedelta(seconds=5), Statement()
        rearmed = [replace(saga, wake_at=soon), replace(gone_on, wake_at=soon)]

        SagaStore(either, shards=2).add_rearms(statement, rearmed)
        await statement.run(either)

        assert await column(either, "next_wake_at", saga) == soon
        assert await column(either, "next_wake_at", gone_on) == gone_on.wake_at

    async def test_history_is_in_order(self, either: Database) -> None:
        saga = a_saga()
        for version, happened in ((1, Happened.STARTED), (2, Happened.IGNORED)):
            batch, statement = Batch(DEFINITIONS, announce), Statement()
            batch.lines.append(_line(saga, version, Note(happened, "step", f"{version}")))
            SagaStore(either, shards=2).add_changes(statement, batch)
            await statement.run(either)

        rows = await SagaStore(either, shards=2).history(saga.id)

        assert [tuple(row)[2:] for row in rows] == [
            ("started", "step", "1"),
            ("ignored", "step", "2"),
        ]


def _line(saga: SagaState, version: int, note: Note) -> Line:
    return Line(saga.id, version, NOW, (note,))


class TestClaim:
    async def test_takes_the_oldest_of_each_shard_and_moves_their_wake_up(
        self, either: Database
    ) -> None:
        sagas = [a_saga(wake_at=NOW - timedelta(minutes=n)) for n in range(20)]
        await begun(either, *sagas, a_saga(wake_at=NOW + timedelta(hours=1)))
        store = SagaStore(either, shards=2)

        claimed, at = await store.claim(PINS, per_shard=3, lease=LEASE)

        by_shard: dict[int, list[SagaState]] = {0: [], 1: []}
        for saga in reversed(sagas):
            by_shard[await column(either, "shard", saga)].append(saga)
        wanted = {saga.id for few in by_shard.values() for saga in few[:3]}
        assert {saga.id for saga in claimed} == wanted
        for saga in claimed:
            wake = await column(either, "next_wake_at", saga)
            assert timedelta(0) < wake - at < 2 * LEASE
        again, _ = await store.claim(PINS, per_shard=30, lease=LEASE)
        assert len(again) == 20 - len(claimed), "what is claimed is nobody else's"

    async def test_leaves_what_is_not_deployed_or_has_ended(self, either: Database) -> None:
        past = NOW - timedelta(minutes=1)
        due = a_saga(wake_at=past)
        await begun(
            either,
            due,
            a_saga(wake_at=past, definition_version=99),
            a_saga(wake_at=past, saga="other"),
            a_saga(wake_at=None, status=Status.COMPLETED),
        )

        claimed, _ = await SagaStore(either, shards=2).claim(PINS, per_shard=5, lease=LEASE)

        assert [saga.id for saga in claimed] == [due.id]
        assert (await SagaStore(either, shards=2).claim(PINS, per_shard=5, lease=LEASE))[0] == []


A, B, C, D = (UUID(int=n) for n in (1, 2, 3, 4))


async def joined(
    database: Database, *wanted: tuple[str, UUID], free: set[str] | None = None
) -> None:
    statement = Statement()
    add_joins(statement, wanted, free or set())
    await statement.run(database)


async def queues(database: Database) -> dict[str, list[int]]:
    rows = await database.fetch("SELECT key, queue FROM entity_lock ORDER BY key")
    return {row["key"]: [saga.int for saga in row["queue"]] for row in rows}


class TestLocks:
    async def test_who_comes_later_stands_behind(self, either: Database) -> None:
        await joined(either, ("k", A), ("m", A), free={"k", "m"})
        await joined(either, ("k", C), ("k", B), ("n", B))

        assert await queues(either) == {"k": [1, 3, 2], "m": [1], "n": [2]}
        assert await holders(either, ["k", "m", "x"]) == {"k": (A, 3), "m": (A, 1)}

    async def test_a_lock_taken_meanwhile_is_a_conflict(self, either: Database) -> None:
        await joined(either, ("k", A), free={"k"})

        with pytest.raises(Conflict, match="entity_lock_pkey"):
            await joined(either, ("other", B), ("k", B), free={"k", "other"})

        assert await queues(either) == {"k": [1]}

    async def test_who_leaves_makes_room_in_order(self, either: Database) -> None:
        await joined(either, *[("k", saga) for saga in (A, B, C, D)], ("m", A))
        statement = Statement()

        add_leaves(statement, [("k", A), ("m", A), ("k", C)], [])
        await statement.run(either)

        assert await queues(either) == {"k": [2, 4]}

    async def test_the_next_in_line_is_woken_and_nobody_else(self, either: Database) -> None:
        waiting = {"phase": Phase.LOCKING, "wake_at": NOW + timedelta(hours=1)}
        heir, behind, touched = (a_saga(**waiting) for _ in range(3))
        at_work = a_saga(wake_at=NOW + timedelta(hours=1))
        await begun(either, heir, behind, touched, at_work)
        await joined(either, ("k", A), ("k", heir.id), ("k", behind.id))
        await joined(either, ("m", A), ("m", touched.id), ("n", A), ("n", at_work.id))
        statement = Statement()

        add_leaves(statement, [("k", A), ("m", A), ("n", A)], [touched.id])
        await statement.run(either)

        woken = [
            await column(either, "next_wake_at < now() + interval '1 minute'", saga)
            for saga in (heir, behind, touched, at_work)
        ]
        assert woken == [True, False, False, False]

    async def test_leave_and_join_in_one_transaction(self, either: Database) -> None:
        """The one that leaves does so first; the new one then finds the lock free."""
        await joined(either, ("k", A))
        statement = Statement()
        add_joins(statement, [("k", B)], set())
        add_leaves(statement, [("k", A)], [])

        await statement.run(either)

        assert await queues(either) == {"k": [2]}

    async def test_leave_and_join_where_somebody_waits_is_refused(self, either: Database) -> None:
        await joined(either, ("k", A), ("k", C))
        statement = Statement()
        add_joins(statement, [("k", B)], set())
        add_leaves(statement, [("k", A)], [])

        with pytest.raises(asyncpg.CardinalityViolationError):
            await statement.run(either)

        assert await queues(either) == {"k": [1, 3]}
