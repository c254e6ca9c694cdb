"""A workspace's life, which sagas lead, and what its owners change about it."""

from chassis.clock import Clock
from contracts.billing.account import EntitlementsChanged
from contracts.identity.workspace import (
    ActivateWorkspace,
    ApplyDefaultSettings,
    ChangeWorkspaceSettings,
    CreateWorkspace,
    DeleteWorkspace,
    RenameWorkspace,
    Role,
    WorkspaceActivated,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
)
from services.identity.handlers.common import active_workspace, known_user, known_workspace
from services.identity.model.users import Users
from services.identity.model.workspaces import Member, Workspace, Workspaces, clean_name
from services.identity.settings import Settings


async def create_workspace(
    command: CreateWorkspace,
    workspaces: Workspaces,
    users: Users,
    clock: Clock,
    settings: Settings,
) -> WorkspaceCreated:
    """Pending, with its owner as the only member."""
    name = clean_name(command.workspace_name)
    workspace = await workspaces.get(command.workspace_id)
    if workspace is None:
        owner = await known_user(users, command.owner_id)
        workspace = Workspace(
            workspace_id=command.workspace_id,
            workspace_name=name,
            owner_id=owner.user_id,
            created_at=clock.now(),
            members_max=settings.members_max_default,
        )
        workspace.members[owner.user_id] = Member(Role.OWNER, workspace.created_at)
        workspaces.save(workspace)
    workspace.demand_same(command.owner_id, name)
    return WorkspaceCreated(
        workspace_id=workspace.workspace_id,
        owner_id=workspace.owner_id,
        workspace_name=workspace.workspace_name,
    )


async def delete_workspace(command: DeleteWorkspace, workspaces: Workspaces) -> WorkspaceDeleted:
    """Undo its creation, if it was created."""
    workspace = await workspaces.get(command.workspace_id)
    if workspace and workspace.delete():
        workspaces.save(workspace)
    return WorkspaceDeleted(workspace_id=command.workspace_id)


async def activate_workspace(
    command: ActivateWorkspace, workspaces: Workspaces
) -> WorkspaceActivated:
    """From now on its members can work in it."""
    workspace = await known_workspace(workspaces, command.workspace_id)
    if workspace.activate():
        workspaces.save(workspace)
    return WorkspaceActivated(
        workspace_id=workspace.workspace_id,
        owner_id=workspace.owner_id,
        workspace_name=workspace.workspace_name,
    )


async def apply_default_settings(
    command: ApplyDefaultSettings, workspaces: Workspaces
) -> WorkspaceSettingsChanged:
    """The first settings; those that an owner was quick to choose stay."""
    workspace = await known_workspace(workspaces, command.workspace_id)
    if workspace.settings is None:
        workspace.settings = WorkspaceSettings()
        workspaces.save(workspace)
    return WorkspaceSettingsChanged(
        workspace_id=workspace.workspace_id, settings=workspace.settings
    )


async def change_workspace_settings(
    command: ChangeWorkspaceSettings, workspaces: Workspaces
) -> WorkspaceSettingsChanged:
    """All of them at once."""
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.settings != command.settings:
        workspace.settings = command.settings
        workspaces.save(workspace)
    return WorkspaceSettingsChanged(workspace_id=workspace.workspace_id, settings=command.settings)


async def rename_workspace(command: RenameWorkspace, workspaces: Workspaces) -> WorkspaceRenamed:
    """Another name."""
    name = clean_name(command.workspace_name)
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.workspace_name != name:
        workspace.workspace_name = name
        workspaces.save(workspace)
    return WorkspaceRenamed(workspace_id=workspace.workspace_id, workspace_name=name)


async def limit_members(event: EntitlementsChanged, workspaces: Workspaces) -> None:
    """Billing says how many members the plan allows. Nobody is removed when there are more."""
    workspace = await workspaces.get(event.workspace_id)
    if workspace and workspace.entitle(event.members_max, event.hold_id):
        workspaces.save(workspace)


HANDLERS = (
    create_workspace,
    delete_workspace,
    activate_workspace,
    apply_default_settings,
    change_workspace_settings,
    rename_workspace,
    limit_members,
)
