"""Sagas in memory: the real core, no tables."""

from uuid import UUID

from chassis.context import Context, trusted_context
from chassis.saga.core import begin, decide
from chassis.saga.inputs import Cancel, Decision, Input, Started
from chassis.saga.state import SagaState
from chassis.testing.saga import SAGA_ID, START
from contracts.base import Command
from contracts.operation import Operation
from services.orchestrator.model import DEFINITIONS, definition_of

WORKSPACE = UUID(int=7)
ACTOR = UUID(int=70)


class FakeSagas:
    """Fulfils Sagas."""

    def __init__(self) -> None:
        self.states: dict[UUID, SagaState] = {}

    async def start(self, command: Command[Operation], context: Context) -> SagaState:
        saga = DEFINITIONS.started_by(type(command))
        fields = command.model_dump(mode="json")
        workspace_id = UUID(fields["workspace_id"])
        started = Started(SAGA_ID, START, fields, True, workspace_id, context.actor_id)
        return self._keep(begin(saga, started))

    async def get(self, saga_id: UUID) -> SagaState | None:
        return self.states.get(saga_id)

    def cancel(self, state: SagaState, actor_id: UUID | None) -> SagaState:
        return self.happen(state, Cancel(START, actor_id))

    def happen(self, state: SagaState, event: Input) -> SagaState:
        """What a test wants to have happened."""
        return self._keep(decide(definition_of(state), state, event))

    def _keep(self, decision: Decision) -> SagaState:
        self.states[decision.state.id] = decision.state
        return decision.state


def a_context(actor_id: UUID = ACTOR) -> Context:
    return trusted_context(actor_id=actor_id, workspace_id=WORKSPACE)
