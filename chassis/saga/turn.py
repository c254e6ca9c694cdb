"""One turn of a saga: the copy of its state that a decision works on, and what it collects."""

from datetime import datetime
from uuid import UUID

from chassis.saga.definition import Kind, Saga, Step, fields_of
from chassis.saga.ids import BACKWARD, FORWARD, command_id, spread
from chassis.saga.inputs import Decision, Fact, Happened, Note, Send
from chassis.saga.policy import UNTIL_DONE, RetryPolicy
from chassis.saga.state import Fields, Phase, SagaState, Status, StepMark, StepState


class Turn:
    """Collects what one transition does. `state` is a copy; the given one stays as it was."""

    def __init__(self, saga: Saga, given: SagaState, at: datetime) -> None:
        self.saga = saga
        self.given = given
        self.state = given.copy()
        self.at = at
        self._commands: list[Send] = []
        self._notes: list[Note] = []
        self._facts: list[Fact] = []

    @property
    def step(self) -> Step:
        """The step whose answer is awaited."""
        return self.saga.steps[self.state.cursor]

    @property
    def retry(self) -> RetryPolicy:
        """The policy of the command that is awaited; undoing never gives up."""
        return UNTIL_DONE if self.state.phase == Phase.BACKWARD else self.step.retry

    def awaits(self, command: UUID) -> bool:
        """Whether this is the one command whose answer counts now."""
        state = self.state
        if state.ended or state.phase == Phase.LOCKING:
            return False
        return command == awaited_id(state)

    def note(self, happened: Happened, step: str = "", reason: str = "") -> None:
        self._notes.append(Note(happened, step, reason))

    def announce(self, fact: Fact) -> None:
        self.state.facts += 1
        self._facts.append(fact)

    def mark(self, mark: StepMark) -> None:
        """Where the step at the cursor stands."""
        state = self.state
        state.steps[state.cursor] = StepState(mark, state.steps[state.cursor].attempts)

    def send(self) -> None:
        """Send the command at the cursor, for the first time or again, and await its answer."""
        state, step = self.state, self.step
        forward = state.phase == Phase.FORWARD
        state.attempts += 1
        mark = StepMark.SENT if forward else StepMark.COMPENSATING
        state.steps[state.cursor] = StepState(mark, state.attempts)
        command = step.command if forward else step.compensation
        assert command is not None, "only compensatable steps are undone"
        name = awaited_id(state)
        undoes = None if forward else command_id(state.id, state.cursor, FORWARD)
        data = state.data
        fields = {field: data[field] for field in fields_of(command) if field in data}
        self._commands.append(Send(name, command, fields, undoes))
        wake_at = self.at + self.retry.wait(state.attempts, spread(name))
        if forward and step.kind == Kind.COMPENSATABLE:
            wake_at = min(wake_at, state.deadline_at)
        state.wake_at = wake_at

    def undo(self, error_type: str, error: Fields, index: int) -> None:
        """Turn round, because of `error`, and undo steps `index` .. 0."""
        self.state.error_type, self.state.error = error_type, error
        self.state.phase = Phase.BACKWARD
        if index >= 0:
            self.announce(Fact.COMPENSATING)
        self.undo_from(index)

    def undo_from(self, index: int) -> None:
        """Send the compensation of step `index`; below the first step the saga is undone."""
        state = self.state
        state.attempts = state.rounds = 0
        if index < 0:
            self.end(Status.COMPENSATED, Fact.COMPENSATED)
            return
        state.status = Status.COMPENSATING
        state.cursor = index
        self.send()

    def need_attention(self, reason: str) -> None:
        """Somebody is called, once; the saga goes on trying and is not at its end."""
        self.note(Happened.NEEDS_ATTENTION, self.step.name, reason)
        if self.state.status != Status.NEEDS_ATTENTION:
            self.announce(Fact.NEEDS_ATTENTION)
        self.state.status = Status.NEEDS_ATTENTION

    def end(self, status: Status, fact: Fact) -> None:
        self.state.status = status
        self.state.wake_at = None
        self.announce(fact)

    def decision(self) -> Decision:
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
        return Decision(self.state, self.at)

    def ignored(self, reason: str) -> Decision:
        """An input that changes nothing is recorded all the same."""
        self.state = self.given.copy()
        step = "" if self.state.phase == Phase.LOCKING or self.state.ended else self.step.name
        self._notes = [Note(Happened.IGNORED, step, reason)]
        return self.decision()


def awaited_id(state: SagaState) -> UUID:
    """The command whose answer the saga waits for."""
    direction = BACKWARD if state.phase == Phase.BACKWARD else FORWARD
    return command_id(state.id, state.cursor, direction, state.rounds)


def reason_to_ignore(saga: Saga, state: SagaState, command: UUID) -> str:
    """Why an answer to `command` does not count: for the history, so it may be slow."""
    for index, step in enumerate(saga.steps):
        for direction, word in ((FORWARD, "command"), (BACKWARD, "compensation")):
            if command != command_id(state.id, index, direction):
                continue
            if state.ended:
                return f"late: answer to the {word} of {step.name}, the saga has ended"
            if direction == FORWARD and state.phase == Phase.BACKWARD:
                return f"late: answer to {step.name}, which is being undone"
            return f"not awaited: answer to the {word} of {step.name}"
    return "unknown: no command of this saga has that id"
