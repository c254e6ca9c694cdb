"""Onboarding: a workspace that is ready to work in. Owner: orchestrator. Key: workspace_id."""

from uuid import UUID

from pydantic import Field

from contracts.base import Command
from contracts.operation import Operation

KEY = "workspace_id"


class OnboardWorkspace(Command[Operation], permission="user"):
    """Make a workspace with an account, a starter app and default settings, or nothing at all.

    The caller makes up `workspace_id` and becomes its owner. The operation's result has `app_id`,
    the starter app.
    """

    workspace_id: UUID
    owner_id: UUID
    workspace_name: str = Field(min_length=1, max_length=120)
