"""One command through the HTTP door's way in, on a real PostgreSQL."""

import asyncio
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.context import Context
from chassis.errors import IdempotencyKeyReused, Rejected
from chassis.stores.postgres import Database
from chassis.testing.messages import (
    DirectCommit,
    FakeSender,
)
from contracts.billing.account import QuotaExceeded
from tests.chassis.messaging.quota import (
    a_chunk,
    a_commit_quota,
    a_reserve_quota,
    state_of,
)


def a_context(workspace_id: UUID) -> Context:
    return Context(new_id(), workspace_id, "app.edit", SystemClock().now())


class TestExecute:
    async def test_the_same_id_gives_the_same_answer(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        command = a_commit_quota(new_id())
        context, command_id = a_context(command.workspace_id), new_id()
        chunk = a_chunk(database, commit, sender)

        first = await chunk.execute(command, context, command_id)
        second = await chunk.execute(command, context, command_id)

        assert first == second
        assert len(commit.sent) == 1, "one fact, and no reply: the caller has it"

    async def test_the_same_id_with_another_input_is_refused(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id, command_id = new_id(), new_id()
        chunk = a_chunk(database, commit, sender)
        await chunk.execute(a_commit_quota(workspace_id), a_context(workspace_id), command_id)

        with pytest.raises(IdempotencyKeyReused):
            await chunk.execute(a_commit_quota(workspace_id), a_context(workspace_id), command_id)

    async def test_a_refusal_is_kept_too(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id, command_id = new_id(), new_id()
        command = a_reserve_quota(workspace_id, units=9)
        chunk = a_chunk(database, commit, sender)

        for _ in range(2):
            with pytest.raises(Rejected) as refusal:
                await chunk.execute(command, a_context(workspace_id), command_id)
            assert refusal.value.rejection == QuotaExceeded(workspace_id=workspace_id, units_left=0)
        assert await database.fetchval("SELECT count(*) FROM inbox") == 1

    async def test_callers_that_meet_on_one_aggregate_all_succeed(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        chunk = a_chunk(database, commit, sender)

        await asyncio.gather(
            *(
                chunk.execute(a_commit_quota(workspace_id), a_context(workspace_id), new_id())
                for _ in range(6)
            )
        )

        row = await state_of(database, workspace_id)
        versions = sorted(e.aggregate_version or 0 for e in commit.sent)
        assert (row["version"], versions) == (6, [1, 2, 3, 4, 5, 6])
