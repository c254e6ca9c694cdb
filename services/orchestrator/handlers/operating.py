"""What operators do to sagas. Each verb says who, why, and at which version it was looked at."""

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from chassis.saga.inputs import Order, Verb
from chassis.saga.state import Fields, SagaState
from contracts.operation import Operation
from contracts.orchestrator.operating import (
    AbandonSaga,
    BulkAnswer,
    CompensateSaga,
    DecideApproval,
    PauseSaga,
    ResumeSaga,
    RetrySaga,
    RetrySagas,
    SagaMoved,
    SagaSummary,
    SagaUnknown,
    SignalSaga,
    SkipStep,
    VerbNotPossible,
)
from services.orchestrator.model import (
    Sagas,
    demand_approver,
    demand_seen,
    demand_waiting,
    operation_of,
    summary_of,
)

Single = RetrySaga | SkipStep | CompensateSaga | PauseSaga | ResumeSaga | AbandonSaga | SignalSaga
"""A verb on one saga."""


async def retry_saga(
    command: RetrySaga, sagas: Sagas, clock: Clock, context: Context
) -> SagaSummary:
    return await _order(Verb.RETRY, command, sagas, clock, context)


async def skip_step(command: SkipStep, sagas: Sagas, clock: Clock, context: Context) -> SagaSummary:
    return await _order(Verb.SKIP, command, sagas, clock, context, command.step, command.fields)


async def compensate_saga(
    command: CompensateSaga, sagas: Sagas, clock: Clock, context: Context
) -> SagaSummary:
    return await _order(Verb.COMPENSATE, command, sagas, clock, context)


async def pause_saga(
    command: PauseSaga, sagas: Sagas, clock: Clock, context: Context
) -> SagaSummary:
    return await _order(Verb.PAUSE, command, sagas, clock, context)


async def resume_saga(
    command: ResumeSaga, sagas: Sagas, clock: Clock, context: Context
) -> SagaSummary:
    return await _order(Verb.RESUME, command, sagas, clock, context)


async def abandon_saga(
    command: AbandonSaga, sagas: Sagas, clock: Clock, context: Context
) -> SagaSummary:
    return await _order(Verb.ABANDON, command, sagas, clock, context)


async def signal_saga(command: SignalSaga, sagas: Sagas, context: Context) -> SagaSummary:
    """As an operator: four eyes are not asked for."""
    state = await _looked_at(command, sagas)
    demand_waiting(state)
    by = _who(command, context)
    return summary_of(
        await sagas.signal(state, approved=command.approved, by=by, reason=command.reason)
    )


async def decide_approval(command: DecideApproval, sagas: Sagas, context: Context) -> Operation:
    """As somebody of the workspace, other than who started it."""
    found = await sagas.get(command.operation_id)
    state = demand_seen(found, command.operation_id, command.workspace_id)
    demand_waiting(state)
    demand_approver(state, context.actor_id)
    by = str(context.actor_id)
    return operation_of(
        await sagas.signal(state, approved=command.approved, by=by, reason=command.reason)
    )


async def retry_sagas(
    command: RetrySagas, sagas: Sagas, clock: Clock, context: Context
) -> BulkAnswer:
    """All in one transaction: a saga that moves meanwhile is looked at again."""
    found = await sagas.troubled(command.kind, command.step, command.error_type, command.limit)
    chosen = found[: command.limit]
    done = [state.id for state in chosen]
    if not command.preview:
        order = Order(clock.now(), Verb.RETRY, _who(command, context), command.reason)
        ordered = [(state.id, sagas.order(state, order)[1]) for state in chosen]
        done = [saga_id for saga_id, why in ordered if not why]
    return BulkAnswer(
        saga_ids=done,
        preview=command.preview,
        more=len(found) > len(chosen),
    )


async def _order(
    verb: Verb,
    command: Single,
    sagas: Sagas,
    clock: Clock,
    context: Context,
    step: str = "",
    fields: Fields | None = None,
) -> SagaSummary:
    state = await _looked_at(command, sagas)
    by = _who(command, context)
    order = Order(clock.now(), verb, by, command.reason, step, fields or {})
    state, why = sagas.order(state, order)
    if why:
        refusal = VerbNotPossible(saga_id=state.id, verb=verb.value, reason=why)
        raise Rejected(refusal)
    return summary_of(state)


async def _looked_at(command: Single, sagas: Sagas) -> SagaState:
    """The saga, at the version that the operator saw."""
    state = await sagas.get(command.saga_id)
    if state is None:
        raise Rejected(SagaUnknown(saga_id=command.saga_id))
    if command.expected_version not in (None, state.version):
        raise Rejected(SagaMoved(saga_id=state.id, version=state.version))
    return state


def _who(command: Single | RetrySagas, context: Context) -> str:
    """The user, or the name that was given where there is none."""
    return str(context.actor_id) if context.actor_id else command.operator or "somebody"


HANDLERS = (
    retry_saga,
    skip_step,
    compensate_saga,
    pause_saga,
    resume_saga,
    abandon_saga,
    signal_saga,
    decide_approval,
    retry_sagas,
)
