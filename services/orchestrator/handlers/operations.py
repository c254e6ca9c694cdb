"""What the orchestrator does when it is asked: start, and cancel. A start answers at once."""

from chassis.context import Context
from chassis.errors import NotAllowed
from contracts.operation import CancelOperation, Operation
from contracts.orchestrator.onboarding import OnboardWorkspace
from contracts.orchestrator.plan import ChangeWorkspacePlan
from contracts.orchestrator.publishing import PublishApp
from services.orchestrator.model import (
    Sagas,
    demand_cancellable,
    demand_own_or_app,
    demand_seen,
    operation_of,
)


async def publish_app(command: PublishApp, sagas: Sagas, context: Context) -> Operation:
    return operation_of(await sagas.start(command, context))


async def onboard_workspace(command: OnboardWorkspace, sagas: Sagas, context: Context) -> Operation:
    """For the caller, not for somebody else."""
    if context.actor_id != command.owner_id:
        raise NotAllowed("a workspace is made for its caller")
    return operation_of(await sagas.start(command, context))


async def change_workspace_plan(
    command: ChangeWorkspacePlan, sagas: Sagas, context: Context
) -> Operation:
    return operation_of(await sagas.start(command, context))


async def cancel_operation(command: CancelOperation, sagas: Sagas, context: Context) -> Operation:
    """Undo it, if nothing was sent yet that cannot be undone; the answer says how far it is."""
    found = await sagas.get(command.operation_id)
    state = demand_seen(found, command.operation_id, command.workspace_id)
    demand_own_or_app(state, context.actor_id)
    demand_cancellable(state)
    return operation_of(sagas.cancel(state, context.actor_id))


HANDLERS = (publish_app, onboard_workspace, change_workspace_plan, cancel_operation)
