"""The cases, derived from the saga definitions: a new saga is covered by being in `sagas.SAGAS`.

A case is one saga with one kill (a pair: two) at a named fault point, armed for the very message of
one step and direction. The process that the kill hits is the case's own for as long as it runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from chassis.saga import Kind, Saga, Step
from contracts.base import Message, answer_of
from contracts.orchestrator.operating import SignalSaga
from contracts.orchestrator.saga import SagaApprovalWanted, SagaCompensated, SagaCompleted

ORCHESTRATOR = "orchestrator"
REPLIES = "reply.orchestrator.v1"
START, END, APPROVAL = "(start)", "(end)", "(approval)"
LOCK_HELD_MS = 8000
"""For how long a saga that waits for a lock does so: it looks every 2 s, from its start on."""

SENDING = (
    "saga.before_persist",
    "outbox.before_commit",
    "outbox.after_commit",
    "saga.after_persist_before_send",
    "relay.before_publish",
    "relay.after_publish_before_delete",
)
"""The orchestrator, on a command's way out."""

HEARING = ("consumer.before_handle", "consumer.after_commit_before_ack")
"""The orchestrator, when the answer comes."""

TAKING = (
    "consumer.before_handle",
    "participant.before_tx",
    "participant.handle",
    "participant.after_tx",
    "consumer.after_commit_before_ack",
)
"""The participant, when the command comes."""

ANSWERING = (
    "outbox.before_commit",
    "outbox.after_commit",
    "relay.before_publish",
    "relay.after_publish_before_delete",
)
"""The participant, on its answer's way out."""

STARTING = ("participant.before_tx", "participant.handle", "participant.after_tx")
"""The orchestrator, when somebody asks over HTTP for a saga."""


@dataclass(frozen=True)
class Arm:
    """A rule for one service; what is empty is not looked at."""

    service: str
    point: str
    message_type: str = ""
    topic: str = ""
    direction: str = ""
    action: str = "kill"
    delay_ms: int = 0
    anywhere: bool = False  # its message names no workspace
    times: int = 1

    @property
    def place(self) -> str:
        """The column of the matrix: whose point it is."""
        role = "O" if self.service == ORCHESTRATOR else "P"
        return f"{role} {self.point}"


@dataclass(frozen=True)
class Case:
    """One saga, what is armed for it, and how it must end.

    `undo` says how it is turned back: "" (it completes), "refuse" (a rule at the deciding step), or
    "stale" (its driver makes it fail by itself there).
    """

    saga: str
    step: str
    direction: str
    kills: tuple[Arm, ...]
    undo: str = ""
    helpers: tuple[Arm, ...] = ()  # rules that lead it where the kills are
    crowd: bool = False  # another saga holds its lock first
    approval: str = ""  # it waits for one; the answer is "yes" or "no"

    @property
    def name(self) -> str:
        """What `--only` takes."""
        places = "+".join(f"{kill.place}[{_short(kill)}]" for kill in self.kills)
        parts = (self.saga, self.direction, self.step, places.replace(" ", ":"))
        return "/".join((*parts, *filter(None, (self.undo, self.approval))))

    @property
    def services(self) -> frozenset[str]:
        """Those on which it has rules: no other case may kill them meanwhile."""
        return frozenset(arm.service for arm in (*self.kills, *self.helpers))

    @property
    def status(self) -> str:
        """How the saga ends."""
        return "COMPENSATED" if self.undo or self.approval == "no" else "COMPLETED"


@dataclass(frozen=True)
class Way:
    """A saga on its way forward, or turned back at its deciding step."""

    saga: Saga
    undo: str
    helpers: tuple[Arm, ...] = field(default=())

    def case(self, step: str, *kills: Arm) -> Case:
        direction = "backward" if self.undo else "forward"
        return Case(self.saga.name, step, direction, kills, self.undo, self.helpers)


def singles(saga: Saga, *, stale: bool) -> list[Case]:
    """Every step, forward and back, at every point; its start and its two ends. `stale`: the
    driver can make its deciding step refuse by itself, which half of the cases back then use."""
    forward = Way(saga, "")
    cases = [forward.case(START, arm) for arm in _start_arms(saga)]
    for step in saga.steps:
        cases += [forward.case(step.name, arm) for arm in _arms(step.command)]
    first = {saga.steps[number].name for number in saga.stages[0]}
    cases = [case for case in cases if not (case.step in first and _by_engine(case))]
    cases += [forward.case(END, arm) for arm in _end_arms(SagaCompleted)]
    number = 0
    for step in _undone(saga):
        assert step.compensation is not None, "only what can be undone is undone"
        for arm in _arms(step.compensation):
            number += 1
            cases.append(_back(saga, stale=stale and number % 2 == 0).case(step.name, arm))
    cases += [_back(saga, stale=False).case(END, arm) for arm in _end_arms(SagaCompensated)]
    return cases


