"""What each transition writes: the whole row, the line of the history, the public facts."""

from dataclasses import fields
from datetime import timedelta
from uuid import UUID

from chassis.saga.core import (
    APPROVAL_EXPIRED,
    APPROVAL_REFUSED,
    DEADLINE_PASSED,
    begin,
    cancellable,
    decide,
    note_of,
)
from chassis.saga.ids import BACKWARD, FORWARD, command_id
from chassis.saga.inputs import (
    Cancel,
    Fact,
    Happened,
    LockGranted,
    Note,
    Reply,
    Signal,
    Started,
    Tick,
    Verb,
)
from chassis.saga.state import Phase, SagaState, Status, StepMark, StepState
from chassis.testing.saga import SAGA_ID, START, reply_to, success_of
from contracts.billing.account import ReleaseQuota, ReserveQuota
from contracts.studio.app import UnfreezeRevision
from tests.chassis.saga.moves import (
    ACTOR,
    APP,
    DAY,
    FIELDS,
    LATER,
    REFUSAL,
    WORKSPACE,
    after,
    backward_only,
    begun,
    notes,
    order,
    started,
    success,
    undoing,
)
from tests.chassis.saga.wide import wide


class TestBegin:
    def test_the_row_holds_what_the_start_gave(self) -> None:
        state = begun()

        assert (state.workspace_id, state.actor_id) == (WORKSPACE, ACTOR)
        assert state.traceparent == "00-trace"
        assert state.business_key == str(APP)
        assert state.started_at == state.updated_at == START
        assert state.deadline_at == START + wide.deadline
        assert (state.version, state.facts) == (1, 1)
        assert started().at == START

    def test_a_start_without_its_key_has_an_empty_business_key(self) -> None:
        keyless = {name: value for name, value in FIELDS.items() if name != "app_id"}

        assert begin(wide, Started(SAGA_ID, START, keyless, False)).state.business_key == ""

    def test_a_wait_for_approval_moves_the_deadline_behind_it(self) -> None:
        assert wide.approval is not None
        expiry = START + wide.approval.within

        decision = started(approval=True)

        assert decision.state.deadline_at == expiry + wide.deadline
        assert decision.facts == (Fact.STARTED, Fact.APPROVAL_WANTED)
        assert decision.state.facts == 2
        assert note_of(decision) == Note(Happened.STARTED)


class TestCopy:
    def test_a_copy_has_every_field_and_its_own_steps(self) -> None:
        state = begun()
        state.error_type, state.error, state.cursor, state.facts = "e", {"a": 1}, 1, 5

        copy = state.copy()

        for one in fields(SagaState):
            assert getattr(copy, one.name) == getattr(state, one.name), one.name
        assert copy.steps is not state.steps


class TestSend:
    def test_only_a_forward_that_can_be_undone_is_worth_nothing_after_the_deadline(self) -> None:
        first = started()
        pivot = decide(wide, after(2), success(after(2), 2))
        back = order(begun(), Verb.COMPENSATE)

        assert [send.bounded for send in first.commands] == [True, True]
        assert [send.bounded for send in pivot.commands] == [False]
        assert [send.bounded for send in back.commands] == [False, False]


class TestTimes:
    def test_what_is_written_carries_the_time_of_its_input(self) -> None:
        stranger = Reply(UUID(int=5), "any", {}, LATER)

        answered, ignored = (
            decide(wide, begun(), success(begun(), 0)),
            decide(wide, begun(), stranger),
        )

        assert answered.at == ignored.at == LATER
        assert answered.state.updated_at == ignored.state.updated_at == LATER
        assert answered.changed

    def test_after_its_end_the_time_of_the_end_stays(self) -> None:
        ended = order(begun(), Verb.ABANDON).state

        late = decide(wide, ended, Tick(LATER + DAY))

        assert late.state.updated_at == LATER
        assert notes(late) == [("ignored", "", "the saga has ended")]

    def test_the_end_itself_is_timed(self) -> None:
        assert order(begun(), Verb.ABANDON).state.updated_at == LATER

    def test_a_tick_that_changes_nothing_or_only_the_wake_up_carries_its_time_too(self) -> None:
        early = decide(wide, begun(), Tick(LATER))
        looked = decide(wide, begun(locked=False), Tick(LATER))

        assert (early.at, early.changed) == (LATER, False)
        assert (looked.at, looked.changed) == (LATER, False)


