"""A command whose answer follows: it is answered once, in its own name, also to its duplicates."""

from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.context import trusted_context
from chassis.errors import Rejected, Unanswered
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.handlers import Handlers
from chassis.messaging.later import Later, Replies
from chassis.messaging.unit import Kit
from chassis.resources import Resources
from chassis.stores.postgres import Database
from chassis.testing.messages import (
    DirectCommit,
    FakeSender,
    a_command,
    a_record,
    replies_of,
)
from contracts.base import Message
from contracts.billing.account import (
    CommitQuota,
    QuotaCommitted,
    QuotaExceeded,
    QuotaReleased,
    ReleaseQuota,
)
from tests.chassis.messaging.quota import a_commit_quota


async def commit_quota(command: CommitQuota) -> Later:
    """Somebody outside is asked."""
    return Later(f"commit:{command.reservation_id}")


async def release_quota(command: ReleaseQuota, replies: Replies) -> QuotaReleased:
    """They have answered: no for one workspace, yes for all others."""
    await replies.answer(f"commit:{command.reservation_id}", answer_to(command))
    if command.workspace_id == UNLUCKY:
        raise Rejected(QuotaExceeded(workspace_id=UNLUCKY, units_left=0))
    return QuotaReleased(workspace_id=command.workspace_id, reservation_id=command.reservation_id)


UNLUCKY = UUID(int=13)


def answer_to(command: ReleaseQuota) -> Message:
    return QuotaCommitted(
        workspace_id=command.workspace_id,
        reservation_id=command.reservation_id,
        app_id=UUID(int=1),
    )


def outcome_of(command: CommitQuota) -> ReleaseQuota:
    return ReleaseQuota(workspace_id=command.workspace_id, reservation_id=command.reservation_id)


@pytest.fixture
def chunk(database: Database, commit: DirectCommit) -> CommandChunk:
    resources = Resources(None, SystemClock(), opened={"postgres": database}, service="billing")
    handlers = Handlers((commit_quota, release_quota), provides={}, given={})
    kit = Kit("billing", "billing", handlers, resources, commit)
    return CommandChunk(kit, DeadLetters("billing", FakeSender()))


async def test_the_answer_follows_in_the_commands_own_name(
    chunk: CommandChunk, commit: DirectCommit
) -> None:
    commit_it = a_commit_quota(new_id())
    asked = a_command(commit_it)
    await chunk([a_record(asked)])
    assert replies_of(commit.sent, asked.id) == []

    await chunk([a_record(a_command(outcome_of(commit_it)))])

    (reply,) = replies_of(commit.sent, asked.id)
    assert reply.type == QuotaCommitted.address.type
    assert (reply.key, reply.correlation_id) == (str(asked.correlation_id), asked.correlation_id)
    assert (reply.subject, reply.workspace_id) == (asked.subject, asked.workspace_id)


async def test_a_duplicate_waits_too_and_is_answered_the_same_afterwards(
    chunk: CommandChunk, commit: DirectCommit
) -> None:
    commit_it = a_commit_quota(new_id())
    asked = a_command(commit_it)
    await chunk([a_record(asked), a_record(asked)])
    await chunk([a_record(asked)])
    assert replies_of(commit.sent, asked.id) == []
    await chunk([a_record(a_command(outcome_of(commit_it)))])

    await chunk([a_record(asked)])

    first, again = replies_of(commit.sent, asked.id)
    assert (first.type, first.data) == (again.type, again.data)


async def test_all_who_wait_for_the_same_are_answered_and_a_second_outcome_answers_nobody(
    chunk: CommandChunk, commit: DirectCommit, database: Database
) -> None:
    commit_it = a_commit_quota(new_id())
    one, other = a_command(commit_it), a_command(commit_it)
    outcome = outcome_of(commit_it)
    await chunk([a_record(one), a_record(other)])

    await chunk([a_record(a_command(outcome)), a_record(a_command(outcome))])
    await chunk([a_record(a_command(outcome))])

    assert [len(replies_of(commit.sent, each.id)) for each in (one, other)] == [1, 1]
    assert await database.fetchval("SELECT count(*) FROM pending_reply") == 0


async def test_an_outcome_that_is_refused_answers_nobody(
    chunk: CommandChunk, commit: DirectCommit, database: Database
) -> None:
    commit_it = a_commit_quota(UNLUCKY)
    asked = a_command(commit_it)
    await chunk([a_record(asked)])

    await chunk([a_record(a_command(outcome_of(commit_it)))])

    assert replies_of(commit.sent, asked.id) == []
    assert await database.fetchval("SELECT count(*) FROM pending_reply") == 1


async def test_over_http_it_is_in_doubt_until_it_is_answered(chunk: CommandChunk) -> None:
    commit_it, command_id = a_commit_quota(new_id()), new_id()
    context = trusted_context(actor_id=None, workspace_id=commit_it.workspace_id)
    for _ in range(2):
        with pytest.raises(Unanswered):
            await chunk.execute(commit_it, context, command_id)
    await chunk.execute(outcome_of(commit_it), context, new_id())

    answer = await chunk.execute(commit_it, context, command_id)

    assert isinstance(answer, QuotaCommitted)
