"""Histories: what released versions of sagas decided, kept as files and replayed for ever.

    python -m tests.sagas.histories

records versions that have no file yet. A file is never written again: when its replay fails,
running sagas would have gone another way, and the change needs a new version.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from chassis.saga import Kind, Saga
from chassis.saga.core import begin, decide
from chassis.saga.inputs import (
    Cancel,
    Decision,
    Input,
    LockGranted,
    Order,
    Reply,
    Signal,
    Started,
    Tick,
    Verb,
)
from chassis.testing.saga import SILENCE, Story, made_up, saga_story
from contracts.base import Message
from contracts.orchestrator.saga import DeadlinePassed
from sagas import SAGAS

LOCK_WAIT = timedelta(seconds=5)
FOLDER = Path(__file__).parent / "histories"
_INPUTS = {
    kind.__name__: kind for kind in (Started, Reply, Tick, LockGranted, Cancel, Signal, Order)
}


def file_of(saga: Saga) -> Path:
    return FOLDER / f"{saga.name}.v{saga.version}.json"


def shape_of(saga: Saga) -> list[Any]:
    """What must not change without a new version."""
    steps = [
        [
            step.kind.value,
            step.command.address.type,
            step.compensation.address.type if step.compensation else "",
            step.retry.name,
        ]
        for step in saga.steps
    ]
    shape = [steps, list(saga.mints), list(saga.lock_fields), saga.deadline.total_seconds()]
    if any(step.beside for step in saga.steps):
        shape.append([step.beside for step in saga.steps])
    if saga.approval is not None:
        shape.append([saga.approval.when, saga.approval.within.total_seconds()])
    return shape


def record(saga: Saga) -> dict[str, Any]:
    """Every way that the saga can go at each of its steps."""
    return {"shape": shape_of(saga), "stories": {name: _run(s) for name, s in _stories(saga)}}


def replay(saga: Saga, inputs: list[Any]) -> list[Any]:
    """The decisions of `saga` on recorded inputs, as they are recorded."""
    first, *rest = (_input(recorded) for recorded in inputs)
    assert isinstance(first, Started), "a history begins with a start"
    decision = begin(saga, first)
    decisions = [_plain(decision)]
    for event in rest:
        assert not isinstance(event, Started), "a saga starts once"
        decision = decide(saga, decision.state, event)
        decisions.append(_plain(decision))
    return decisions


def _stories(saga: Saga) -> list[tuple[str, Story]]:
    def story() -> Story:
        return saga_story(saga, started=a_start(saga))

    told = [("completes", story()), ("waits", story().lock_granted_after(LOCK_WAIT))]
    if saga.approval is not None:
        told += [
            ("approved", asking(saga).decided_after(LOCK_WAIT, approved=True)),
            ("approval refused", asking(saga).decided_after(LOCK_WAIT, approved=False)),
            ("approval expired", asking(saga)),
        ]
    for step in saga.steps:
        name = step.name
        told += [
            (f"{name} refused", story().when(step.command, answers=a_refusal())),
            (f"{name} silent once", story().when(step.command, answers=SILENCE)),
            (f"{name} silent", story().when(step.command, answers=SILENCE, times=12)),
            (f"{name} answered twice", story().repeat_answer(step.command)),
            (f"{name} cancelled", story().cancel_when_sent(step.command)),
        ]
        if step.kind == Kind.COMPENSATABLE and step.compensation is not None:
            undone = story().when(saga.steps[saga.point_of_no_return].command, answers=a_refusal())
            told.append(
                (f"{name} undone late", undone.when(step.compensation, answers=SILENCE, times=9))
            )
    return told


def a_start(saga: Saga, **given: object) -> Message:
    """The starting command with made-up fields."""
    fields = saga.starts_on.model_fields.items()
    return saga.starts_on.model_validate(
        {name: made_up(name, info.annotation) for name, info in fields} | given
    )


def asking(saga: Saga) -> Story:
    """A story that begins with a wait for approval."""
    assert saga.approval is not None, "it asks nobody"
    return saga_story(saga, started=a_start(saga, **{saga.approval.when: True}))


def a_refusal() -> Message:
    """Any refusal takes a saga the same way."""
    return DeadlinePassed(step="")


def _run(story: Story) -> dict[str, Any]:
    outcome = story.run(until=timedelta(days=30))
    return {
        "inputs": [[type(event).__name__, event] for event in outcome.events],
        "decisions": [_plain(decision) for decision in outcome.decisions],
    }


def _plain(decision: Decision) -> Any:  # JSON values
    return orjson.loads(orjson.dumps(_decided(decision), default=str))


def _decided(decision: Decision) -> dict[str, Any]:
    state = decision.state
    return {
        "state": [state.version, state.status, state.phase, state.cursor, state.wake_at],
        "steps": [[step.mark, step.attempts] for step in state.steps],
        "error": state.error_type,
        "sends": [
            [send.command_id, send.command.address.type, send.fields, send.forward_id]
            for send in decision.commands
        ],
        "notes": [[note.happened, note.step, note.reason] for note in decision.notes],
        "facts": decision.facts,
    }


def _input(recorded: Any) -> Started | Input:  # JSON values
    name, fields = recorded
    values = {field: _value(field, value) for field, value in fields.items()}
    made: Callable[..., Any] = _INPUTS[name]
    event: Started | Input = made(**values)
    return event


def _value(field: str, value: Any) -> Any:  # JSON to what the inputs have
    if value is None or field == "fields":
        return value
    if field == "verb":
        return Verb(value)
    if field == "at":
        return datetime.fromisoformat(value)
    return UUID(value) if field.endswith("_id") else value


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for saga in SAGAS:
        path = file_of(saga)
        if not path.exists():
            path.write_bytes(
                orjson.dumps(record(saga), default=str, option=orjson.OPT_APPEND_NEWLINE)
            )
            print(f"recorded {path.name}")


if __name__ == "__main__":
    main()
