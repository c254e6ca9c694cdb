"""The decision core: what a saga does when something happens to it.

Pure: no I/O, no clock, no randomness. `begin` makes a saga, `decide` moves it; both answer what is
to be written in one transaction. The same code runs in production, in stories and in simulation.
"""

from chassis.saga.definition import Kind, Saga
from chassis.saga.ids import minted_id
from chassis.saga.inputs import (
    Cancel,
    Decision,
    Fact,
    Happened,
    Input,
    LockGranted,
    Note,
    Order,
    Reply,
    Signal,
    Started,
    Tick,
)
from chassis.saga.orders import SAGA_CANCELLED, obey, said
from chassis.saga.state import Phase, SagaState, Status, StepMark, StepState
from chassis.saga.turn import Turn, reason_to_ignore

DEADLINE_PASSED = "orchestrator.DeadlinePassed.v1"
STEP_UNANSWERED = "orchestrator.StepUnanswered.v1"
APPROVAL_REFUSED = "orchestrator.ApprovalRefused.v1"
APPROVAL_EXPIRED = "orchestrator.ApprovalExpired.v1"
"""Wire types of the engine's own reasons to undo a saga; `step` is their only field."""


def begin(saga: Saga, started: Started) -> Decision:
    """A new saga: its first commands, a place in the queue for its lock, or a wait for approval."""
    minted = {name: str(minted_id(started.saga_id, name)) for name in saga.mints}
    state = SagaState(
        id=started.saga_id,
        saga=saga.name,
        definition_version=saga.version,
        workspace_id=started.workspace_id,
        actor_id=started.actor_id,
        started_at=started.at,
        updated_at=started.at,
        deadline_at=started.at + saga.deadline,
        wake_at=started.at,
        data={**started.fields, **minted},
        steps=[StepState()] * len(saga.steps),
        version=0,
        business_key=str(started.fields.get(saga.starts_on.address.key, "")),
        traceparent=started.traceparent,
    )
    turn = Turn(saga, state, started.at)
    turn.note(Happened.STARTED)
    turn.announce(Fact.STARTED)
    if saga.approval is not None and saga.needs_approval(started.fields):
        _wait_for_approval(turn)
    else:
        _set_out(turn, started.locked)
    return turn.decision()


def decide(saga: Saga, state: SagaState, event: Input) -> Decision:
    """What `saga` does about `event`. `saga` is the version that the instance is pinned to."""
    assert (saga.name, saga.version) == (state.saga, state.definition_version), "wrong definition"
    turn = Turn(saga, state, event.at)
    if isinstance(event, Reply):
        return _reply(turn, event)
    if isinstance(event, Tick):
        return _tick(turn)
    if isinstance(event, LockGranted):
        return _lock_granted(turn)
    if isinstance(event, Signal):
        return _signal(turn, event)
    if isinstance(event, Order):
        return obey(turn, event)
    return _cancel(turn, event)


def cancellable(saga: Saga, state: SagaState) -> bool:
    """Whether a Cancel now would undo it: nothing sent yet that cannot be undone."""
    return Turn(saga, state, state.updated_at).undoable


def _set_out(turn: Turn, locked: bool) -> None:
    """The first commands, if it has its locks."""
    if locked:
        turn.state.phase = Phase.FORWARD
        turn.go_on(0)
    else:
        turn.wait_for_lock()
        turn.note(Happened.WAITS_FOR_LOCK)


def _reply(turn: Turn, reply: Reply) -> Decision:
    index = turn.awaits(reply.command_id)
    if index is None:
        return turn.ignored(reason_to_ignore(turn.saga, turn.state, reply.command_id))
    step = turn.saga.steps[index]
    if turn.state.phase == Phase.FORWARD:
        if reply.type == step.answer_type:
            _step_done(turn, index, reply)
        else:
            _step_not_done(turn, index, reply)
    elif reply.type == step.undone_type:
        _step_undone(turn, index)
    else:
        _must_succeed(turn, index, reply)
    return turn.decision()


def _step_done(turn: Turn, index: int, reply: Reply) -> None:
    state, saga = turn.state, turn.saga
    turn.mark(index, StepMark.DONE)
    turn.note(Happened.STEP_DONE, saga.steps[index].name)
    turn.learn(reply.fields)
    state.status = Status.RUNNING
    behind = turn.stage.stop
    if saga.progress and not (behind == len(saga.steps) and turn.stage_is_done):
        turn.announce(Fact.PROGRESSED)
    if turn.stage_is_done:
        turn.go_on(behind)


def _step_not_done(turn: Turn, index: int, reply: Reply) -> None:
    """A refusal has no effect and undoes what came before; anything else leaves it in doubt."""
    step = turn.saga.steps[index]
    if step.kind == Kind.RETRIABLE or (step.kind == Kind.PIVOT and not reply.refusal):
        _must_succeed(turn, index, reply)
        return
    if reply.refusal:
        turn.mark(index, StepMark.REJECTED)
    turn.note(Happened.STEP_REJECTED, step.name, reply.type)
    turn.undo(reply.type, reply.fields)


