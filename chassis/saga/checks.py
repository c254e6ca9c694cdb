"""What a saga must be before it may be loaded. Each refusal is one line: saga, step, rule."""

from collections.abc import Iterator
from datetime import timedelta
from types import NoneType, UnionType
from typing import Union, get_args, get_origin
from uuid import UUID

from chassis.saga.definition import DefinitionRefused, Kind, Saga, Step, fields_of
from contracts.base import Command, Message, answer_of

Fields = dict[str, object]
"""Field name to type: what a saga knows at some point."""


def check(saga: Saga) -> None:
    """Raise DefinitionRefused with the first rule that the saga breaks."""
    for problem in _problems(saga):
        raise DefinitionRefused(f"{saga.name} v{saga.version}, {problem}")


def _problems(saga: Saga) -> Iterator[str]:
    if not saga.steps:
        yield "no step: a saga has at least one step"
    for index, step in enumerate(saga.steps):
        if not isinstance(step, Step):
            yield f"step {index + 1}: {type(step).__name__} is no step (`*parallel(...)` unpacks)"
            return
    if saga.steps and saga.steps[0].beside:
        yield f"step 1 {saga.steps[0].name}: it has no step before it to run beside"
    if not getattr(saga.starts_on, "address", None):
        yield f"start {saga.starts_on.__name__}: a starting command lives in contracts/"
    yield from _order(saga)
    for index, step in enumerate(saga.steps):
        yield from (f"step {index + 1} {step.name}: {why}" for why in _shape(step))
    yield from _flow(saga)
    yield from _groups(saga)
    yield from _approval(saga)
    yield from _times(saga)


def _order(saga: Saga) -> Iterator[str]:
    for index, step in enumerate(saga.steps):
        if index <= saga.point_of_no_return:
            continue
        place = f"step {index + 1} {step.name}:"
        if step.kind == Kind.COMPENSATABLE:
            yield f"{place} a compensatable step cannot come after the pivot"
        if step.kind == Kind.PIVOT:
            yield f"{place} only retriable steps come after the pivot"


def _groups(saga: Saga) -> Iterator[str]:
    """Steps that are sent together know nothing of each other."""
    for stage in dict.fromkeys(saga.stages):
        group = [saga.steps[index] for index in stage]
        if len(group) == 1:
            continue
        place = f"step {stage.start + 1} {group[0].name}:"
        if any(step.kind == Kind.PIVOT for step in group):
            yield f"{place} a pivot has no step beside it"
        if len({step.kind for step in group}) > 1:
            yield f"{place} steps beside each other are all compensatable or all retriable"
        if len({step.command for step in group}) < len(group):
            yield f"{place} steps beside each other have different commands"
        given: dict[str, str] = {}
        for step in group:
            for name in fields_of(answer_of(step.command)):
                other = given.setdefault(name, step.name)
                if other != step.name and name not in saga.origin_fields:
                    yield f"{place} {other} and {step.name} both answer {name}: which one counts?"


def _approval(saga: Saga) -> Iterator[str]:
    if saga.approval is None:
        return
    when = saga.starts_on.model_fields.get(saga.approval.when)
    if when is None or when.annotation is not bool:
        yield f"approval {saga.approval.when}: {saga.starts_on.__name__} has no such bool field"
    if saga.approval.within <= timedelta():
        yield f"approval {saga.approval.when}: it needs time"


def _shape(step: Step) -> Iterator[str]:
    """Rules about one step on its own."""
    for command in filter(None, (step.command, step.compensation)):
        if not issubclass(command, Command) or not getattr(command, "address", None):
            yield f"{command.__name__} has no owner: a command lives in contracts/<owner>/"
            return
        if not command.address.key:
            yield f"{command.__name__} has no partition key: its file names KEY"
            return
        if command.secret:
            yield f"{command.__name__} is secret: its answer could not be kept"
        try:
            answer_of(command)
        except TypeError as error:
            yield str(error)
            return
    if step.compensation is not None:
        there, back = step.command.address, step.compensation.address
        if (there.owner, there.key) != (back.owner, back.key):
            yield (
                f"{back.name} has another partition key ({back.owner}.{back.key}) than its forward "
                f"({there.owner}.{there.key}): the two could overtake each other"
            )


