"""One turn of a saga: the copy of its state that a decision works on, and what it collects."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from chassis.saga.definition import Kind, Saga, fields_of
from chassis.saga.ids import BACKWARD, FORWARD, command_id, spread
from chassis.saga.inputs import Decision, Fact, Happened, Note, Send
from chassis.saga.policy import UNTIL_DONE, RetryPolicy
from chassis.saga.state import Fields, Phase, SagaState, Status, StepMark, StepState

LOCK_POLL = timedelta(seconds=2)
"""How often a saga that waits for a lock looks again; the nudge of the holder's end is faster."""

PAUSE_LOOK = timedelta(hours=1)
"""How often a paused saga is looked at. Only its resumption does anything."""

HAPPENED = frozenset((StepMark.SENT, StepMark.DONE, StepMark.SKIPPED))
"""Marks of steps that have, or may have, had their effect."""


class Turn:
    """Collects what one transaction does. `state` is a copy; the given one stays as it was."""

    def __init__(self, saga: Saga, given: SagaState, at: datetime) -> None:
        self.saga = saga
        self.given = given
        self.state = given.copy()
        self.at = at
        self.paused = given.status == Status.PAUSED
        self._commands: list[Send] = []
        self._notes: list[Note] = []
        self._facts: list[Fact] = []

    @property
    def stage(self) -> range:
        """The steps that are under way together, those of the cursor."""
        return self.saga.stages[self.state.cursor]

    @property
    def waits(self) -> bool:
        """Whether no step has begun: it waits for somebody to agree, or for its locks."""
        return self.state.phase in (Phase.APPROVAL, Phase.LOCKING)

    @property
    def undoable(self) -> bool:
        """Whether it could still be undone as a whole, and is not yet."""
        state = self.state
        if state.ended or state.phase == Phase.BACKWARD:
            return False
        return self.waits or state.cursor < self.saga.point_of_no_return

    def retry(self, index: int) -> RetryPolicy:
        """The policy of the command that is awaited; undoing never gives up."""
        backward = self.state.phase == Phase.BACKWARD
        return UNTIL_DONE if backward else self.saga.steps[index].retry

    def awaited(self) -> list[int]:
        """The steps whose answers count now."""
        state = self.state
        if state.ended or self.waits:
            return []
        mark = StepMark.SENT if state.phase == Phase.FORWARD else StepMark.COMPENSATING
        return [index for index in self.stage if state.steps[index].mark == mark]

    def awaits(self, command: UUID) -> int | None:
        """The step whose awaited command this is."""
        direction = BACKWARD if self.state.phase == Phase.BACKWARD else FORWARD
        for index in self.awaited():
            rounds = self.state.steps[index].rounds
            if command == command_id(self.state.id, index, direction, rounds):
                return index
        return None

    @property
    def stage_is_done(self) -> bool:
        """Whether the saga may go on to the next steps."""
        done = (StepMark.DONE, StepMark.SKIPPED)
        return all(self.state.steps[index].mark in done for index in self.stage)

    @property
    def stage_is_undone(self) -> bool:
        """Whether the saga may go back to the steps before."""
        left = HAPPENED | {StepMark.COMPENSATING}
        return all(self.state.steps[index].mark not in left for index in self.stage)

    def note(self, happened: Happened, step: str = "", reason: str = "") -> None:
        self._notes.append(Note(happened, step, reason))

    def announce(self, fact: Fact) -> None:
        self.state.facts += 1
        self._facts.append(fact)

    def mark(self, index: int, mark: StepMark) -> None:
        """Where a step stands that is answered."""
        before = self.state.steps[index]
        self.state.steps[index] = StepState(mark, before.attempts, before.rounds)

    def learn(self, fields: Fields) -> None:
        """An answer's fields, but for those that no answer may change."""
        origin = self.saga.origin_fields
        new = {name: value for name, value in fields.items() if name not in origin}
        self.state.data = {**self.state.data, **new}

    def step_back(self, index: int) -> None:
        """A step is undone: go on to those before, once all beside it are."""
        self.mark(index, StepMark.UNDONE)
        if self.stage_is_undone:
            self.undo_from(self.stage.start - 1)

    def send(self, index: int) -> None:
        """Send a step's command, for the first time or again. What is paused sends nothing."""
        if self.paused:
            return
        state, step = self.state, self.saga.steps[index]
        forward = state.phase == Phase.FORWARD
        mark = StepMark.SENT if forward else StepMark.COMPENSATING
        command = step.command if forward else step.compensation
        assert command is not None, "only compensatable steps are undone"
        before = state.steps[index]
        if before.mark == mark:
            attempts, rounds = before.attempts + 1, before.rounds
        else:
            attempts, rounds = 1, 0
        name = command_id(state.id, index, FORWARD if forward else BACKWARD, rounds)
        undoes = None if forward else command_id(state.id, index, FORWARD)
        data = state.data
        fields = {field: data[field] for field in fields_of(command) if field in data}
        bounded = forward and step.kind == Kind.COMPENSATABLE
        self._commands.append(Send(name, command, fields, undoes, bounded))
        due = self.at + self.retry(index).wait(attempts, spread(name))
        if bounded:
            due = min(due, state.deadline_at)
        state.steps[index] = StepState(mark, attempts, rounds, due)

    def postpone(self, index: int) -> None:
        """An awaited step was refused: it goes out again under another id, after a while."""
        before = self.state.steps[index]
        due = self.at + self.retry(index).wait(max(before.attempts, 1))
        step = StepState(before.mark, before.attempts, before.rounds + 1, due)
        self.state.steps[index] = step

    def go_on(self, index: int) -> None:
        """Send the steps from `index` that go together; behind the last one it is complete."""
        state = self.state
        state.status = Status.RUNNING
        state.cursor = index
        if index == len(self.saga.steps):
            self.end(Status.COMPLETED, Fact.COMPLETED)
            return
        self.send_all(self.stage)

    def send_all(self, indices: Iterable[int]) -> None:
        for index in indices:
            self.send(index)

    def undo(self, error_type: str, error: Fields) -> None:
        """Turn round, because of `error`: undo what happened and what may have happened."""
        state = self.state
        state.error_type, state.error = error_type, error
        state.phase = Phase.BACKWARD
        if any(step.mark in HAPPENED for step in state.steps):
            self.announce(Fact.COMPENSATING)
        self.undo_from(state.cursor)

    def undo_from(self, index: int) -> None:
        """Send the compensations of the steps that went together with `index`, or of the nearest
        ones before them that happened; below the first step the saga is undone."""
        state = self.state
        while index >= 0:
            stage = self.saga.stages[index]
            happened = [i for i in stage if state.steps[i].mark in HAPPENED]
            if happened:
                state.status = Status.COMPENSATING
                state.cursor = stage.start
                self.send_all(happened)
                return
            index = stage.start - 1
        self.end(Status.COMPENSATED, Fact.COMPENSATED)

    def need_attention(self, step: str, reason: str) -> None:
        """Somebody is called, once; the saga goes on trying and is not at its end."""
        self.note(Happened.NEEDS_ATTENTION, step, reason)
        if self.state.status != Status.NEEDS_ATTENTION:
            self.announce(Fact.NEEDS_ATTENTION)
        self.state.status = Status.NEEDS_ATTENTION

    def end(self, status: Status, fact: Fact) -> None:
        self.state.status = status
        self.state.wake_at = None
        self.announce(fact)

    def wait_for_lock(self) -> None:
        """Look again soon, and not later than at the deadline."""
        self.state.phase = Phase.LOCKING
        self.state.wake_at = min(self.at + LOCK_POLL, self.state.deadline_at)

    def decision(self) -> Decision:
        self._arm()
        state = self.state
        state.version += 1
        if not self.given.ended:
            state.updated_at = self.at
        notes = tuple(self._notes)
        return Decision(state, self.at, tuple(self._commands), notes, tuple(self._facts))

    def unchanged(self) -> Decision:
        """Nothing happened."""
        return Decision(self.given, self.at)

    def rearmed(self) -> Decision:
        """Nothing happened, but the wake-up is another."""
        self._arm()
        return Decision(self.state, self.at)

    def ignored(self, reason: str) -> Decision:
        """An input that changes nothing is recorded all the same."""
        self.state = self.given.copy()
        state = self.state
        step = "" if self.waits or state.ended else self.saga.steps[state.cursor].name
        self._notes = [Note(Happened.IGNORED, step, reason)]
        state.version += 1
        if not state.ended:
            state.updated_at = self.at
        return Decision(state, self.at, (), tuple(self._notes))

    def _arm(self) -> None:
        """The row is the wake-up: when to look at the saga again."""
        state = self.state
        if state.ended:
            return
        if self.paused:
            state.status = Status.PAUSED
            state.wake_at = self.at + PAUSE_LOOK
        elif not self.waits:
            dues = [due for index in self.stage if (due := state.steps[index].due)]
            state.wake_at = min(dues)


def reason_to_ignore(saga: Saga, state: SagaState, command: UUID) -> str:
    """Why an answer to `command` does not count: for the history, so it may be slow."""
    for index, step in enumerate(saga.steps):
        for direction, word in ((FORWARD, "command"), (BACKWARD, "compensation")):
            rounds = range(state.steps[index].rounds + 1)
            if command not in [command_id(state.id, index, direction, r) for r in rounds]:
                continue
            if state.ended:
                return f"late: answer to the {word} of {step.name}, the saga has ended"
            if direction == FORWARD and state.phase == Phase.BACKWARD:
                return f"late: answer to {step.name}, which is being undone"
            return f"not awaited: answer to the {word} of {step.name}"
    return "unknown: no command of this saga has that id"
