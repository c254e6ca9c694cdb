"""What the orchestrator answers: operations of a workspace, and sagas for operators."""

from services.orchestrator.views import operating, operations

VIEWS = (*operations.VIEWS, *operating.VIEWS)
