"""How a saga looks from outside: an operation, and the events that say where it stands."""

from typing import Any, Protocol
from uuid import UUID

from chassis.context import Context
from chassis.errors import NotAllowed, Rejected
from chassis.saga import Definitions, Saga
from chassis.saga.core import cancellable
from chassis.saga.ids import FORWARD, command_id
from chassis.saga.inputs import Fact, Order
from chassis.saga.state import Phase, SagaState, Status, StepMark
from contracts.base import Command, Event
from contracts.operation import (
    Operation,
    OperationNotCancellable,
    OperationState,
    OperationStep,
    OperationUnknown,
)
from contracts.orchestrator.operating import (
    ApprovalIsForOthers,
    SagaStep,
    SagaSummary,
    VerbNotPossible,
)
from contracts.orchestrator.saga import (
    SagaAbandoned,
    SagaApprovalWanted,
    SagaCompensated,
    SagaCompensating,
    SagaCompleted,
    SagaNeedsAttention,
    SagaPaused,
    SagaProgressed,
    SagaResumed,
    SagaStarted,
)
from sagas import SAGAS

DEFINITIONS = Definitions(SAGAS)


class Sagas(Protocol):
    """Sagas, as the handler of a command may start and cancel them."""

    async def start(self, command: Command[Operation], context: Context) -> SagaState: ...

    async def get(self, saga_id: UUID) -> SagaState | None: ...

    def cancel(self, state: SagaState, actor_id: UUID | None) -> SagaState: ...

    def order(self, state: SagaState, order: Order) -> tuple[SagaState, str]: ...

    async def signal(
        self, state: SagaState, *, approved: bool, by: str, reason: str = ""
    ) -> SagaState: ...

    async def troubled(
        self, kind: str, step: str, error_type: str, limit: int
    ) -> list[SagaState]: ...


def operation_of(state: SagaState) -> Operation:
    """The saga as its caller sees it. The result has every field that the caller did not give."""
    saga = definition_of(state)
    given = saga.starts_on.model_fields
    return Operation(
        operation_id=state.id,
        workspace_id=workspace_of(state),
        kind=state.saga,
        owner="orchestrator",
        state=_operation_state(state),
        subject_id=state.business_key,
        step=_step_of(saga, state),
        steps=[
            OperationStep(name=step.name, state=at.mark.value, attempts=at.attempts)
            for step, at in zip(saga.steps, state.steps, strict=True)
        ],
        done=_done(state),
        total=len(state.steps),
        result={name: value for name, value in state.data.items() if name not in given},
        error_type=state.error_type,
        error=state.error,
        version=state.version,
        cancellable=cancellable(saga, state),
        waits_for=_waits_for(state),
        started_at=state.started_at,
        updated_at=state.updated_at,
        finished_at=state.updated_at if state.ended else None,
    )


def demand_seen(state: SagaState | None, operation_id: UUID, workspace_id: UUID) -> SagaState:
    """The saga, if it is one of this workspace."""
    if state is None or state.workspace_id != workspace_id:
        raise Rejected(OperationUnknown(operation_id=operation_id))
    return state


def demand_own_or_app(state: SagaState, actor_id: UUID | None) -> None:
    """Who may edit apps cancels what is about an app; anything else, only who began it. Raises
    NotAllowed."""
    needed = definition_of(state).starts_on.permission or ""
    if not needed.startswith("app.") and actor_id != state.actor_id:
        raise NotAllowed("only who began it cancels this")


def demand_cancellable(state: SagaState) -> None:
    """Refuse once it has passed its pivot or is complete. Being undone already is fine."""
    undone = state.phase == Phase.BACKWARD or state.status == Status.COMPENSATED
    if not undone and not cancellable(definition_of(state), state):
        raise Rejected(
            OperationNotCancellable(operation_id=state.id, state=_operation_state(state))
        )


