"""Discarding letters, and what accounts for every record, on a real PostgreSQL."""

import pytest
from pydantic import ValidationError

from chassis.clock import new_id
from chassis.context import Context
from chassis.parking.desk import LetterDesk
from chassis.testing.messages import DirectCommit, FakeRecord, replies_of
from contracts.deadletter import ListDeadLetters
from tests.chassis.parking.operators import ANN, POISON, a_discard, acts
from tests.chassis.parking.yard import Yard, a_commit, reservations


class TestDiscard:
    async def test_the_rest_of_the_key_goes_on(
        self, desk: LetterDesk, yard: Yard, commit: DirectCommit
    ) -> None:
        workspace = new_id()
        poison, after = a_commit(workspace, POISON), a_commit(workspace)
        await yard.take(poison, after)
        first, _ = await yard.rows("id")

        moved = await desk.discard(a_discard(first), ANN)
        await yard.keys.round()

        assert moved.letter_ids == [first]
        assert await yard.rows("state, by, why") == [
            ("discarded", "ann", "a test"),
            ("handled", "", ""),
        ]
        assert await yard.commits(workspace) == reservations([after])
        assert await acts(desk.database) == [("discard", "ann", "a test")]

    async def test_should_the_command_come_again_it_is_refused(
        self, desk: LetterDesk, yard: Yard, commit: DirectCommit
    ) -> None:
        workspace = new_id()
        poison = a_commit(workspace, POISON)
        records = yard.records([poison])
        await yard.chunk(records)
        await desk.discard(a_discard(*await yard.rows("id")), ANN)
        yard.mood.failing.clear()

        await yard.chunk(records)
        await yard.take(poison)

        assert await yard.commits(workspace) == []
        answers = replies_of(commit.sent, poison.id)
        assert {answer.type for answer in answers} == {"chassis.ForwardRefused.v1"}

    async def test_a_message_that_is_handled_meanwhile_is_not_discarded(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        workspace = new_id()
        poison = a_commit(workspace, POISON)
        await yard.take(poison)
        (letter_id,) = await yard.rows("id")
        yard.mood.failing.clear()
        await yard.retry()

        moved = await desk.discard(a_discard(letter_id), ANN)

        assert (moved.letter_ids, len(moved.refused)) == ([], 1)
        assert await yard.rows() == ["handled"]

    @pytest.mark.parametrize("reason", ["", " ", "\n"])
    def test_it_needs_a_reason(self, reason: str) -> None:
        with pytest.raises(ValidationError):
            a_discard(new_id(), reason=reason)

    async def test_the_user_of_the_gateway_counts_more_than_a_name(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        await yard.take(a_commit(new_id(), POISON))
        user = Context(new_id(), None, "operator", ANN.expires_at)

        await desk.discard(a_discard(*await yard.rows("id")), user)

        assert await yard.rows("by") == [str(user.actor_id)]


class TestAccounting:
    async def test_everything_taken_is_somewhere(self, desk: LetterDesk, yard: Yard) -> None:
        """published = handled + waiting + parked + dead-lettered + discarded"""
        workspaces = [new_id() for _ in range(8)]
        commands = [
            a_commit(workspace, POISON if number % 9 == 4 else None)
            for number, workspace in enumerate(workspaces * 6)
        ]
        for at in range(0, len(commands), 12):
            await yard.take(*commands[at : at + 12])
        for offset in range(3):
            await yard.chunk([FakeRecord("cmd.billing.v1", 1, offset, None, b"\xff")])
        first, *_ = await yard.rows("id")
        await desk.discard(a_discard(first), ANN)
        await yard.keys.round()

        (totals,) = (await desk.page(ListDeadLetters(inbox=True))).totals

        assert totals.inbox is not None
        tombs = totals.discarded
        done = totals.inbox - tombs
        open_rows = totals.failed + totals.waiting + totals.redriven
        assert done + open_rows + totals.undecodable + totals.discarded == len(commands) + 3
        assert totals.discarded == 1
        assert totals.failed > 1
        assert totals.waiting > 1
