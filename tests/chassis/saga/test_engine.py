"""The engine on a real PostgreSQL: what is written together, what is refused, who is woken."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from chassis.clock import new_id
from chassis.errors import Conflict, Unavailable
from chassis.messaging.outbox import hash_of
from chassis.saga import Definitions
from chassis.saga.locks import QUEUE_MAX
from chassis.stores.statement import Statement
from contracts.base import Message
from contracts.billing.account import ReleaseQuota, ReserveQuota
from contracts.delivery.environment import Environment
from contracts.delivery.release import (
    AbandonRelease,
    LivePointerMoved,
    SwitchLivePointer,
)
from contracts.studio.app import FreezeRevision, UnfreezeRevision
from sagas.onboard_workspace import onboard_workspace
from tests.chassis.saga.stand import Stand, a_stand, answer_to, contracts_of

APP = UUID(int=8)


@pytest.fixture
async def stand(fresh_database: str) -> AsyncIterator[Stand]:
    async with a_stand(fresh_database) as stand:
        yield stand


class TestStart:
    async def test_writes_the_saga_with_its_first_command(self, stand: Stand) -> None:
        (saga,) = await stand.publish()

        shards = await stand.database.fetch("SELECT DISTINCT shard FROM outbox")
        (sent,) = await stand.take_commands()

        assert [row["shard"] for row in shards] == [hash_of(str(saga.id)) % 16]
        assert sent.contract is ReserveQuota
        assert sent.headers["ce_correlationid"] == str(saga.id)
        assert sent.headers["ce_replyto"] == "reply.orchestrator.v1"
        assert await stand.state(saga) == saga

    async def test_writes_nothing_when_the_lock_was_taken_meanwhile(self, stand: Stand) -> None:
        batch = stand.engine._desk.batch()
        await stand.publish(app_id=APP)
        batch.free = {f"app_id:{APP}"}  # as if it had been read before the other's commit
        batch.joins = [(f"app_id:{APP}", new_id())]

        with pytest.raises(Conflict):
            await stand.engine._commit(Statement(), batch)

        assert len(await stand.states()) == 1


class TestAnswer:
    async def test_a_saga_completes_and_leaves_its_history(self, stand: Stand) -> None:
        (saga,) = await stand.publish()

        await stand.run_to_the_end()

        assert (await stand.state(saga)).status == "COMPLETED"
        history = await stand.engine._desk.store.history(saga.id)
        assert [row["happened"] for row in history] == ["started", *["step_done"] * 6]
        assert [row["version"] for row in history] == [1, 2, 3, 4, 5, 6, 7]
        assert await stand.database.fetchval("SELECT count(*) FROM entity_lock") == 0

    async def test_many_sagas_advance_in_one_transaction(self, stand: Stand) -> None:
        await stand.publish(count=150)
        moved = LivePointerMoved(app_id=APP, environment=Environment.STAGING, live_release_id=None)
        commands = await stand.take_commands()

        await stand.engine.answer([answer_to(sent, {}) for sent in commands])
        await stand.run_to_the_end({SwitchLivePointer: moved})

        states = (await stand.states()).values()
        assert [state.status for state in states] == ["COMPENSATED"] * 150
        assert {state.version for state in states} == {8}

    async def test_a_refused_pivot_compensates_in_reverse(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        moved = LivePointerMoved(app_id=APP, environment=Environment.STAGING, live_release_id=None)
        sent: list[type] = []

        while commands := await stand.take_commands():
            sent += contracts_of(commands)
            replies: dict[type[Message], Message] = {SwitchLivePointer: moved}
            await stand.engine.answer([answer_to(command, replies) for command in commands])

        assert sent[-3:] == [AbandonRelease, UnfreezeRevision, ReleaseQuota]
        assert (await stand.state(saga)).error_type == LivePointerMoved.address.type

    async def test_the_same_message_again_changes_nothing(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        (sent,) = await stand.take_commands()
        answer = answer_to(sent, {})

        await stand.deliver(answer, answer)
        await stand.deliver(answer)

        assert contracts_of(await stand.take_commands()) == [FreezeRevision]
        assert (await stand.state(saga)).version == 2

    async def test_the_same_answer_in_another_message_is_recorded_as_ignored(
        self, stand: Stand
    ) -> None:
        (saga,) = await stand.publish()
        (sent,) = await stand.take_commands()

        await stand.engine.answer([answer_to(sent, {}), answer_to(sent, {})])

        assert contracts_of(await stand.take_commands()) == [FreezeRevision]
        *_, last = await stand.engine._desk.store.history(saga.id)
        assert last["happened"] == "ignored"
        assert last["reason"] == "not awaited: answer to the command of ReserveQuota"

    async def test_an_answer_to_an_unknown_saga_is_passed_over(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        (sent,) = await stand.take_commands()
        stray = answer_to(sent, {})
        stray = type(stray)(stray.message_id, new_id(), stray.reply)

        await stand.engine.answer([stray])

        assert (await stand.state(saga)).version == 1

    async def test_of_two_replicas_one_wins_and_the_other_writes_nothing(
        self, stand: Stand
    ) -> None:
        (saga,) = await stand.publish()
        (sent,) = await stand.take_commands()
        replicas = [stand.another_engine() for _ in range(6)]

        outcomes = await asyncio.gather(
            *(replica.answer([answer_to(sent, {})]) for replica in replicas),
            return_exceptions=True,
        )

        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(failure, Conflict) for failure in failures)
        assert contracts_of(await stand.take_commands()) == [FreezeRevision]
        history = await stand.engine._desk.store.history(saga.id)
        assert [row["happened"] for row in history][:2] == ["started", "step_done"]
        assert len(history) == 1 + len(outcomes) - len(failures)

    async def test_a_version_that_is_not_deployed_here_waits(self, stand: Stand) -> None:
        await stand.publish()
        (sent,) = await stand.take_commands()
        old = stand.another_engine(Definitions((onboard_workspace,)))

        with pytest.raises(Unavailable, match="publish_app v2 is not deployed here"):
            await old.answer([answer_to(sent, {})])


class TestWake:
    async def test_sends_the_same_command_again(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        (first,) = await stand.take_commands()
        await stand.make_due(saga)

        woken = await stand.engine.wake(per_shard=10)

        (second,) = await stand.take_commands()
        assert woken == 1
        assert second.id == first.id
        assert (await stand.state(saga)).steps[0].attempts == 2

    async def test_a_command_that_still_waits_in_the_outbox_is_not_doubled(
        self, stand: Stand
    ) -> None:
        (saga,) = await stand.publish()
        await stand.make_due(saga)

        await stand.engine.wake(per_shard=10)

        assert contracts_of(await stand.take_commands()) == [ReserveQuota]

    async def test_an_early_wake_up_only_sets_the_right_time(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        await stand.database.execute("UPDATE saga_instance SET next_wake_at = now()")

        await stand.engine.wake(per_shard=10)

        assert (await stand.state(saga)).version == 1
        assert await stand.database.fetchval("SELECT next_wake_at FROM saga_instance") == (
            saga.wake_at
        )

    async def test_replicas_share_what_is_due(self, stand: Stand) -> None:
        for saga in await stand.publish(count=60):
            await stand.make_due(saga)
        await stand.take_commands()
        replicas = [stand.another_engine() for _ in range(3)]

        woken = await asyncio.gather(*(replica.wake(per_shard=100) for replica in replicas))

        assert sum(woken) == 60
        assert await stand.attempts() == {2}

    async def test_a_shard_full_of_trouble_leaves_room_for_others(self, stand: Stand) -> None:
        for saga in await stand.publish(count=60):
            await stand.make_due(saga)

        woken = await stand.engine.wake(per_shard=1)

        shards = await stand.database.fetchval("SELECT count(DISTINCT shard) FROM saga_instance")
        assert woken == shards

    async def test_leaves_alone_what_is_not_deployed_here(self, stand: Stand) -> None:
        (saga,) = await stand.publish()
        await stand.make_due(saga)
        old = stand.another_engine(Definitions((onboard_workspace,)))

        assert await old.wake(per_shard=10) == 0

    async def test_a_broken_saga_does_not_hold_up_the_others(self, stand: Stand) -> None:
        sagas = await stand.publish(count=3)
        for saga in sagas:
            await stand.make_due(saga)
        await stand.database.execute(
            "UPDATE saga_instance SET state = jsonb_set(state::jsonb, '{data}', '{}')::json"
            " WHERE id = $1",
            sagas[1].id,
        )

        await stand.engine.wake(per_shard=10)

        states = await stand.states()
        assert [states[saga.id].steps[0].attempts for saga in sagas] == [2, 1, 2]

    async def test_a_saga_that_has_not_ended_cannot_lose_its_wake_up(self, stand: Stand) -> None:
        await stand.publish()

        with pytest.raises(asyncpg.CheckViolationError):
            await stand.database.execute("UPDATE saga_instance SET next_wake_at = NULL")


class TestLocks:
    async def test_sagas_of_one_entity_run_one_after_the_other(self, stand: Stand) -> None:
        queued = [(await stand.publish(app_id=APP))[0] for _ in range(3)]
        finished: list[UUID] = []

        for saga in queued:
            await stand.run_to_the_end()
            ended = [state for state in (await stand.states()).values() if state.ended]
            finished += [state.id for state in ended if state.id not in finished]
            assert finished[-1] == saga.id
            await stand.engine.wake(per_shard=10)

        assert finished == [saga.id for saga in queued]

    async def test_started_together_they_queue_in_order(self, stand: Stand) -> None:
        first, second, third = await stand.publish(count=3, app_id=APP)

        assert first.phase == "FORWARD"
        assert second.phase == third.phase == "LOCKING"
        queue = await stand.database.fetchval("SELECT queue FROM entity_lock")
        assert [UUID(int=saga.int) for saga in queue] == [first.id, second.id, third.id]

    async def test_the_end_of_one_wakes_the_next_at_once(self, stand: Stand) -> None:
        _, second = await stand.publish(count=2, app_id=APP)

        await stand.run_to_the_end()

        due = await stand.database.fetchval(
            "SELECT next_wake_at FROM saga_instance WHERE id = $1", second.id
        )
        assert due <= datetime.now(UTC)
        assert await stand.engine.wake(per_shard=10) == 1
        assert contracts_of(await stand.take_commands()) == [ReserveQuota]

    async def test_who_waits_and_looks_too_early_waits_on(self, stand: Stand) -> None:
        _, second = await stand.publish(count=2, app_id=APP)
        await stand.take_commands()
        await stand.make_due(second)

        await stand.engine.wake(per_shard=10)

        state = await stand.state(second)
        assert state.phase == "LOCKING"
        assert state.version == 1
        assert await stand.take_commands() == []

    async def test_a_queue_has_an_end(self, stand: Stand) -> None:
        await stand.publish(count=QUEUE_MAX + 1, app_id=APP)

        with pytest.raises(Unavailable, match="too many wait for app_id"):
            await stand.publish(app_id=APP)

    async def test_other_entities_do_not_wait(self, stand: Stand) -> None:
        sagas = await stand.publish(count=20)

        assert {saga.phase for saga in sagas} == {"FORWARD"}
