"""saga_story: what a saga does when its participants answer so and so. In memory, at once.

    outcome = saga_story(publish_app, started=a_publish_app()).when(
        FreezeRevision, answers=RevisionUnknown(...)
    ).run()
    assert outcome.status == "COMPENSATED"

Every command that the story says nothing about is answered with its success; fields that the saga
does not know yet are made up. Silence lets the virtual time run on to the saga's next wake-up.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, Self, get_args
from uuid import UUID

from pydantic import BaseModel

from chassis.saga.core import begin, decide
from chassis.saga.definition import Saga
from chassis.saga.ids import minted_id
from chassis.saga.inputs import (
    Cancel,
    Decision,
    Happened,
    Input,
    LockGranted,
    Note,
    Reply,
    Send,
    Signal,
    Started,
    Tick,
)
from chassis.saga.state import Fields, SagaState
from contracts.base import Message, Rejection, answer_of

START = datetime(2026, 1, 1, tzinfo=UTC)
SAGA_ID = UUID("019b7600-0000-7000-8000-000000000001")
TRANSITIONS_MAX = 1_000


@dataclass(frozen=True)
class Silence:
    """No answer comes, though the participant may have done its work."""


SILENCE = Silence()
Answer = Message | Silence


@dataclass
class Outcome:
    """How a story ended. `sent` has every send, also the repeated ones, as contracts; `events` and
    `decisions` are what happened and what was decided, one for one."""

    state: SagaState
    sent: list[type[Message]] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    events: list[Started | Input] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    at: datetime = START

    @property
    def status(self) -> str:
        return self.state.status.value

    @property
    def took(self) -> timedelta:
        return self.at - self.state.started_at

    @property
    def ignored(self) -> list[str]:
        """The reasons of all ignored inputs."""
        return [note.reason for note in self.notes if note.happened == Happened.IGNORED]


class Story:
    """Says how participants answer, then runs. Each `when` of one command adds to its script."""

    def __init__(self, saga: Saga, started: Message, *, locked: bool = True) -> None:
        self._saga = saga
        self._started = started
        self._locked = locked
        self._scripts: dict[type[Message], list[Answer]] = {}
        self._repeats: set[type[Message]] = set()
        self._late: dict[type[Message], type[Message]] = {}
        self._cancels: set[type[Message]] = set()
        self._lock_after: timedelta | None = None
        self._decided: tuple[timedelta, bool] | None = None

    def when(self, command: type[Message], *, answers: Answer, times: int = 1) -> Self:
        """Answer the next `times` sends of `command` so; afterwards it succeeds."""
        self._scripts.setdefault(command, []).extend([answers] * times)
        return self

    def repeat_answer(self, command: type[Message]) -> Self:
        """Deliver every answer to `command` twice."""
        self._repeats.add(command)
        return self

    def late_answer(self, command: type[Message], *, after: type[Message]) -> Self:
        """`command` stays unanswered, until the first send of `after` brings its success."""
        self._scripts.setdefault(command, []).extend([SILENCE] * TRANSITIONS_MAX)
        self._late[after] = command
        return self

    def cancel_when_sent(self, command: type[Message]) -> Self:
        """Somebody cancels right after `command` was first sent, before its answer."""
        self._cancels.add(command)
        return self

    def lock_granted_after(self, wait: timedelta) -> Self:
        """The lock is somebody else's for this long."""
        self._locked, self._lock_after = False, wait
        return self

    def decided_after(self, wait: timedelta, *, approved: bool) -> Self:
        """It waits for approval, and somebody answers after this long."""
        self._decided = (wait, approved)
        return self

    def run(self, until: timedelta = timedelta(days=1)) -> Outcome:
        """Run to the end of the saga, or for `until` of virtual time."""
        return _Run(self, until).outcome()