def _flow(saga: Saga) -> Iterator[str]:
    """Fields flow by name: known in time, and of one type under one name."""
    known: Fields = _fields(saga.starts_on)
    for name in saga.mints:
        if name in known:
            yield f"mint {name}: the start already gives it"
        known[name] = UUID
    for name in saga.lock_fields:
        if name not in known:
            yield f"lock {name}: field {name} is unknown at the start"
    for stage in dict.fromkeys(saga.stages):
        for index in stage:
            step = saga.steps[index]
            place = f"step {index + 1} {step.name}:"
            yield from (f"{place} {why}" for why in _needs(step.command, known))
            if step.compensation is not None:
                answer = _fields(answer_of(step.command))
                for why in _undo_needs(step.compensation, known, answer):
                    yield f"{place} {why}"
        for index in stage:
            yield from _learn(saga.steps[index], f"step {index + 1}", known)


def _learn(step: Step, number: str, known: Fields) -> Iterator[str]:
    """What the saga knows once the step is answered."""
    for name, kind in _fields(answer_of(step.command)).items():
        if name in known and not _fits(kind, known[name]):
            yield (
                f"{number} {step.name}: its answer has {name} as {_say(kind)}, known as"
                f" {_say(known[name])}: equal names mean equal types"
            )
        known.setdefault(name, kind)


def _needs(command: type[Message], known: Fields) -> Iterator[str]:
    for name, kind in _fields(command).items():
        if name in known and not _fits(known[name], kind):
            yield (
                f"{command.__name__} has {name} as {_say(kind)}, known as {_say(known[name])}: "
                "equal names mean equal types"
            )
        if name not in known and command.model_fields[name].is_required():
            yield f"field {name} of {command.__name__} is unknown at that point"


def _undo_needs(command: type[Message], known: Fields, answer: Fields) -> Iterator[str]:
    """A compensation may have to go out before the step that it undoes was answered."""
    for why in _needs(command, known):
        unanswered = next((name for name in answer if f"field {name} of" in why), None)
        if unanswered and unanswered not in known:
            yield (
                f"compensation {command.__name__} needs {unanswered} from a reply that may be "
                "unanswered"
            )
        else:
            yield why


def _times(saga: Saga) -> Iterator[str]:
    total = timedelta()
    for stage in dict.fromkeys(saga.stages):
        if stage.start > saga.point_of_no_return:
            return
        longest = max(stage, key=lambda index: saga.steps[index].retry.longest)
        index, step = longest, saga.steps[longest]
        total += step.retry.longest
        if total > saga.deadline:
            yield (
                f"step {index + 1} {step.name}: attempts x timeout up to here are "
                f"{total.total_seconds():.0f} s and do not fit the deadline of "
                f"{saga.deadline.total_seconds():.0f} s"
            )
            return


def _fields(contract: type[Message]) -> Fields:
    return {name: field.annotation for name, field in contract.model_fields.items()}


def _fits(given: object, wanted: object) -> bool:
    """Whether every value of type `given` is one of type `wanted`, limits on values aside."""
    if given == wanted:
        return True
    if get_origin(wanted) in (Union, UnionType):
        options = get_args(wanted)
        parts = get_args(given) if get_origin(given) in (Union, UnionType) else (given,)
        return all(any(_fits(part, option) for option in options) for part in parts)
    return isinstance(given, type) and isinstance(wanted, type) and issubclass(given, wanted)


def _say(kind: object) -> str:
    if kind is None or kind is NoneType:
        return "None"
    return kind.__name__ if isinstance(kind, type) else str(kind)
