"""What operators may do to a saga, and what a wait for approval does."""

from datetime import timedelta
from uuid import UUID

import pytest

from chassis.saga.core import APPROVAL_EXPIRED, APPROVAL_REFUSED, begin, decide
from chassis.saga.ids import BACKWARD, FORWARD, command_id
from chassis.saga.inputs import (
    Decision,
    Happened,
    LockGranted,
    Order,
    Reply,
    Signal,
    Started,
    Tick,
    Verb,
)
from chassis.saga.state import Phase, SagaState, Status
from chassis.saga.turn import PAUSE_LOOK
from chassis.testing.saga import SAGA_ID, START, reply_to, success_of
from contracts.billing.account import QuotaExceeded
from contracts.orchestrator.saga import ApprovalExpired, ApprovalRefused
from tests.chassis.saga.wide import AskFirst, wide

FIELDS = {
    "workspace_id": str(UUID(int=7)),
    "app_id": str(UUID(int=8)),
    "revision_id": str(UUID(int=9)),
    "environment": "staging",
    "previous_release_id": None,
}
REFUSAL = QuotaExceeded(workspace_id=UUID(int=7), units_left=0)
LATER = START + timedelta(seconds=5)


def begun(*, locked: bool = True, approval: bool = False) -> SagaState:
    fields = {**FIELDS, "approval_required": approval}
    return begin(wide, Started(SAGA_ID, START, fields, locked)).state


def answered(state: SagaState, index: int, rounds: int = 0) -> SagaState:
    """Its step `index` succeeds."""
    answer = success_of(wide.steps[index].command, state.data)
    return decide(
        wide, state, reply_to(command_id(SAGA_ID, index, FORWARD, rounds), answer, LATER)
    ).state


def refused(state: SagaState, index: int) -> SagaState:
    return decide(wide, state, reply_to(command_id(SAGA_ID, index, FORWARD), REFUSAL, LATER)).state


def order(state: SagaState, verb: Verb, step: str = "", reason: str = "the reason") -> Decision:
    return decide(wide, state, Order(LATER, verb, "ann", reason, step))


def names(decision: Decision) -> list[str]:
    return [send.command.__name__ for send in decision.commands]


class TestPause:
    def test_answers_count_and_nothing_is_sent(self) -> None:
        paused = order(begun(), Verb.PAUSE).state

        state = answered(answered(paused, 0), 1)

        assert state.status == Status.PAUSED
        assert state.wake_at == LATER + PAUSE_LOOK
        assert [step.mark for step in state.steps[:3]] == ["done", "done", "pending"]

    def test_resuming_sends_what_was_held_back(self) -> None:
        paused = answered(answered(order(begun(), Verb.PAUSE).state, 0), 1)

        resumed = order(paused, Verb.RESUME)

        assert names(resumed) == ["StageRelease"]
        assert resumed.state.status == Status.RUNNING

    def test_a_refusal_turns_it_round_and_the_undoing_is_held_back(self) -> None:
        paused = refused(order(answered(begun(), 1), Verb.PAUSE).state, 0)
        assert (paused.status, paused.phase) == (Status.PAUSED, Phase.BACKWARD)

        resumed = order(paused, Verb.RESUME)

        assert names(resumed) == ["UnfreezeRevision"]
        assert resumed.state.status == Status.COMPENSATING

    def test_a_tick_or_a_lock_changes_nothing(self) -> None:
        paused = order(begun(locked=False), Verb.PAUSE).state
        at = START + timedelta(days=1)

        for event in (Tick(at), LockGranted(at)):
            decision = decide(wide, paused, event)
            assert not decision.changed
            assert decision.wake_at == at + PAUSE_LOOK

    def test_resumed_after_its_deadline_it_is_undone(self) -> None:
        paused = order(begun(), Verb.PAUSE).state
        resumed = decide(wide, paused, Order(START + timedelta(hours=1), Verb.RESUME, "ann")).state
        assert resumed.wake_at is not None

        undone = decide(wide, resumed, Tick(START + timedelta(hours=1)))

        assert undone.notes[0].happened == Happened.DEADLINE_PASSED


class TestRetry:
    def test_sends_at_once_what_is_awaited_with_its_patience_renewed(self) -> None:
        again = order(answered(begun(), 0), Verb.RETRY)

        assert names(again) == ["FreezeRevision"]
        assert again.commands[0].command_id == command_id(SAGA_ID, 1, FORWARD)
        assert again.state.steps[1].attempts == 1


