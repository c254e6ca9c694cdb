"""Who may do what: the whole table."""

import pytest

from contracts.identity.workspace import Role, WorkspaceState
from services.identity.model import allowed

EVERYBODY = {None, Role.VIEWER, Role.EDITOR, Role.OWNER}
TABLE: dict[str, set[Role | None]] = {
    "public": EVERYBODY,
    "user": EVERYBODY,
    "workspace.read": {Role.VIEWER, Role.EDITOR, Role.OWNER},
    "app.edit": {Role.EDITOR, Role.OWNER},
    "app.publish": {Role.EDITOR, Role.OWNER},
    "member.manage": {Role.OWNER},
    "workspace.manage": {Role.OWNER},
    "no.such.permission": set(),
}


@pytest.mark.parametrize("role", sorted(EVERYBODY, key=str))
@pytest.mark.parametrize("permission", TABLE)
def test_an_active_workspace_allows_what_the_table_says(role: Role | None, permission: str) -> None:
    assert allowed(role, permission) == (role in TABLE[permission])


@pytest.mark.parametrize("state", [WorkspaceState.PENDING, WorkspaceState.DELETED])
@pytest.mark.parametrize("role", sorted(EVERYBODY, key=str))
@pytest.mark.parametrize("permission", TABLE)
def test_one_that_is_not_active_can_only_be_looked_at_by_its_owner(
    role: Role | None, permission: str, state: WorkspaceState
) -> None:
    for_everyone = permission in {"public", "user"}
    owner_looks = role == Role.OWNER and permission == "workspace.read"
    assert allowed(role, permission, state) == (for_everyone or owner_looks)
