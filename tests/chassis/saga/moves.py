"""Sagas brought to where a test needs them, and what a decision wrote."""

from datetime import timedelta
from uuid import UUID

from chassis.saga import QUICK, Saga, compensatable
from chassis.saga.core import (
    begin,
    decide,
)
from chassis.saga.ids import FORWARD, command_id
from chassis.saga.inputs import (
    Decision,
    Order,
    Reply,
    Started,
    Verb,
)
from chassis.saga.state import SagaState
from chassis.testing.saga import SAGA_ID, START, reply_to, success_of
from contracts.billing.account import QuotaExceeded, ReleaseQuota, ReserveQuota
from contracts.orchestrator.publishing import PublishApp
from contracts.studio.app import FreezeRevision, UnfreezeRevision
from tests.chassis.saga.wide import wide

WORKSPACE, APP, ACTOR = UUID(int=7), UUID(int=8), UUID(int=6)
FIELDS = {
    "workspace_id": str(WORKSPACE),
    "app_id": str(APP),
    "revision_id": str(UUID(int=9)),
    "environment": "staging",
    "previous_release_id": None,
}
REFUSAL = QuotaExceeded(workspace_id=WORKSPACE, units_left=0)
LATER = START + timedelta(seconds=5)
DAY = timedelta(days=1)


def started(*, locked: bool = True, approval: bool = False) -> Decision:
    given = {**FIELDS, "approval_required": approval}
    return begin(wide, Started(SAGA_ID, START, given, locked, WORKSPACE, ACTOR, "00-trace"))


def begun(*, locked: bool = True, approval: bool = False) -> SagaState:
    return started(locked=locked, approval=approval).state


def success(state: SagaState, index: int, rounds: int = 0) -> Reply:
    answer = success_of(wide.steps[index].command, state.data)
    return reply_to(command_id(SAGA_ID, index, FORWARD, rounds), answer, LATER)


def after(count: int) -> SagaState:
    """Its first `count` steps are done."""
    state = begun()
    for index in range(count):
        state = decide(wide, state, success(state, index)).state
    return state


def order(state: SagaState, verb: Verb, step: str = "", reason: str = "the reason") -> Decision:
    return decide(wide, state, Order(LATER, verb, "ann", reason, step))


def notes(decision: Decision) -> list[tuple[str, str, str]]:
    return [(note.happened.value, note.step, note.reason) for note in decision.notes]


def undoing() -> SagaState:
    return order(begun(), Verb.COMPENSATE).state


def paused() -> SagaState:
    return order(begun(), Verb.PAUSE).state


def backward_only() -> Saga:
    """A saga of compensatable steps alone."""
    return Saga(
        name="back",
        version=1,
        starts_on=PublishApp,
        mints=("reservation_id", "release_id"),
        deadline=timedelta(minutes=30),
        steps=(
            compensatable(ReserveQuota, compensation=ReleaseQuota, retry=QUICK),
            compensatable(FreezeRevision, compensation=UnfreezeRevision, retry=QUICK),
        ),
    )
