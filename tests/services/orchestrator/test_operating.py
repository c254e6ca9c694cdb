"""Operators' verbs, approval by a second member, and what both leave in the history."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.services.orchestrator.caller import ACTOR, Caller

SECOND = UUID(int=71)
VERBS = ("RetrySaga", "SkipStep", "CompensateSaga", "PauseSaga", "ResumeSaga", "AbandonSaga")


async def begun(caller: Caller, **fields: Any) -> str:
    """The id of a publish that has just begun."""
    answer = await caller.publish(**fields)
    return str(answer.json()["data"]["operation_id"])


async def done(caller: Caller, name: str, saga_id: str, **fields: Any) -> Any:
    """The summary that a verb answers."""
    answer = await caller.operate("commands", name, saga_id=saga_id, operator="ann", **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def details(caller: Caller, saga_id: str) -> Any:
    return (await caller.operate("queries", "GetSaga", saga_id=saga_id)).json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def commands_sent(caller: Caller) -> list[str]:
    rows = await caller.database.fetch("SELECT happened FROM saga_event ORDER BY at, version")
    return [row["happened"] for row in rows]


async def decide(
    caller: Caller, operation_id: str, actor_id: UUID, *, approved: bool = True
) -> httpx.Response:
    body = {"operation_id": operation_id, "approved": approved, "reason": "looks good"}
    return await caller.send(
        "commands", "DecideApproval", "workspace.manage", body, actor_id=actor_id
    )


class TestVerbs:
    async def test_pause_and_resume_and_who_did_it_is_in_the_history(self, caller: Caller) -> None:
        saga_id = await begun(caller)

        paused = await done(caller, "PauseSaga", saga_id, reason="looking at billing")
        waiting = (await caller.get(saga_id)).json()["data"]
        resumed = await done(caller, "ResumeSaga", saga_id)

        assert (paused["status"], resumed["status"]) == ("PAUSED", "RUNNING")
        assert (waiting["state"], waiting["waits_for"]) == ("WAITING", "operator")
        history = (await details(caller, saga_id))["history"]
        assert [entry["happened"] for entry in history] == ["started", "paused", "resumed"]
        assert history[1]["reason"] == "by ann: looking at billing"

    async def test_a_payment_token_is_shown_to_nobody(self, caller: Caller) -> None:
        body = {"plan": "team", "payment_token": "tok-of-a-card"}
        started = await caller.send("commands", "ChangeWorkspacePlan", "workspace.manage", body)
        saga_id = str(started.json()["data"]["operation_id"])

        shown = await details(caller, saga_id)

        assert shown["fields"]["plan"] == "team"
        assert "tok-of-a-card" not in str(shown)
        assert "tok-of-a-card" not in (await caller.get(saga_id)).text

    async def test_a_version_that_has_passed_is_refused(self, caller: Caller) -> None:
        saga_id = await begun(caller)
        await done(caller, "PauseSaga", saga_id, expected_version=1)

        late = await caller.operate(
            "commands", "AbandonSaga", saga_id=saga_id, reason="stale", expected_version=1
        )

        assert refusal(late) == (422, "orchestrator.SagaMoved.v1")
        assert late.json()["data"]["version"] == 2
        assert (await details(caller, saga_id))["saga"]["status"] == "PAUSED"

    async def test_of_two_at_one_time_both_hold_or_one_is_told(self, caller: Caller) -> None:
        saga_id = await begun(caller)

        answers = await asyncio.gather(
            *(caller.operate("commands", "PauseSaga", saga_id=saga_id) for _ in range(6))
        )

        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422, 422]
        history = (await details(caller, saga_id))["history"]
        assert [entry["happened"] for entry in history][1:] == ["paused"] + ["ignored"] * 5

    async def test_skip_undo_by_hand_and_abandon(self, caller: Caller) -> None:
        skipped, abandoned = await begun(caller), await begun(caller)
        await done(caller, "CompensateSaga", skipped, reason="wrong app")

        ended = await done(caller, "SkipStep", skipped, step="ReserveQuota", reason="by SQL")
        left = await done(caller, "AbandonSaga", abandoned, reason="the customer is gone")

        assert ended["status"] == "COMPENSATED"
        assert left["status"] == "ABANDONED"
        assert (await details(caller, abandoned))["ahead"] == []

    @pytest.mark.parametrize("verb", VERBS)
    async def test_nothing_moves_what_has_ended_and_the_attempt_is_recorded(
        self, caller: Caller, verb: str
    ) -> None:
        saga_id = await begun(caller)
        await done(caller, "AbandonSaga", saga_id, reason="done with it")
        fields = {"step": "ReserveQuota"} if verb == "SkipStep" else {}

        answer = await caller.operate("commands", verb, saga_id=saga_id, reason="again", **fields)

        assert refusal(answer) == (422, "orchestrator.VerbNotPossible.v1")
        last = (await details(caller, saga_id))["history"][-1]
        assert last["happened"] == "ignored"
        assert last["reason"].endswith("by somebody: the saga has ended")

    @pytest.mark.parametrize("verb", ["SkipStep", "CompensateSaga", "AbandonSaga"])
    async def test_what_matters_needs_a_reason(self, caller: Caller, verb: str) -> None:
        answer = await caller.operate(
            "commands", verb, saga_id=await begun(caller), step="ReserveQuota", reason=""
        )

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "reason"

    async def test_an_unknown_saga(self, caller: Caller) -> None:
        answer = await caller.operate("commands", "PauseSaga", saga_id=str(UUID(int=1)))

        assert refusal(answer) == (422, "orchestrator.SagaUnknown.v1")

    async def test_members_are_no_operators(self, caller: Caller) -> None:
        body = {"saga_id": await begun(caller)}

        answer = await caller.send("commands", "PauseSaga", "workspace.manage", body)

        assert answer.status_code == 403


class TestBulk:
    async def test_a_preview_moves_nothing_and_then_all_that_match_are_retried(
        self, caller: Caller
    ) -> None:
        stuck = [await begun(caller) for _ in range(3)]
        await begun(caller)
        await caller.database.execute(
            "UPDATE saga_instance SET status = 'NEEDS_ATTENTION' WHERE id = ANY($1::uuid[])",
            [UUID(one) for one in stuck],
        )
        wanted = {"kind": "publish_app", "step": "ReserveQuota", "reason": "billing is back"}

        shown = await caller.operate("commands", "RetrySagas", preview=True, **wanted)
        before = await commands_sent(caller)
        some = await caller.operate("commands", "RetrySagas", preview=False, limit=2, **wanted)
        rest = await caller.operate("commands", "RetrySagas", preview=False, **wanted)

        assert sorted(shown.json()["data"]["saga_ids"]) == sorted(stuck)
        assert before.count("retried") == 0
        assert some.json()["data"]["more"] is True
        assert len(rest.json()["data"]["saga_ids"]) == 1
        assert (await commands_sent(caller)).count("retried") == 3


class TestLists:
    async def test_by_status_step_and_trouble_in_pages(self, caller: Caller) -> None:
        ids = [await begun(caller) for _ in range(3)]
        await done(caller, "PauseSaga", ids[1])

        paused = await caller.operate("queries", "ListSagas", status="PAUSED")
        by_step = await caller.operate("queries", "ListSagas", step="ReserveQuota", limit=2)
        stuck = await caller.operate("queries", "ListSagas", stuck=True)

        assert [one["saga_id"] for one in paused.json()["data"]["sagas"]] == [ids[1]]
        page = by_step.json()["data"]
        assert [one["saga_id"] for one in page["sagas"]] == [ids[2], ids[1]]
        rest = await caller.operate(
            "queries", "ListSagas", step="ReserveQuota", cursor=page["cursor_next"]
        )
        assert [one["saga_id"] for one in rest.json()["data"]["sagas"]] == [ids[0]]
        assert stuck.json()["data"]["sagas"] == []

    async def test_who_waits_for_a_lock_shows_who_is_ahead(self, caller: Caller) -> None:
        app_id = str(UUID(int=5))
        first, second = await begun(caller, app_id=app_id), await begun(caller, app_id=app_id)

        waiting = await details(caller, second)

        assert waiting["lock_keys"] == [f"app_id:{app_id}"]
        assert waiting["ahead"] == [first]
        assert waiting["steps"][0]["state"] == "pending"


class TestApproval:
    async def test_a_second_member_lets_it_go_on(self, caller: Caller) -> None:
        operation_id = await begun(caller, approval_required=True)
        waiting = (await caller.get(operation_id)).json()["data"]

        own = await decide(caller, operation_id, ACTOR)
        other = await decide(caller, operation_id, SECOND)
        again = await decide(caller, operation_id, SECOND)

        assert (waiting["state"], waiting["waits_for"]) == ("WAITING", "approval")
        assert refusal(own) == (422, "orchestrator.ApprovalIsForOthers.v1")
        assert other.json()["data"]["state"] == "RUNNING"
        assert refusal(again) == (422, "orchestrator.VerbNotPossible.v1")

    async def test_refused_it_ends_and_the_app_is_not_locked(self, caller: Caller) -> None:
        app_id = str(UUID(int=5))
        operation_id = await begun(caller, app_id=app_id, approval_required=True)
        other = (await caller.publish(app_id=app_id)).json()["data"]

        refused = (await decide(caller, operation_id, SECOND, approved=False)).json()["data"]

        assert other["state"] == "RUNNING"
        assert refused["state"] == "COMPENSATED"
        assert refused["error_type"] == "orchestrator.ApprovalRefused.v1"

    async def test_approved_while_the_app_is_locked_it_queues(self, caller: Caller) -> None:
        app_id = str(UUID(int=5))
        operation_id = await begun(caller, app_id=app_id, approval_required=True)
        await begun(caller, app_id=app_id)

        approved = (await decide(caller, operation_id, SECOND)).json()["data"]

        assert (approved["state"], approved["waits_for"]) == ("WAITING", "lock")

    async def test_an_operator_may_signal_too(self, caller: Caller) -> None:
        saga_id = await begun(caller, approval_required=True)

        signalled = await done(caller, "SignalSaga", saga_id, approved=True, reason="on call")

        assert signalled["status"] == "RUNNING"
        history = (await details(caller, saga_id))["history"]
        assert history[1]["reason"] == "by ann: on call"