def announce(saga: Saga, state: SagaState, fact: Fact) -> Event:
    """The public event of what just happened."""
    about: dict[str, Any] = {  # each event takes its own by name
        "workspace_id": workspace_of(state),
        "operation_id": state.id,
        "kind": state.saga,
        "subject_id": state.business_key,
        "step": _step_of(saga, state),
        "done": _done(state),
        "total": len(saga.steps),
        "started_at": state.started_at,
        "expires_at": state.wake_at,
        "error_type": state.error_type,
        "error": state.error,
    }
    contract = _EVENTS[fact]
    return contract.model_construct(**{name: about[name] for name in contract.model_fields})


def summary_of(state: SagaState) -> SagaSummary:
    """The saga as operators see it in a list."""
    return SagaSummary(
        saga_id=state.id,
        kind=state.saga,
        definition_version=state.definition_version,
        owner_workspace_id=state.workspace_id,
        subject_id=state.business_key,
        status=state.status.value,
        phase=state.phase.value,
        step=_step_of(definition_of(state), state),
        version=state.version,
        started_at=state.started_at,
        updated_at=state.updated_at,
        deadline_at=state.deadline_at,
        wake_at=state.wake_at,
        error_type=state.error_type,
        traceparent=state.traceparent,
    )


def steps_of(state: SagaState) -> list[SagaStep]:
    """Its steps, as operators see them."""
    saga = definition_of(state)
    return [
        SagaStep(
            name=step.name,
            kind=step.kind.value,
            state=at.mark.value,
            stage=saga.stages[index].start,
            attempts=at.attempts,
            command_id=command_id(state.id, index, FORWARD),
            due_at=at.due,
        )
        for index, (step, at) in enumerate(zip(saga.steps, state.steps, strict=True))
    ]


def cursors_of(step: str) -> list[tuple[str, int, int]]:
    """Where a saga stands while this step is under way: kind, definition version, cursor."""
    return [
        (name, version, saga.stages[index].start)
        for name, version in DEFINITIONS
        for saga in [DEFINITIONS.get(name, version)]
        for index, each in enumerate(saga.steps)
        if each.name == step
    ]


def demand_waiting(state: SagaState) -> None:
    """Only a saga that waits for approval takes a signal."""
    if state.ended or state.phase != Phase.APPROVAL:
        why = "it does not wait for approval"
        raise Rejected(VerbNotPossible(saga_id=state.id, verb="signal", reason=why))


def demand_approver(state: SagaState, actor_id: UUID | None) -> None:
    """Four eyes: not whoever started it."""
    if actor_id is None or actor_id == state.actor_id:
        raise Rejected(ApprovalIsForOthers(operation_id=state.id))


def definition_of(state: SagaState) -> Saga:
    """What the saga is pinned to."""
    return DEFINITIONS.get(state.saga, state.definition_version)


def workspace_of(state: SagaState) -> UUID:
    """Every saga here is about one workspace."""
    assert state.workspace_id is not None, "each start command has a workspace_id"
    return state.workspace_id


def _done(state: SagaState) -> int:
    return sum(step.mark in (StepMark.DONE, StepMark.SKIPPED) for step in state.steps)


def _step_of(saga: Saga, state: SagaState) -> str:
    if state.ended or state.phase in (Phase.APPROVAL, Phase.LOCKING):
        return ""
    return saga.steps[state.cursor].name


def _operation_state(state: SagaState) -> OperationState:
    return OperationState.WAITING if _waits_for(state) else OperationState(state.status.value)


def _waits_for(state: SagaState) -> str:
    if state.ended:
        return ""
    if state.status == Status.PAUSED:
        return "operator"
    return {Phase.APPROVAL: "approval", Phase.LOCKING: "lock"}.get(state.phase, "")


_EVENTS: dict[Fact, type[Event]] = {
    Fact.STARTED: SagaStarted,
    Fact.APPROVAL_WANTED: SagaApprovalWanted,
    Fact.PAUSED: SagaPaused,
    Fact.RESUMED: SagaResumed,
    Fact.ABANDONED: SagaAbandoned,
    Fact.PROGRESSED: SagaProgressed,
    Fact.COMPENSATING: SagaCompensating,
    Fact.NEEDS_ATTENTION: SagaNeedsAttention,
    Fact.COMPLETED: SagaCompleted,
    Fact.COMPENSATED: SagaCompensated,
}
