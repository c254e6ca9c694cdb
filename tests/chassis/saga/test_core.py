"""Whatever arrives in whatever order, the core keeps its promises."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.saga.core import (
    DEADLINE_PASSED,
    SAGA_CANCELLED,
    STEP_UNANSWERED,
    begin,
    cancellable,
    decide,
)
from chassis.saga.definition import Saga
from chassis.saga.ids import BACKWARD, FORWARD, command_id, minted_id
from chassis.saga.inputs import (
    Cancel,
    Decision,
    Happened,
    LockGranted,
    Order,
    Reply,
    Send,
    Started,
    Tick,
    Verb,
)
from chassis.saga.state import Phase, SagaState, Status
from chassis.testing.saga import SAGA_ID, START, reply_to, success_of
from contracts.billing.account import QuotaExceeded
from contracts.orchestrator.saga import DeadlinePassed, SagaCancelled, StepUnanswered
from sagas.publish_app import publish_app
from tests.chassis.saga.wide import wide

REFUSAL = QuotaExceeded(workspace_id=UUID(int=7), units_left=0)
FIELDS = {
    "workspace_id": str(UUID(int=7)),
    "app_id": str(UUID(int=8)),
    "revision_id": str(UUID(int=9)),
    "environment": "staging",
    "previous_release_id": None,
}


class World:
    """A saga among participants that answer late, twice, wrongly or not at all."""

    def __init__(self, saga: Saga, *, locked: bool) -> None:
        self.saga = saga
        self.at = START
        self.sends: list[Send] = []
        self.states: list[SagaState] = []
        self.refused: set[UUID] = set()
        self.unclear: set[UUID] = set()
        self.undone_by_hand: set[int] = set()
        self._take(begin(saga, Started(SAGA_ID, START, FIELDS, locked)))

    @property
    def state(self) -> SagaState:
        return self.states[-1]

    def _take(self, decision: Decision) -> None:
        before = self.states[-1] if self.states else None
        if before is not None and decision.state.version == before.version:
            assert not decision.commands
            assert not decision.notes
            self.states[-1] = decision.state
            return
        assert decision.state.version == (before.version + 1 if before else 1)
        assert decision.notes
        assert decision.state.status != Status.PAUSED or not decision.commands
        assert decision.state.ended or decision.wake_at is not None
        self.states.append(decision.state)
        self.sends.extend(decision.commands)

    def do(self, action: str, pick: int, wait: int) -> None:
        self.at += timedelta(seconds=wait)
        send = self.sends[pick % len(self.sends)] if self.sends else None
        saga, given = self.saga, self.state
        if action == "tick":
            self._take(decide(saga, given, Tick(self.at)))
        elif action == "wake":
            self.at = max(self.at, given.wake_at or self.at)
            self._take(decide(saga, given, Tick(self.at)))
        elif action == "cancel":
            self._take(decide(saga, given, Cancel(self.at)))
        elif action == "lock":
            self._take(decide(saga, given, LockGranted(self.at)))
        elif action in VERBS:
            self._obey(self._order(Verb(action), pick))
        elif send is not None:
            self._reply(action, send)

    def _obey(self, order: Order) -> None:
        given = self.state
        decision = decide(self.saga, given, order)
        done = decision.notes[0].happened == Happened.STEP_SKIPPED
        if done and given.phase == Phase.BACKWARD:
            names = [step.name for step in self.saga.steps]
            self.undone_by_hand.add(names.index(order.step))
        self._take(decision)

    def _order(self, verb: Verb, pick: int) -> Order:
        step = self.saga.steps[pick % len(self.saga.steps)]
        fields = success_of(step.command, self.state.data).model_dump(mode="json")
        return Order(self.at, verb, "sre", "because", step.name, fields)

    def _reply(self, action: str, send: Send) -> None:
        if action == "succeed" and send.command_id not in self.refused:
            answer = success_of(send.command, self.state.data)
            reply = reply_to(send.command_id, answer, self.at)
        elif action == "stranger":
            stranger = UUID(int=self.at.second)
            reply = Reply(stranger, "studio.RevisionFrozen.v1", {}, self.at)
        elif action == "nonsense":
            self.unclear.add(send.command_id)
            reply = Reply(send.command_id, "studio.Nonsense.v1", {}, self.at)
        else:
            self.refused.add(send.command_id)
            reply = reply_to(send.command_id, REFUSAL, self.at)
        self._take(decide(self.saga, self.state, reply))


VERBS = tuple(verb.value for verb in Verb)
ACTIONS = ("succeed", "refuse", "nonsense", "stranger", "tick", "wake", "cancel", "lock", *VERBS)
SCRIPTS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(-1, 12), st.integers(0, 400)),
    max_size=60,
)


def happy(script: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """The same, with a success of the latest command after every input: goes far."""
    return [step for given in script for step in (given, ("succeed", -1, 0))]


@pytest.mark.parametrize("saga", [publish_app, wide], ids=["one by one", "in parallel"])
@given(script=SCRIPTS, locked=st.booleans(), far=st.booleans())
@settings(max_examples=300, deadline=None)
def test_promises_hold_under_any_input(
    saga: Saga, script: list[tuple[str, int, int]], locked: bool, far: bool
) -> None:
    world = World(saga, locked=locked)

    for action, pick, wait in happy(script) if far else script:
        world.do(action, pick, wait)

    check_ends(world)
    check_undoing(world)
    check_pivot(world)


def check_ends(world: World) -> None:
    ends = [state.status for state in world.states if state.ended]
    assert len(set(ends)) <= 1, "an end is for ever"
    for before, after in zip(world.states, world.states[1:], strict=False):
        if before.ended:
            assert after.status == before.status
            assert after.data == before.data
        if before.phase == Phase.BACKWARD:
            assert after.phase == Phase.BACKWARD, "undoing never turns round"
        assert after.facts >= before.facts
    if world.state.status == Status.COMPLETED:
        assert all(send.forward_id is None for send in world.sends)
        assert {step.mark for step in world.state.steps} <= {"done", "skipped"}
    if world.state.status == Status.COMPENSATED:
        assert not {"sent", "done", "compensating"} & {s.mark for s in world.state.steps}


def check_undoing(world: World) -> None:
    """Compensations: of what was sent and not refused, in reverse, those of a group together."""
    saga = world.saga
    forwards = {command_id(SAGA_ID, index, FORWARD): index for index in range(len(saga.steps))}
    begun = {forwards[send.command_id] for send in world.sends if send.command_id in forwards}
    undone = [forwards[send.forward_id] for send in world.sends if send.forward_id]
    stages = [saga.stages[index].start for index in undone]
    assert stages == sorted(stages, reverse=True)
    by_hand = {
        index
        for state in world.states
        for index, step in enumerate(state.steps)
        if step.mark == "skipped"
    }
    assert set(undone) <= begun | by_hand
    if world.state.status == Status.COMPENSATED:
        marks = world.state.steps
        rejected = {index for index in begun if marks[index].mark == "rejected"}
        assert set(undone) | world.undone_by_hand == (begun | by_hand) - rejected


def check_pivot(world: World) -> None:
    """Once the pivot is sent, only its answer turns the saga round."""
    pivot = world.saga.point_of_no_return
    ids = {command_id(SAGA_ID, pivot, FORWARD, rounds) for rounds in range(99)}
    for before, after in zip(world.states, world.states[1:], strict=False):
        if before.phase == Phase.FORWARD and before.cursor >= pivot and not before.ended:
            turned = after.phase == Phase.BACKWARD
            assert not turned or (before.cursor == pivot and ids & world.refused)
            assert not cancellable(world.saga, before)


def test_the_reasons_of_its_own_are_contracts() -> None:
    own = (DeadlinePassed, StepUnanswered, SagaCancelled)

    types = [contract.address.type for contract in own]

    assert types == [DEADLINE_PASSED, STEP_UNANSWERED, SAGA_CANCELLED]


def test_a_decision_leaves_the_given_state_as_it_was() -> None:
    given = begin(publish_app, Started(SAGA_ID, START, FIELDS)).state
    picture = repr(given)

    decide(publish_app, given, Cancel(START))

    assert repr(given) == picture


def test_a_tick_before_its_time_changes_nothing() -> None:
    given = begin(publish_app, Started(SAGA_ID, START, FIELDS)).state

    decision = decide(publish_app, given, Tick(START))

    assert not decision.changed
    assert decision.state is given


def test_an_unknown_answer_is_recorded_with_its_reason() -> None:
    given = begin(publish_app, Started(SAGA_ID, START, FIELDS)).state

    decision = decide(publish_app, given, Reply(UUID(int=5), "any", {}, START))

    (note,) = decision.notes
    assert note.happened == Happened.IGNORED
    assert note.reason == "unknown: no command of this saga has that id"
    assert decision.state.version == given.version + 1


def test_minted_ids_cannot_be_changed_by_an_answer() -> None:
    given = begin(publish_app, Started(SAGA_ID, START, FIELDS)).state
    liar = Reply(
        command_id(SAGA_ID, 0, FORWARD),
        "billing.QuotaReserved.v1",
        {"reservation_id": str(UUID(int=1)), "units": 1},
        START,
    )

    decision = decide(publish_app, given, liar)

    assert decision.state.data["reservation_id"] == str(minted_id(SAGA_ID, "reservation_id"))
    assert decision.state.data["units"] == 1


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
def test_command_ids_are_shaped_like_uuid7_of_the_start(direction: int) -> None:
    identity = command_id(SAGA_ID, 3, direction)

    assert identity.version == 7
    assert identity.int >> 80 == SAGA_ID.int >> 80
    assert identity == command_id(SAGA_ID, 3, direction)
    assert identity != command_id(SAGA_ID, 3, 1 - direction)
    assert identity != command_id(SAGA_ID, 3, direction, 1)
