"""What the parts of a workspace can be."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from contracts.delivery.environment import Environment


class Role(StrEnum):
    """What a member is in a workspace. Each may do all that the ones below it may."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class WorkspaceState(StrEnum):
    """Where a workspace stands. More may come."""

    PENDING = "pending"
    ACTIVE = "active"
    DELETED = "deleted"


class WorkspaceSettings(BaseModel):
    """What holds for all members."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    locale: str = Field(default="en", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$")
    invitation_role: Role = Role.VIEWER  # of an invitation that names none
    protected_environments: list[Environment] = Field(default_factory=list)
    """Where a publish waits until a second member, who may manage the workspace, approves it."""