class TestLateness:
    def test_a_lock_that_comes_at_the_deadline_comes_too_late(self) -> None:
        waiting = begun(locked=False)
        deadline = START + wide.deadline

        granted = decide(wide, waiting, LockGranted(deadline))
        before = decide(wide, waiting, LockGranted(deadline - timedelta(seconds=1)))

        assert notes(granted) == [("deadline_passed", "", "")]
        assert granted.state.error_type == DEADLINE_PASSED
        assert granted.state.status == Status.COMPENSATED
        assert before.commands

    def test_a_signal_at_the_expiry_comes_too_late(self) -> None:
        assert wide.approval is not None
        expiry = START + wide.approval.within

        late = decide(wide, begun(approval=True), Signal(expiry, True, "ann"))
        before = Signal(expiry - timedelta(seconds=1), True, "ann")

        assert notes(late) == [("approval_expired", "", "")]
        assert late.state.error_type == APPROVAL_EXPIRED
        assert not late.commands
        assert decide(wide, begun(approval=True), before).commands

    def test_an_unanswered_step_behind_the_pivot_is_told_once_it_is_late(self) -> None:
        behind = after(4)
        at = START + wide.deadline + timedelta(seconds=1)

        late = decide(wide, behind, Tick(at))
        early = decide(wide, behind, Tick(at - timedelta(minutes=2)))

        assert ("needs_attention", "CommitQuota", "unanswered") in notes(late)
        assert {note.happened for note in early.notes} == {Happened.SENT_AGAIN}

    def test_an_undoing_is_not_late(self) -> None:
        at = START + wide.deadline + timedelta(seconds=1)

        again = decide(wide, undoing(), Tick(at))

        assert {note.happened for note in again.notes} == {Happened.SENT_AGAIN}

    def test_only_what_is_due_is_sent_again(self) -> None:
        state = begun()
        first, second = state.steps[0].due, state.steps[1].due
        assert first is not None
        assert second is not None

        again = decide(wide, state, Tick(min(first, second)))

        assert len(again.commands) == 1


class TestSignal:
    def test_a_refusal_says_who_and_why(self) -> None:
        no = decide(wide, begun(approval=True), Signal(LATER, False, "ann", "not today"))

        assert notes(no) == [("approval_refused", "", "by ann: not today")]
        assert (no.state.error_type, no.state.error) == (APPROVAL_REFUSED, {"step": ""})

    def test_approved_without_its_lock_it_runs_as_one_that_waits_for_a_lock(self) -> None:
        yes = decide(wide, begun(approval=True), Signal(LATER, True, "ann", "fine", False))

        assert notes(yes) == [("approved", "", "by ann: fine"), ("waits_for_lock", "", "")]
        assert (yes.state.status, yes.state.phase) == (Status.RUNNING, Phase.LOCKING)


class TestCancel:
    def test_says_who_and_names_the_step(self) -> None:
        decision = decide(wide, begun(), Cancel(LATER, ACTOR))

        assert notes(decision) == [("cancelled", "ReserveQuota", f"by {ACTOR}")]
        assert decision.state.error == {"step": "ReserveQuota"}
        assert decision.facts == (Fact.COMPENSATING,)

    def test_what_cannot_be_cancelled_says_why(self) -> None:
        ended = order(begun(), Verb.ABANDON).state
        reasons = [
            decide(wide, state, Cancel(LATER)).notes[0].reason
            for state in (undoing(), ended, after(3))
        ]

        assert reasons == [
            "cancel: it is being undone or has ended",
            "cancel: it is being undone or has ended",
            "cancel: it has passed its pivot",
        ]
        assert [cancellable(wide, state) for state in (begun(), undoing(), after(3))] == [
            True,
            False,
            False,
        ]

    def test_while_it_waits_nothing_is_announced_but_its_end(self) -> None:
        decision = decide(wide, begun(locked=False), Cancel(LATER))

        assert notes(decision) == [("cancelled", "", "")]
        assert decision.facts == (Fact.COMPENSATED,)

    def test_a_saga_without_a_pivot_is_undone_from_its_last_step(self) -> None:
        saga = backward_only()
        state = begin(saga, Started(SAGA_ID, START, FIELDS)).state
        done = success_of(ReserveQuota, state.data)
        state = decide(saga, state, reply_to(command_id(SAGA_ID, 0, FORWARD), done, LATER)).state

        state = decide(saga, state, Cancel(LATER)).state
        undone = success_of(UnfreezeRevision, state.data)
        back = decide(saga, state, reply_to(command_id(SAGA_ID, 1, BACKWARD), undone, LATER))

        assert [send.command for send in back.commands] == [ReleaseQuota]


class TestIgnored:
    def test_an_answer_of_another_round_is_told_apart_from_an_unknown_one(self) -> None:
        behind = after(4)
        refused = reply_to(command_id(SAGA_ID, 4, FORWARD), REFUSAL, LATER)
        state = decide(wide, behind, refused).state
        unsent = decide(wide, state, success(state, 4, 2)).notes[0].reason
        state = decide(wide, state, success(state, 4, 1)).state

        again = decide(wide, state, success(state, 4, 1)).notes[0].reason

        assert unsent == "unknown: no command of this saga has that id"
        assert again == "not awaited: answer to the command of CommitQuota"

    def test_a_late_answer_to_a_compensation_is_called_so(self) -> None:
        abandoned = order(undoing(), Verb.ABANDON).state
        late = Reply(command_id(SAGA_ID, 0, BACKWARD), "billing.QuotaReleased.v1", {}, LATER)

        assert decide(wide, abandoned, late).notes[0].reason == (
            "late: answer to the compensation of ReserveQuota, the saga has ended"
        )


def test_a_step_begins_pending_and_unsent() -> None:
    assert StepState() == StepState(StepMark.PENDING, 0, 0, None)
