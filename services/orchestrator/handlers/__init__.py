"""What the orchestrator does when it is asked: start, cancel, approve, and operators' verbs."""

from services.orchestrator.handlers import operating, operations

HANDLERS = (*operations.HANDLERS, *operating.HANDLERS)
