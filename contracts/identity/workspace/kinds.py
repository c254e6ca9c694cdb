"""What the parts of a workspace can be."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


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

    time_zone: str = Field(default="UTC", max_length=64)  # a name of the IANA database
    invitation_role: Role = Role.VIEWER  # offered first when somebody is invited
