"""The decision core: what a saga does when something happens to it.

Pure: no I/O, no clock, no randomness. `begin` makes a saga, `decide` moves it; both answer what is
to be written in one transaction. The same code runs in production, in stories and in simulation.
"""

from datetime import timedelta

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
    Reply,
    Started,
    Tick,
)
from chassis.saga.state import Fields, Phase, SagaState, Status, StepMark, StepState
from chassis.saga.turn import Turn, reason_to_ignore

LOCK_POLL = timedelta(seconds=2)
"""How often a saga that waits for a lock looks again; the nudge of the holder's end is faster."""

DEADLINE_PASSED = "orchestrator.DeadlinePassed.v1"
STEP_UNANSWERED = "orchestrator.StepUnanswered.v1"
SAGA_CANCELLED = "orchestrator.SagaCancelled.v1"
"""Wire types of the engine's own reasons to undo a saga; `step` is their only field."""


def begin(saga: Saga, started: Started) -> Decision:
    """A new saga: its first command, or a place in the queue for its lock."""
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
        phase=Phase.FORWARD if started.locked else Phase.LOCKING,
        version=0,
        business_key=str(started.fields.get(saga.starts_on.address.key, "")),
        traceparent=started.traceparent,
    )
    turn = Turn(saga, state, started.at)
    turn.note(Happened.STARTED)
    turn.announce(Fact.STARTED)
    if started.locked:
        turn.send()
    else:
        _wait_for_lock(turn)
        turn.note(Happened.WAITS_FOR_LOCK)
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
    return _cancel(turn, event)


def cancellable(saga: Saga, state: SagaState) -> bool:
    """Whether a Cancel now would undo it: nothing sent yet that cannot be undone."""
    if state.ended or state.phase == Phase.BACKWARD:
        return False
    return state.phase == Phase.LOCKING or state.cursor < saga.point_of_no_return


def _reply(turn: Turn, reply: Reply) -> Decision:
    if not turn.awaits(reply.command_id):
        return turn.ignored(reason_to_ignore(turn.saga, turn.state, reply.command_id))
    step = turn.step
    if turn.state.phase == Phase.FORWARD:
        if reply.type == step.answer_type:
            return _step_done(turn, reply.fields)
        return _step_not_done(turn, reply)
    if reply.type == step.undone_type:
        turn.mark(StepMark.UNDONE)
        turn.note(Happened.STEP_UNDONE, step.name)
        turn.undo_from(turn.state.cursor - 1)
        return turn.decision()
    return _must_succeed(turn, reply)


def _step_done(turn: Turn, fields: Fields) -> Decision:
    state, saga = turn.state, turn.saga
    turn.mark(StepMark.DONE)
    turn.note(Happened.STEP_DONE, turn.step.name)
    origin = saga.origin_fields
    new = {name: value for name, value in fields.items() if name not in origin}
    state.data = {**state.data, **new}
    state.status = Status.RUNNING
    state.cursor += 1
    state.attempts = state.rounds = 0
    if state.cursor == len(saga.steps):
        turn.end(Status.COMPLETED, Fact.COMPLETED)
    else:
        if saga.progress:
            turn.announce(Fact.PROGRESSED)
        turn.send()
    return turn.decision()


def _step_not_done(turn: Turn, reply: Reply) -> Decision:
    """A refusal has no effect and undoes what came before; anything else leaves it in doubt."""
    state, step = turn.state, turn.step
    if step.kind == Kind.RETRIABLE or (step.kind == Kind.PIVOT and not reply.refusal):
        return _must_succeed(turn, reply)
    if reply.refusal:
        turn.mark(StepMark.REJECTED)
    turn.note(Happened.STEP_REJECTED, step.name, reply.type)
    turn.undo(reply.type, reply.fields, state.cursor - 1 if reply.refusal else state.cursor)
    return turn.decision()


def _must_succeed(turn: Turn, reply: Reply) -> Decision:
    """Refused, although it may not be: somebody is called; it goes out again after a while."""
    state = turn.state
    state.rounds += 1
    turn.need_attention(f"answered {reply.type}")
    state.wake_at = turn.at + turn.retry.wait(max(state.attempts, 1))
    return turn.decision()


def _tick(turn: Turn) -> Decision:
    state, at = turn.state, turn.at
    if state.ended:
        return turn.ignored("the saga has ended")
    assert state.wake_at is not None, "a saga that has not ended has a wake-up"
    if at < state.wake_at:
        return turn.unchanged()
    late = at >= state.deadline_at
    if state.phase == Phase.LOCKING or (
        state.phase == Phase.FORWARD and state.cursor < turn.saga.point_of_no_return
    ):
        if late:
            return _undo(turn, Happened.DEADLINE_PASSED, DEADLINE_PASSED)
        if state.phase == Phase.LOCKING:
            _wait_for_lock(turn)
            return turn.rearmed()
        if state.attempts >= turn.retry.attempts:
            return _undo(turn, Happened.GIVEN_UP, STEP_UNANSWERED)
    elif state.attempts >= turn.retry.attempts or (late and state.phase == Phase.FORWARD):
        turn.need_attention("unanswered")
    turn.note(Happened.SENT_AGAIN, turn.step.name)
    turn.send()
    return turn.decision()


def _lock_granted(turn: Turn) -> Decision:
    if turn.state.phase != Phase.LOCKING or turn.state.ended:
        return turn.unchanged()
    if turn.at >= turn.state.deadline_at:
        return _undo(turn, Happened.DEADLINE_PASSED, DEADLINE_PASSED)
    turn.state.phase = Phase.FORWARD
    turn.note(Happened.LOCKED)
    turn.send()
    return turn.decision()


def _cancel(turn: Turn, cancel: Cancel) -> Decision:
    state = turn.state
    if not cancellable(turn.saga, state):
        undone = state.phase == Phase.BACKWARD or state.ended
        return turn.ignored(
            "cancel: it is being undone or has ended"
            if undone
            else "cancel: it has passed its pivot"
        )
    who = f"by {cancel.actor_id}" if cancel.actor_id else ""
    return _undo(turn, Happened.CANCELLED, SAGA_CANCELLED, who)


def _undo(turn: Turn, happened: Happened, error_type: str, reason: str = "") -> Decision:
    """Undo from the step in doubt, not from the last one confirmed."""
    state = turn.state
    locking = state.phase == Phase.LOCKING
    step = "" if locking else turn.step.name
    turn.note(happened, step, reason)
    turn.undo(error_type, {"step": step}, -1 if locking else state.cursor)
    return turn.decision()


def _wait_for_lock(turn: Turn) -> None:
    turn.state.wake_at = min(turn.at + LOCK_POLL, turn.state.deadline_at)


def note_of(decision: Decision) -> Note:
    """The line that names a transition; what else it did follows it."""
    return decision.notes[0]