class TestSkip:
    def test_the_saga_goes_on_as_if_the_step_were_done(self) -> None:
        past_pivot = _past_pivot()

        skipped = order(past_pivot, Verb.SKIP, "CommitQuota")

        assert skipped.state.steps[4].mark == "skipped"
        assert "by ann: the reason" in skipped.notes[0].reason
        assert answered(skipped.state, 5).status == Status.COMPLETED

    def test_needs_the_fields_that_later_steps_take_from_the_answer(self) -> None:
        without = order(begun(), Verb.SKIP, "FreezeRevision")
        fields = {"bundle_digest": "d" * 64}
        with_them = decide(
            wide, begun(), Order(LATER, Verb.SKIP, "ann", "r", "FreezeRevision", fields)
        )

        assert without.notes[0].happened == Happened.IGNORED
        assert "bundle_digest" in without.notes[0].reason
        assert with_them.notes[0].happened == Happened.STEP_SKIPPED
        assert with_them.state.data["bundle_digest"] == "d" * 64

    def test_an_answer_that_later_commands_could_not_carry_is_refused(self) -> None:
        fields = {"bundle_digest": ["no", "text"], "revision_id": "x"}

        tried = decide(wide, begun(), Order(LATER, Verb.SKIP, "ann", "r", "FreezeRevision", fields))

        assert tried.notes[0].happened == Happened.IGNORED
        assert tried.notes[0].reason.endswith("cannot have: bundle_digest, revision_id")
        assert "bundle_digest" not in tried.state.data

    def test_an_undoing_done_by_hand(self) -> None:
        undoing = order(begun(), Verb.COMPENSATE).state

        half = order(undoing, Verb.SKIP, "ReserveQuota").state
        done = order(half, Verb.SKIP, "FreezeRevision").state

        assert half.status == Status.COMPENSATING
        assert done.status == Status.COMPENSATED


class TestRefusedOrders:
    @pytest.mark.parametrize("verb", list(Verb))
    def test_nothing_moves_a_saga_that_has_ended_and_the_attempt_is_recorded(
        self, verb: Verb
    ) -> None:
        ended = order(begun(), Verb.ABANDON).state

        tried = order(ended, verb, "ReserveQuota")

        assert tried.state.status == Status.ABANDONED
        assert tried.notes[0].reason == f"{verb} by ann: the saga has ended"

    def test_past_the_pivot_it_is_not_undone(self) -> None:
        tried = order(_past_pivot(), Verb.COMPENSATE)

        assert tried.notes[0].reason == "compensate by ann: it has passed its pivot"
        assert not tried.commands

    def test_abandoning_needs_a_reason(self) -> None:
        tried = order(begun(), Verb.ABANDON, reason=" ")

        assert tried.state.status == Status.RUNNING
        assert tried.notes[0].reason == "abandon by ann: a reason is required"

    def test_a_step_that_is_not_under_way_is_not_skipped(self) -> None:
        tried = order(begun(), Verb.SKIP, "StageRelease")

        assert "is not under way: ReserveQuota, FreezeRevision" in tried.notes[0].reason


class TestApproval:
    def test_nothing_is_sent_and_no_deadline_runs_before_it(self) -> None:
        waiting = begun(approval=True)

        assert (waiting.status, waiting.phase) == (Status.WAITING_SIGNAL, Phase.APPROVAL)
        assert all(step.mark == "pending" for step in waiting.steps)
        assert waiting.wake_at == START + timedelta(days=7)

    def test_approved_it_begins_with_its_deadline_from_then(self) -> None:
        at = START + timedelta(days=2)

        begun_late = decide(wide, begun(approval=True), Signal(at, True, "ann", "looks good"))

        assert names(begun_late) == ["ReserveQuota", "FreezeRevision"]
        assert begun_late.state.deadline_at == at + wide.deadline
        assert begun_late.notes[0].happened == Happened.APPROVED

    def test_approved_it_waits_for_its_lock_like_any_other(self) -> None:
        waits = decide(wide, begun(approval=True), Signal(LATER, True, "ann", locked=False))

        assert waits.state.phase == Phase.LOCKING
        granted = decide(wide, waits.state, LockGranted(LATER))
        assert names(granted) == ["ReserveQuota", "FreezeRevision"]

    def test_refused_or_expired_it_ends_without_having_done_anything(self) -> None:
        no = decide(wide, begun(approval=True), Signal(LATER, False, "ann", "not today"))
        expired = decide(wide, begun(approval=True), Tick(START + timedelta(days=7)))

        assert (no.state.status, no.state.error_type) == (Status.COMPENSATED, APPROVAL_REFUSED)
        assert expired.state.error_type == APPROVAL_EXPIRED
        assert not no.commands
        assert not expired.commands

    def test_a_signal_that_nobody_waits_for_is_recorded(self) -> None:
        decision = decide(wide, begun(), Signal(LATER, True, "ann"))

        assert decision.notes[0].reason == "signal by ann: it does not wait for one"

    def test_the_reasons_are_contracts(self) -> None:
        types = [contract.address.type for contract in (ApprovalRefused, ApprovalExpired)]

        assert types == [APPROVAL_REFUSED, APPROVAL_EXPIRED]

    def test_a_start_without_the_need_begins_at_once(self) -> None:
        assert begun().phase == Phase.FORWARD
        assert not wide.needs_approval(AskFirst.model_construct().model_dump())


def _past_pivot() -> SagaState:
    state = begun()
    for index in range(4):
        state = answered(state, index)
    return state


def test_a_compensation_answered_after_an_abandoning_is_ignored() -> None:
    undoing = order(begun(), Verb.COMPENSATE).state
    abandoned = order(undoing, Verb.ABANDON).state
    late = Reply(command_id(SAGA_ID, 0, BACKWARD), "billing.QuotaReleased.v1", {}, LATER)

    decision = decide(wide, abandoned, late)

    assert decision.state.status == Status.ABANDONED
    assert decision.notes[0].reason.startswith("late:")