def _step_undone(turn: Turn, index: int) -> None:
    turn.note(Happened.STEP_UNDONE, turn.saga.steps[index].name)
    turn.step_back(index)


def _must_succeed(turn: Turn, index: int, reply: Reply) -> None:
    """Refused, although it may not be: somebody is called; it goes out again after a while."""
    turn.postpone(index)
    turn.need_attention(turn.saga.steps[index].name, f"answered {reply.type}")


def _tick(turn: Turn) -> Decision:
    state, at = turn.state, turn.at
    if state.ended:
        return turn.ignored("the saga has ended")
    assert state.wake_at is not None, "a saga that has not ended has a wake-up"
    if at < state.wake_at:
        return turn.unchanged()
    if turn.paused:
        return turn.rearmed()
    if state.phase == Phase.APPROVAL:
        return _undo(turn, Happened.APPROVAL_EXPIRED, APPROVAL_EXPIRED)
    late = at >= state.deadline_at
    if turn.undoable and late:
        return _undo(turn, Happened.DEADLINE_PASSED, DEADLINE_PASSED)
    if state.phase == Phase.LOCKING:
        turn.wait_for_lock()
        return turn.rearmed()
    return _send_again(turn, late)


def _send_again(turn: Turn, late: bool) -> Decision:
    """Every command that has waited long enough; before the pivot somebody's patience ends."""
    state = turn.state
    due = [i for i in turn.awaited() if (when := state.steps[i].due) and when <= turn.at]
    if not due:
        return turn.rearmed()
    tired = [i for i in due if state.steps[i].attempts >= turn.retry(i).attempts]
    if tired and turn.undoable:
        return _undo(turn, Happened.GIVEN_UP, STEP_UNANSWERED, index=tired[0])
    for index in due:
        name = turn.saga.steps[index].name
        if index in tired or (late and state.phase == Phase.FORWARD):
            turn.need_attention(name, "unanswered")
        turn.note(Happened.SENT_AGAIN, name)
        turn.send(index)
    return turn.decision()


def _lock_granted(turn: Turn) -> Decision:
    if turn.state.phase != Phase.LOCKING or turn.state.ended:
        return turn.unchanged()
    if turn.paused:
        return turn.rearmed()
    if turn.at >= turn.state.deadline_at:
        return _undo(turn, Happened.DEADLINE_PASSED, DEADLINE_PASSED)
    turn.note(Happened.LOCKED)
    _set_out(turn, True)
    return turn.decision()


def _wait_for_approval(turn: Turn) -> None:
    state, approval = turn.state, turn.saga.approval
    assert approval is not None, "the saga needs an approval"
    state.phase, state.status = Phase.APPROVAL, Status.WAITING_SIGNAL
    state.wake_at = turn.at + approval.within
    state.deadline_at = state.wake_at + turn.saga.deadline
    turn.note(Happened.WAITS_FOR_APPROVAL)
    turn.announce(Fact.APPROVAL_WANTED)


def _signal(turn: Turn, signal: Signal) -> Decision:
    state = turn.state
    if state.phase != Phase.APPROVAL or state.ended:
        return turn.ignored(f"signal by {signal.by}: it does not wait for one")
    if state.wake_at is not None and turn.at >= state.wake_at:
        return _undo(turn, Happened.APPROVAL_EXPIRED, APPROVAL_EXPIRED)
    about = said(signal.by, signal.reason)
    if not signal.approved:
        return _undo(turn, Happened.APPROVAL_REFUSED, APPROVAL_REFUSED, about)
    turn.note(Happened.APPROVED, "", about)
    state.status = Status.RUNNING
    state.deadline_at = turn.at + turn.saga.deadline
    _set_out(turn, signal.locked)
    return turn.decision()


def _cancel(turn: Turn, cancel: Cancel) -> Decision:
    state = turn.state
    if not turn.undoable:
        undone = state.phase == Phase.BACKWARD or state.ended
        return turn.ignored(
            "cancel: it is being undone or has ended"
            if undone
            else "cancel: it has passed its pivot"
        )
    who = f"by {cancel.actor_id}" if cancel.actor_id else ""
    return _undo(turn, Happened.CANCELLED, SAGA_CANCELLED, who)


def _undo(
    turn: Turn, happened: Happened, error_type: str, reason: str = "", index: int | None = None
) -> Decision:
    """Undo from the step in doubt, not from the last one confirmed."""
    step = "" if turn.waits else turn.saga.steps[index or turn.state.cursor].name
    turn.note(happened, step, reason)
    turn.undo(error_type, {"step": step})
    return turn.decision()


def note_of(decision: Decision) -> Note:
    """The line that names a transition; what else it did follows it."""
    return decision.notes[0]
