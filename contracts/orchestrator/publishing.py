"""Publishing: put a revision of an app on the air. Owner: orchestrator. Key: app_id."""

from uuid import UUID

from contracts.base import Command
from contracts.delivery.environment import Environment
from contracts.operation import Operation

KEY = "app_id"


class PublishApp(Command[Operation], permission="app.publish"):
    """Make a revision live in an environment, or change nothing at all.

    `previous_release_id` is what the caller sees as live there (None = nothing is): when another
    release goes live meanwhile, the publish is undone and its error is LivePointerMoved. The
    operation's result has `release_id`. With `approval_required` (the gateway sets it where the
    workspace protects the environment) nothing happens until another member approves.
    """

    workspace_id: UUID
    app_id: UUID
    revision_id: UUID
    environment: Environment
    previous_release_id: UUID | None = None
    approval_required: bool = False
