"""What operators do about parked keys and dead letters, on a real PostgreSQL."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from chassis.clock import new_id
from chassis.errors import InvalidMessage, Rejected
from chassis.parking.desk import LetterDesk
from chassis.testing.messages import FakeRecord
from contracts.deadletter import (
    DeadLetterState,
    GetDeadLetter,
    ListDeadLetters,
)
from tests.chassis.parking.operators import ANN, POISON, a_discard, a_redrive, acts
from tests.chassis.parking.yard import Yard, a_commit, reservations


class TestList:
    async def test_filters_pages_and_totals(self, desk: LetterDesk, yard: Yard) -> None:
        first, second = new_id(), new_id()
        await yard.chunk([FakeRecord("cmd.billing.v1", 0, 99, b"\xffk", b"\xfe")])
        await yard.take(a_commit(first, POISON), a_commit(first), a_commit(second, POISON))

        page = await desk.page(ListDeadLetters(limit=3))
        rest = await desk.page(ListDeadLetters(limit=3, cursor=page.cursor_next))
        keyed = await desk.page(ListDeadLetters(record_key=str(first)))
        waiting = await desk.page(ListDeadLetters(states=[DeadLetterState.WAITING]))
        future = datetime.now(UTC) + timedelta(hours=1)
        later = await desk.page(ListDeadLetters(since=future))

        assert [letter.state for letter in page.letters] == ["undecodable", "failed", "waiting"]
        assert [letter.state for letter in rest.letters] == ["failed"]
        assert rest.cursor_next == ""
        assert [letter.record_key for letter in keyed.letters] == [str(first)] * 2
        assert [letter.type for letter in waiting.letters] == ["billing.CommitQuota.v1"]
        assert later.letters == []
        (totals,) = page.totals
        assert (totals.failed, totals.waiting, totals.undecodable) == (2, 1, 1)
        assert (totals.parked_keys, totals.consumer_group) == (2, "billing")

    async def test_what_has_ended_is_listed_when_asked_for(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        await yard.take(a_commit(new_id(), POISON))
        yard.mood.failing.clear()
        await yard.retry()

        handled = ListDeadLetters(states=[DeadLetterState.HANDLED])

        assert (await desk.page(ListDeadLetters())).letters == []
        assert len((await desk.page(handled)).letters) == 1

    async def test_a_letter_is_shown_with_its_fields(self, desk: LetterDesk, yard: Yard) -> None:
        workspace = new_id()
        poison = a_commit(workspace, POISON)
        await yard.take(poison, a_commit(workspace))
        letter_id, _ = await yard.rows("id")

        shown = await desk.details(GetDeadLetter(letter_id=letter_id))

        assert orjson.loads(shown.body) == orjson.loads(poison.data)
        assert shown.body_bytes == len(poison.data)
        assert {h.name: h.text for h in shown.headers}["ce_id"] == str(poison.id)
        assert (shown.letter.attempts, shown.behind) == (3, 1)
        assert shown.letter.handler == "commit_quota"
        with pytest.raises(Rejected):
            await desk.details(GetDeadLetter(letter_id=new_id()))

    @pytest.mark.parametrize(
        "body",
        [
            b'{"payment_token": "tok_s3cret", "note": "password=tok_s3cret"}',
            b'{"deep": [{"cardToken": {"value": "tok_s3cret"}}], "api_key": ["tok_s3cret"]}',
            b'{"payment_token": "tok_s3cret',  # cut off
            b'["payment_token", "tok_s3cret"]',
            b'"tok_s3cret"',
            b"\xfftok_s3cret",
        ],
    )
    async def test_a_letter_shows_no_secret_and_keeps_its_bytes(
        self, desk: LetterDesk, yard: Yard, body: bytes
    ) -> None:
        headers = [
            ("authorization", b"tok_s3cret"),
            ("ce_time", b"tok_s3cret"),
            ("strange", b"\xfftok_s3cret"),
            ("ce_type", b"billing.CommitQuota.v1"),
            ("ce_id", str(new_id()).encode()),
            ("ce_source", b"/basalt/test"),
        ]
        await yard.chunk([FakeRecord("cmd.billing.v1", 0, 7, b"a key", body, headers)])
        (letter_id,) = await yard.rows("id")

        told = (await desk.details(GetDeadLetter(letter_id=letter_id))).model_dump()

        assert "s3cret" not in told["letter"]["error"]
        told["headers"] = [h for h in told["headers"] if h["name"] != "ce_time"]  # not a secret
        assert "s3cret" not in str(told)
        assert b64encode(b"tok_s3cret").decode()[:8] not in str(told)
        assert told["body_sha256"] == sha256(body).hexdigest()
        assert await yard.rows("payload") == [body]

    async def test_a_secret_that_is_a_number_is_masked_too(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        body = b'{"payment_token": 4242, "seats": 7}'
        await yard.chunk([FakeRecord("cmd.billing.v1", 0, 7, b"a key", body, ())])
        (letter_id,) = await yard.rows("id")

        shown = await desk.details(GetDeadLetter(letter_id=letter_id))

        assert orjson.loads(shown.body) == {"payment_token": "[redacted]", "seats": 7}

    async def test_strange_filters_match_nothing_and_break_nothing(self, desk: LetterDesk) -> None:
        page = await desk.page(ListDeadLetters(topic="\0", type="\0", record_key="\0"))

        assert page.letters == []
        with pytest.raises(ValidationError):
            ListDeadLetters.model_validate({"since": "2026-05-01T12:00"})  # in which zone?

    async def test_a_cursor_of_somebody_else_is_refused(self, desk: LetterDesk) -> None:
        with pytest.raises(InvalidMessage):
            await desk.page(ListDeadLetters(cursor="1; DROP TABLE"))


class TestRedrive:
    async def test_the_first_of_the_key_goes_at_once_and_the_rest_follows_in_order(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        workspace = new_id()
        commands = [a_commit(workspace, POISON), a_commit(workspace), a_commit(workspace)]
        await yard.take(*commands)
        first, _, last = await yard.rows("id")
        yard.mood.failing.clear()
        assert await yard.keys.round() == 0, "it would wait for a minute"

        moved = await desk.redrive(a_redrive(last), ANN)
        await yard.keys.round()

        assert (moved.letter_ids, moved.following, moved.refused) == ([first], 2, [])
        assert await yard.commits(workspace) == reservations(commands)
        assert await yard.rows("message_id") == [c.id for c in commands], "under their own ids"
        assert await acts(desk.database) == [("redrive", "ann", "mended")]

    async def test_said_twice_it_is_done_once(self, desk: LetterDesk, yard: Yard) -> None:
        await yard.take(a_commit(new_id(), POISON))
        (letter_id,) = await yard.rows("id")

        once = await desk.redrive(a_redrive(letter_id), ANN)
        twice = await desk.redrive(a_redrive(letter_id), ANN)
        yard.mood.failing.clear()
        await yard.keys.round()
        thrice = await desk.redrive(a_redrive(letter_id), ANN)

        assert [len(moved.letter_ids) for moved in (once, twice, thrice)] == [1, 0, 0]
        assert [refusal.why for refusal in twice.refused] == ["it is being redriven already"]
        assert len(thrice.refused) == 1
        assert len(await acts(desk.database)) == 1
        assert yard.mood.tries == 3 + 1

    async def test_a_preview_changes_nothing(self, desk: LetterDesk, yard: Yard) -> None:
        await yard.take(a_commit(new_id(), POISON), a_commit(new_id(), POISON))

        moved = await desk.redrive(a_redrive(topic="cmd.billing.v1", preview=True, limit=1), ANN)

        assert (len(moved.letter_ids), moved.more) == (1, True)
        assert await yard.rows() == ["failed", "failed"]
        assert await acts(desk.database) == []

    async def test_many_keys_begin_one_after_the_other(self, desk: LetterDesk, yard: Yard) -> None:
        await yard.take(*(a_commit(new_id(), POISON) for _ in range(5)))

        await desk.redrive(a_redrive(states=["failed"], per_second=1), ANN)

        due = await yard.rows("round(extract(epoch FROM next_at - last_at))::int")
        assert due == [0, 1, 2, 3, 4]

    async def test_what_is_older_than_the_inbox_remembers_is_refused(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        workspace = new_id()
        await yard.take(a_commit(workspace, POISON), a_commit(workspace))
        old, behind = await yard.rows("id")
        await desk.database.execute(
            "UPDATE dead_letter SET first_at = now() - interval '8 days' WHERE id = $1", old
        )

        moved = await desk.redrive(a_redrive(old, behind), ANN)

        assert moved.letter_ids == []
        assert all("older than the inbox" in refusal.why for refusal in moved.refused)
        assert await yard.rows() == ["failed", "waiting"]

    async def test_what_can_be_decoded_by_now_is_handled(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        workspace, command = new_id(), a_commit(new_id())
        (good,) = yard.records([command])
        bad = FakeRecord("cmd.billing.v1", 0, 7, str(workspace).encode(), b"{", good.headers)
        await yard.chunk([bad])
        await desk.database.execute("UPDATE dead_letter SET payload = $1", good.value)
        (letter_id,) = await yard.rows("id")

        await desk.redrive(a_redrive(letter_id), ANN)
        await yard.keys.round()

        assert await yard.rows() == ["handled"]

    async def test_what_still_cannot_be_decoded_frees_its_key_again(
        self, desk: LetterDesk, yard: Yard
    ) -> None:
        workspace = new_id()
        key = str(workspace).encode()
        await yard.chunk([FakeRecord("cmd.billing.v1", 0, 70, key, b"{")])
        (letter_id,) = await yard.rows("id")
        await desk.redrive(a_redrive(letter_id), ANN)
        await yard.take(a_commit(workspace))
        assert await yard.rows() == ["redriven", "waiting"]

        await yard.retry()

        assert await yard.rows("state, attempts") == [("undecodable", 2), ("handled", 1)]

    async def test_something_must_be_named(self, desk: LetterDesk) -> None:
        with pytest.raises(InvalidMessage):
            await desk.redrive(a_redrive(), ANN)
        with pytest.raises(InvalidMessage):
            await desk.discard(a_discard(), ANN)

    async def test_a_try_under_way_does_not_undo_it(self, desk: LetterDesk, yard: Yard) -> None:
        """The try fails after the operator has spoken: the redrive still stands."""
        await yard.take(a_commit(new_id(), POISON))
        (letter_id,) = await yard.rows("id")

        await yard.due()
        original = yard.keys._replay

        async def replay(letters: Any) -> None:  # of the Replay protocol
            await desk.redrive(a_redrive(letter_id), ANN)
            await original(letters)

        yard.keys._replay = replay
        await yard.keys.round()

        assert await yard.rows("state, next_at <= now()") == [("redriven", True)]