def ticks(saga: Saga) -> list[Case]:
    """Killed with due sagas in hand: while it waits for its lock, and when no answer came.

    The lateness is a delay in the first step's participant, longer than the engine waits."""
    first, last = saga.steps[0], _undone(saga)[-1]
    late = [(first.command, first.retry), (last.compensation, last.retry)]
    cases: list[Case] = []
    for (command, retry), way in zip(late, (Way(saga, ""), _back(saga, stale=False)), strict=True):
        assert command is not None, "only what can be undone is undone"
        delay_ms = int(retry.timeout.total_seconds() * 1300)
        delay = Arm(command.address.owner, "participant.before_tx", command.address.type)
        slow = replace(delay, action="delay", delay_ms=delay_ms)
        kill = Arm(ORCHESTRATOR, "saga.tick", saga.name, direction=_direction(way))
        case = way.case(first.name if not way.undo else last.name, kill)
        cases.append(replace(case, helpers=(*case.helpers, slow)))
    return cases


def waits(saga: Saga) -> list[Case]:
    """Killed while it looks for its lock, which another saga on the same thing holds."""
    first = saga.steps[0].command
    slow = Arm(first.address.owner, "participant.before_tx", first.address.type)
    kill = Arm(ORCHESTRATOR, "saga.tick", saga.name, direction="locking")
    held = replace(slow, action="delay", delay_ms=LOCK_HELD_MS)
    return [Case(saga.name, "(lock)", "forward", (kill,), helpers=(held,), crowd=True)]


def approvals(saga: Saga) -> list[Case]:
    """Killed while it begins to wait for somebody to agree, and while that one answers."""
    if saga.approval is None:
        return []
    said = SignalSaga.address.type
    arms = {
        "yes": [*_start_arms(saga), *_outbox_arms(SagaApprovalWanted)],
        "no": [*_outbox_arms(SagaApprovalWanted)],
    }
    cases: list[Case] = []
    for answer, starting in arms.items():
        answering = [Arm(ORCHESTRATOR, point, said, anywhere=True) for point in STARTING]
        for arm in (*starting, *answering):
            direction = "forward" if answer == "yes" else "backward"
            kills = (arm,)
            cases.append(Case(saga.name, APPROVAL, direction, kills, approval=answer))
    return cases


def inner(saga: Saga, wire_types: Sequence[str]) -> list[Case]:
    """Killed in a command that a participant sends itself, such as what a provider answered."""
    return [
        Case(saga.name, wire_type.split(".")[1], "forward", (Arm(owner, point, wire_type),))
        for wire_type in wire_types
        for owner in [wire_type.split(".")[0]]
        for point in STARTING
    ]


def pairs(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """Two kills in one saga, of two services, drawn from the single cases."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        plain = len(case.kills) == 1 and not (case.crowd or case.approval)
        if plain and case.kills[0].point != "saga.tick":
            groups.setdefault((case.saga, case.direction), []).append(case)
    random = Random(f"pairs {seed}")
    found: dict[str, Case] = {}
    while len(found) < count and groups:
        group = groups[random.choice(sorted(groups))]
        one, other = sorted(random.sample(group, 2), key=group.index)
        if one.kills[0].service == other.kills[0].service or one.undo != other.undo:
            continue
        both = Case(
            one.saga,
            one.step if one.step == other.step else f"{one.step}+{other.step}",
            one.direction,
            (*one.kills, *other.kills),
            one.undo,
            one.helpers,
        )
        found[both.name] = both
    return list(found.values())


def _by_engine(case: Case) -> bool:
    """A point of the engine's own transactions: the first commands leave in the caller's."""
    return case.kills[0].point.startswith("saga.")


def _arms(command: type[Message]) -> Iterator[Arm]:
    """All points that a command and its answer pass."""
    sent, owner = command.address.type, command.address.owner
    answer = answer_of(command).address.type
    yield from (Arm(ORCHESTRATOR, point, sent) for point in SENDING)
    yield from (Arm(owner, point, sent) for point in TAKING)
    yield from (Arm(owner, point, answer, REPLIES) for point in ANSWERING)
    yield from (Arm(ORCHESTRATOR, point, answer, REPLIES) for point in HEARING)


def _start_arms(saga: Saga) -> Iterator[Arm]:
    wire_type = saga.starts_on.address.type
    yield from (Arm(ORCHESTRATOR, point, wire_type) for point in STARTING)


def _end_arms(fact: type[Message]) -> Iterator[Arm]:
    yield from (Arm(ORCHESTRATOR, point, fact.address.type) for point in SENDING)


def _outbox_arms(fact: type[Message]) -> Iterator[Arm]:
    """For what a caller's transaction sends, and not the engine's."""
    yield from (arm for arm in _end_arms(fact) if not arm.point.startswith("saga."))


def _undone(saga: Saga) -> list[Step]:
    """What can be undone, in the order in which it is."""
    return [step for step in reversed(saga.steps) if step.kind == Kind.COMPENSATABLE]


def _back(saga: Saga, *, stale: bool) -> Way:
    if stale:
        return Way(saga, "stale")
    decider = saga.steps[min(saga.point_of_no_return, len(saga.steps) - 1)].command
    owner = decider.address.owner
    rule = Arm(owner, "participant.handle", decider.address.type, action="refuse")
    return Way(saga, "refuse", (rule,))


def _direction(way: Way) -> str:
    return "backward" if way.undo else "forward"


def _short(arm: Arm) -> str:
    return arm.message_type.split(".")[1] if "." in arm.message_type else arm.message_type