class _Run:
    def __init__(self, story: Story, until: timedelta) -> None:
        self._story = story
        self._scripts = {command: list(script) for command, script in story._scripts.items()}
        self._cancels = set(story._cancels)
        self._late = dict(story._late)
        self._late_ids: dict[type[Message], UUID] = {}
        self._at = START
        self._end = START + until
        self._inbox: list[Input] = []
        fields = story._started.model_dump(mode="json")
        begun = Started(SAGA_ID, START, fields, story._locked, UUID(int=7))
        first = begin(story._saga, begun)
        self._outcome = Outcome(first.state, events=[begun])
        self._take(first)

    def outcome(self) -> Outcome:
        outcome, story = self._outcome, self._story
        for _ in range(TRANSITIONS_MAX):
            if self._inbox:
                event = self._inbox.pop(0)
            elif outcome.state.ended or self._at > self._end:
                break
            else:
                event = self._wake()
            outcome.events.append(event)
            self._take(decide(story._saga, outcome.state, event))
        outcome.at = self._at
        return outcome

    def _wake(self) -> Input:
        wake_at = self._outcome.state.wake_at
        assert wake_at is not None, "a saga that has not ended has a wake-up"
        if self._story._decided is not None:
            (wait, approved), self._story._decided = self._story._decided, None
            self._at = START + wait
            return Signal(self._at, approved, "somebody")
        lock_after = self._story._lock_after
        if lock_after is not None and START + lock_after <= wake_at:
            self._story._lock_after = None
            self._at = max(self._at, START + lock_after)
            return LockGranted(self._at)
        self._at = max(self._at, wake_at)
        return Tick(self._at)

    def _take(self, decision: Decision) -> None:
        outcome = self._outcome
        outcome.state = decision.state
        outcome.decisions.append(decision)
        outcome.notes.extend(decision.notes)
        outcome.facts.extend(fact.value for fact in decision.facts)
        for send in decision.commands:
            outcome.sent.append(send.command)
            outcome.sends.append(send)
            self._answer(send)

    def _answer(self, send: Send) -> None:
        command = send.command
        self._late_ids.setdefault(command, send.command_id)
        if command in self._cancels:
            self._cancels.remove(command)
            self._inbox.append(Cancel(self._at))
        if command in self._late:
            late = self._late.pop(command)
            answer = success_of(late, self._outcome.state.data)
            self._inbox.append(reply_to(self._late_ids[late], answer, self._at))
        script = self._scripts.get(command)
        said = script.pop(0) if script else success_of(command, self._outcome.state.data)
        if isinstance(said, Silence):
            return
        reply = reply_to(send.command_id, said, self._at)
        self._inbox.extend([reply] * (2 if command in self._story._repeats else 1))


def saga_story(saga: Saga, *, started: Message) -> Story:
    """A story of `saga`, started by this command."""
    return Story(saga, started)


def reply_to(command_id: UUID, answer: Message, at: datetime) -> Reply:
    """The answer as the engine sees it."""
    refusal = isinstance(answer, Rejection)
    fields = answer.model_dump(mode="json")
    return Reply(command_id, answer.address.type, fields, at, refusal)


def success_of(command: type[Message], known: Fields) -> Message:
    """The success answer of `command`: fields by name from `known`, the rest made up."""
    contract = answer_of(command)
    return contract.model_validate(_fields_of(contract, known))


def _fields_of(contract: type[BaseModel], known: Fields) -> Fields:
    return {
        name: known[name] if name in known else made_up(name, info.annotation)
        for name, info in contract.model_fields.items()
    }


def made_up(name: str, kind: Any) -> object:  # an annotation has no static type
    """Some value of the type, the same for the same name."""
    if not isinstance(kind, type) and NoneType in get_args(kind):
        return None
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _fields_of(kind, {})
    if kind is UUID:
        return _sample_id(name)
    if kind is str:
        return name
    if kind in _SAMPLES:
        return _SAMPLES[kind]
    return {} if getattr(kind, "__origin__", kind) is dict else []


@lru_cache(maxsize=1024)
def _sample_id(name: str) -> str:
    return str(minted_id(SAGA_ID, name))


_SAMPLES: dict[object, object] = {int: 1, bool: False, float: 1.0, datetime: START.isoformat()}
