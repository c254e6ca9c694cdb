"""Orders: what an operator may do to a saga, and when it is possible. Pure, as the core is."""

from copy import copy
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from chassis.saga.definition import fields_of
from chassis.saga.inputs import Decision, Fact, Happened, Order, Verb
from chassis.saga.state import Fields, Phase, SagaState, Status, StepMark, StepState
from chassis.saga.turn import HAPPENED, Turn
from contracts.base import Message, answer_of

SAGA_CANCELLED = "orchestrator.SagaCancelled.v1"
"""Wire type of the reason to undo a saga that somebody cancelled."""


def said(by: str, reason: str) -> str:
    """Who did it and why, for the saga's history."""
    return f"by {by}: {reason}" if reason else f"by {by}"


def obey(turn: Turn, order: Order) -> Decision:
    """Do it, or record why it is not possible."""
    why = refusal_of(turn, order)
    if why:
        return turn.ignored(f"{order.verb} by {order.by}: {why}")
    _OBEYED[order.verb](turn, order)
    return turn.decision()


def refusal_of(turn: Turn, order: Order) -> str:
    """Why the order is not possible now; "" when it is."""
    if turn.state.ended:
        return "the saga has ended"
    return _POSSIBLE[order.verb](turn, order)


def _may_retry(turn: Turn, order: Order) -> str:
    if turn.paused:
        return "it is paused: resume it"
    return "it waits and has sent nothing" if turn.waits else ""


def _may_skip(turn: Turn, order: Order) -> str:
    if turn.waits:
        return "it waits and has sent nothing"
    index = _index_of(turn, order.step)
    if index is None:
        names = ", ".join(turn.saga.steps[i].name for i in _open(turn))
        return f"step {order.step or '(none)'} is not under way: {names}"
    if turn.state.phase == Phase.BACKWARD:
        return ""
    missing = _missing(turn, index, order)
    if missing:
        return f"later steps need {', '.join(missing)} of its answer"
    wrong = _wrong(answer_of(turn.saga.steps[index].command), order.fields)
    return f"its answer cannot have: {', '.join(wrong)}" if wrong else ""


def _may_compensate(turn: Turn, order: Order) -> str:
    if turn.undoable:
        return ""
    backward = turn.state.phase == Phase.BACKWARD
    return "it is being undone" if backward else "it has passed its pivot"


def _may_pause(turn: Turn, order: Order) -> str:
    if turn.paused:
        return "it is paused"
    return "it waits for approval" if turn.state.phase == Phase.APPROVAL else ""


def _may_resume(turn: Turn, order: Order) -> str:
    return "" if turn.paused else "it is not paused"


def _may_abandon(turn: Turn, order: Order) -> str:
    return "" if order.reason.strip() else "a reason is required"


def _retry(turn: Turn, order: Order) -> None:
    """Now, and with all its patience again."""
    state = turn.state
    turn.note(Happened.RETRIED, _names(turn), said(order.by, order.reason))
    state.status = _status_of(state)
    for index in turn.awaited():
        step = state.steps[index]
        state.steps[index] = StepState(step.mark, 0, step.rounds)
        turn.send(index)


def _skip(turn: Turn, order: Order) -> None:
    index = _index_of(turn, order.step)
    assert index is not None, "the order was found possible"
    state = turn.state
    turn.note(Happened.STEP_SKIPPED, order.step, said(order.by, order.reason))
    state.status = _status_of(state)
    if state.phase == Phase.BACKWARD:
        turn.step_back(index)
        return
    turn.mark(index, StepMark.SKIPPED)
    turn.learn(order.fields)
    if turn.stage_is_done:
        turn.go_on(turn.stage.stop)


def _compensate(turn: Turn, order: Order) -> None:
    step = "" if turn.waits else turn.saga.steps[turn.state.cursor].name
    turn.note(Happened.CANCELLED, step, said(order.by, order.reason))
    turn.undo(SAGA_CANCELLED, {"step": step})


def _pause(turn: Turn, order: Order) -> None:
    turn.note(Happened.PAUSED, _names(turn), said(order.by, order.reason))
    turn.announce(Fact.PAUSED)
    turn.paused = True


def _resume(turn: Turn, order: Order) -> None:
    """What was held back goes out now; what was sent before is looked at by the next tick."""
    state = turn.state
    turn.note(Happened.RESUMED, "", said(order.by, order.reason))
    turn.announce(Fact.RESUMED)
    turn.paused = False
    state.status = _status_of(state)
    if state.phase == Phase.LOCKING:
        state.wake_at = turn.at
    elif state.phase == Phase.FORWARD:
        turn.send_all(i for i in turn.stage if state.steps[i].mark == StepMark.PENDING)
    else:
        turn.send_all(i for i in turn.stage if state.steps[i].mark in HAPPENED)


def _abandon(turn: Turn, order: Order) -> None:
    turn.note(Happened.ABANDONED, _names(turn), said(order.by, order.reason))
    turn.end(Status.ABANDONED, Fact.ABANDONED)


_POSSIBLE = {
    Verb.RETRY: _may_retry,
    Verb.SKIP: _may_skip,
    Verb.COMPENSATE: _may_compensate,
    Verb.PAUSE: _may_pause,
    Verb.RESUME: _may_resume,
    Verb.ABANDON: _may_abandon,
}
_OBEYED = {
    Verb.RETRY: _retry,
    Verb.SKIP: _skip,
    Verb.COMPENSATE: _compensate,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.ABANDON: _abandon,
}


def _open(turn: Turn) -> list[int]:
    """The steps under way: awaited, or held back by a pause."""
    if turn.state.phase == Phase.BACKWARD:
        marks = HAPPENED | {StepMark.COMPENSATING}
    else:
        marks = frozenset((StepMark.PENDING, StepMark.SENT))
    return [index for index in turn.stage if turn.state.steps[index].mark in marks]


def _index_of(turn: Turn, name: str) -> int | None:
    found = (index for index in _open(turn) if turn.saga.steps[index].name == name)
    return next(found, None)


def _missing(turn: Turn, index: int, order: Order) -> list[str]:
    """Fields that only this step's answer gives, that later commands need, and the order lacks."""
    saga = turn.saga
    gives = set(fields_of(answer_of(saga.steps[index].command)))
    known = turn.state.data.keys() | order.fields.keys()
    commands = [step.command for step in saga.steps[turn.stage.stop :]]
    commands += [s.compensation for s in saga.steps[turn.stage.stop :] if s.compensation]
    needed = {
        name
        for command in commands
        for name, field in command.model_fields.items()
        if field.is_required() and name in gives and name not in known
    }
    return sorted(needed)


def _wrong(answer: type[Message], fields: Fields) -> list[str]:
    """Which of these are no values of the answer's fields: later commands could not be read."""
    try:
        _partly(answer).model_validate(fields)
    except ValidationError as error:
        return sorted({str(fault["loc"][0]) for fault in error.errors()})
    return []


@cache
def _partly(contract: type[Message]) -> type[BaseModel]:
    """A model of the same fields, none of which is required."""
    fields: dict[str, Any] = {}  # of create_model
    for name, info in contract.model_fields.items():
        optional = copy(info)
        optional.default, optional.default_factory = None, None
        fields[name] = (info.annotation, optional)
    return create_model(f"Partly{contract.__name__}", **fields)


def _status_of(state: SagaState) -> Status:
    return Status.COMPENSATING if state.phase == Phase.BACKWARD else Status.RUNNING


def _names(turn: Turn) -> str:
    """The steps under way, for the history."""
    if turn.waits:
        return ""
    return ", ".join(turn.saga.steps[index].name for index in _open(turn))
