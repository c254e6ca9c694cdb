"""CommandChunk on a real PostgreSQL: one transaction, each message its own fate."""

import pytest

from chassis.clock import new_id
from chassis.errors import Unavailable
from chassis.messaging.chunk import ChunkLimits, CommandChunk
from chassis.messaging.outbox import Outgoing, hash_of
from chassis.stores.postgres import Database
from chassis.testing.messages import (
    DirectCommit,
    FakeRecord,
    FakeSender,
    a_command,
    a_record,
    replies_of,
)
from contracts.billing.account import OpenAccount, ReleaseQuota
from tests.chassis.messaging.quota import (
    POISON,
    Weather,
    a_chunk,
    a_commit_quota,
    a_reserve_quota,
    state_of,
)

QUICK = ChunkLimits(pause_s=0.001)


class TestChunk:
    async def test_many_commands_of_one_aggregate_are_one_update(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        commands = [a_command(a_reserve_quota(workspace_id)) for _ in range(4)]

        await a_chunk(database, commit, sender)([a_record(c) for c in commands])

        row = await state_of(database, workspace_id)
        facts = [e for e in commit.sent if e.topic == "billing.account.v1"]
        assert row["revision"] == 1
        assert row["version"] == 4
        assert [fact.aggregate_version for fact in facts] == [1, 2, 3, 4]
        assert all(len(replies_of(commit.sent, c.id)) == 1 for c in commands)

    async def test_what_a_command_causes_lies_in_the_shard_of_its_partition(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        command = a_command(a_reserve_quota(new_id()))

        await a_chunk(database, commit, sender)([a_record(command)])

        assert {e.topic for e in commit.sent} == {"reply.orchestrator.v1", "billing.account.v1"}
        shards = {Outgoing.of(e, 100_000).shard for e in commit.sent}
        assert shards == {hash_of(command.key) % 100_000}

    async def test_a_refusal_undoes_its_own_changes_and_no_others(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        fits = a_command(a_reserve_quota(workspace_id, units=3))
        too_much = a_command(a_reserve_quota(workspace_id, units=9))
        fits_too = a_command(a_reserve_quota(workspace_id, units=2))

        await a_chunk(database, commit, sender)([a_record(c) for c in (fits, too_much, fits_too)])

        row = await state_of(database, workspace_id)
        assert sum(row["state"]["reservations"].values()) == 5  # type: ignore[index]
        (refusal,) = replies_of(commit.sent, too_much.id)
        assert refusal.type == "billing.QuotaExceeded.v1"
        assert refusal.key == str(too_much.correlation_id)
        assert [e.type for e in commit.sent if e.causation_id == too_much.id] == [refusal.type]

    async def test_a_repeat_that_saves_nothing_announces_nothing(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        command = a_reserve_quota(new_id())
        chunk = a_chunk(database, commit, sender)

        await chunk([a_record(a_command(command))])
        await chunk([a_record(a_command(command))])  # another message id, the same effect

        assert [e.topic for e in commit.sent].count("billing.account.v1") == 1
        assert [e.topic for e in commit.sent].count("reply.orchestrator.v1") == 2

    async def test_a_duplicate_is_answered_again_and_changes_nothing(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        command = a_command(a_commit_quota(workspace_id))
        chunk = a_chunk(database, commit, sender)

        await chunk([a_record(command), a_record(command)])
        await chunk([a_record(command)])

        first, second, third = replies_of(commit.sent, command.id)
        assert first.data == second.data == third.data
        assert len({first.id, second.id, third.id}) == 3
        row = await state_of(database, workspace_id)
        assert len(row["state"]["commits"]) == 1  # type: ignore[index]

    async def test_fact_carries_where_it_comes_from(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        command = a_command(a_reserve_quota(new_id()), traceparent=trace, actor_id=new_id())

        await a_chunk(database, commit, sender)([a_record(command)])

        for sent in commit.sent:
            assert sent.causation_id == command.id
            assert sent.correlation_id == command.correlation_id
            assert sent.actor_id == command.actor_id
            assert sent.workspace_id == command.workspace_id
            assert sent.traceparent.split("-")[1] == trace.split("-")[1]

    async def test_reading_through_sees_what_earlier_messages_saved(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        commands = [a_command(OpenAccount(workspace_id=new_id())) for _ in range(3)]

        await a_chunk(database, commit, sender)([a_record(c) for c in commands])

        assert await database.fetchval("SELECT count(*) FROM account") == 1
        answers = {replies_of(commit.sent, c.id)[0].data for c in commands}
        assert len(answers) == 1, "the later ones found the first one's account"


class TestTombstone:
    async def test_a_forward_after_its_compensation_is_refused(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        forward = a_command(a_reserve_quota(workspace_id))
        undo = ReleaseQuota(workspace_id=workspace_id, reservation_id=new_id())
        compensation = a_command(undo, forward_id=forward.id)
        chunk = a_chunk(database, commit, sender)

        await chunk([a_record(compensation)])
        await chunk([a_record(forward)])

        (refusal,) = replies_of(commit.sent, forward.id)
        assert refusal.type == "chassis.ForwardRefused.v1"
        assert await state_of(database, workspace_id) == {}

    async def test_it_is_refused_within_one_chunk_too(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        forward = a_command(a_reserve_quota(workspace_id))
        undo = ReleaseQuota(workspace_id=workspace_id, reservation_id=new_id())
        compensation = a_command(undo, forward_id=forward.id)

        await a_chunk(database, commit, sender)([a_record(compensation), a_record(forward)])

        assert replies_of(commit.sent, forward.id)[0].type == "chassis.ForwardRefused.v1"
        assert await state_of(database, workspace_id) == {}

    async def test_a_forward_that_came_first_keeps_its_answer(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        command = a_reserve_quota(workspace_id)
        forward = a_command(command)
        undo = ReleaseQuota(workspace_id=workspace_id, reservation_id=command.reservation_id)
        chunk = a_chunk(database, commit, sender)

        await chunk([a_record(forward)])
        await chunk([a_record(a_command(undo, forward_id=forward.id))])
        await chunk([a_record(forward)])

        answers = {reply.type for reply in replies_of(commit.sent, forward.id)}
        assert answers == {"billing.QuotaReserved.v1"}


async def _outlive(
    weather: Weather, chunk: CommandChunk, records: list[FakeRecord], *, tries: int
) -> None:
    """The same records, in vain and in vain, until the dependency is back."""
    for _ in range(tries):
        with pytest.raises(Unavailable):
            await chunk(records)
    weather.down = False
    await chunk(records)


class TestFates:
    async def test_a_bug_parks_its_key_and_the_others_go_on(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        workspace_id = new_id()
        good = [a_command(a_commit_quota(workspace_id)) for _ in range(6)]
        poison = a_command(a_commit_quota(new_id(), app_id=POISON))
        batch = [*good[:3], poison, *good[3:]]

        await a_chunk(database, commit, sender, limits=QUICK)(
            [a_record(c, offset=n) for n, c in enumerate(batch)]
        )

        row = await state_of(database, workspace_id)
        assert len(row["state"]["commits"]) == 6  # type: ignore[index]
        ((topic, key, value, headers),) = sender.sent
        assert (topic, key, value) == ("dlq.billing", poison.key.encode(), poison.data)
        assert headers["ce_id"] == str(poison.id)
        assert headers["dlq_reason"] == "failed"
        assert headers["dlq_attempts"] == "3"
        assert headers["dlq_error"].startswith("RuntimeError at quota.py:")
        assert headers["dlq_offset"] == "3"
        assert replies_of(commit.sent, poison.id) == []

    @pytest.mark.parametrize(
        ("value", "headers"),
        [
            (b"\xff\xfe", ()),
            (b"{}", (("ce_type", b"billing.ReserveQuota.v1"),)),
            (None, (("ce_type", b"billing.ReserveQuota.v1"), ("ce_id", b"\xff"))),
            (b"{}", (("ce_type", b"billing.Unheard.v1"), ("ce_id", str(new_id()).encode()))),
        ],
    )
    async def test_undecodable_bytes_are_dead_letters_at_once(
        self,
        database: Database,
        commit: DirectCommit,
        sender: FakeSender,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...],
    ) -> None:
        workspace_id = new_id()
        garbage = FakeRecord("cmd.billing.v1", 0, 0, b"k", value, headers)
        good = a_record(a_command(a_reserve_quota(workspace_id)), offset=1)

        await a_chunk(database, commit, sender)([garbage, good])

        assert [sent[3]["dlq_reason"] for sent in sender.sent] == ["undecodable"]
        assert sender.sent[0][2] == (value or b"")
        assert (await state_of(database, workspace_id))["version"] == 1

    async def test_wrong_fields_are_named_without_their_values(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        command = a_command(a_reserve_quota(new_id()), data=b'{"units": "hunter2"}')

        await a_chunk(database, commit, sender)([a_record(command)])

        error = sender.sent[0][3]["dlq_error"]
        assert "units: int_parsing" in error
        assert "hunter2" not in error

    async def test_an_outage_burns_nothing(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        weather = Weather(down=True)
        workspace_id = new_id()
        records = [a_record(a_command(a_commit_quota(workspace_id))) for _ in range(3)]
        chunk = a_chunk(database, commit, sender, weather=weather, limits=QUICK)

        await _outlive(weather, chunk, records, tries=5)

        assert sender.sent == []
        assert weather.calls == 5 + 3, "the chunk stops at the first one that meets the outage"
        assert (await state_of(database, workspace_id))["version"] == 3

    async def test_an_outage_does_not_copy_what_is_undecodable_each_time(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        weather = Weather(down=True)
        garbage = FakeRecord("cmd.billing.v1", 0, 0, None, b"x")
        records = [garbage, a_record(a_command(a_commit_quota(new_id())), offset=1)]
        chunk = a_chunk(database, commit, sender, weather=weather, limits=QUICK)

        await _outlive(weather, chunk, records, tries=3)

        assert [sent[2] for sent in sender.sent] == [b"x"]

    async def test_a_dead_letter_that_is_not_confirmed_is_not_passed_over(
        self, database: Database, commit: DirectCommit, sender: FakeSender
    ) -> None:
        sender.error = Unavailable("kafka")
        garbage = FakeRecord("cmd.billing.v1", 0, 0, None, b"x")

        with pytest.raises(Unavailable):
            await a_chunk(database, commit, sender)([garbage])
