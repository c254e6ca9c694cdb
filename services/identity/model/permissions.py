"""Permissions: the one check of who may do what. Everything that asks, asks here."""

from contracts.identity.workspace import Role, WorkspaceState

PUBLIC = "public"
USER = "user"
READ = "workspace.read"
OPERATOR = "operator"

_VIEWER = frozenset({READ})
_EDITOR = _VIEWER | {"app.edit", "app.publish"}
_OWNER = _EDITOR | {"member.manage", "workspace.manage"}

PERMISSIONS_OF_ROLE = {Role.VIEWER: _VIEWER, Role.EDITOR: _EDITOR, Role.OWNER: _OWNER}
"""What each role may do in an active workspace. Each role may do all that the lower ones may."""

FOR_EVERYONE = frozenset({PUBLIC, USER})
"""What every logged-in user may do, with or without a workspace."""


def permissions_in(role: Role | None, state: WorkspaceState) -> frozenset[str]:
    """What a member may do in a workspace that is in this state.

    One that is not ready, or never came to be, its owner can look at: to see how it fares.
    """
    if role is None:
        return frozenset()
    if state == WorkspaceState.ACTIVE:
        return PERMISSIONS_OF_ROLE[role]
    return _VIEWER if role == Role.OWNER else frozenset()


def allowed(
    role: Role | None, permission: str, state: WorkspaceState = WorkspaceState.ACTIVE
) -> bool:
    """Whether a logged-in user with this role in a workspace may do this."""
    return permission in FOR_EVERYONE or permission in permissions_in(role, state)
