"""What a saga asks while a workspace's plan changes: that its members fit, and go on to fit."""

from contracts.identity.workspace import (
    ApplySeats,
    DropSeatsHold,
    HoldSeats,
    SeatsApplied,
    SeatsHeld,
    SeatsHoldDropped,
)
from services.identity.handlers.common import active_workspace
from services.identity.model.workspaces import Workspaces


async def hold_seats(command: HoldSeats, workspaces: Workspaces) -> SeatsHeld:
    """Nobody comes in beyond the wanted limit until the hold ends."""
    workspace = await active_workspace(workspaces, command.workspace_id)
    if workspace.hold_seats(command.hold_id, command.members_max):
        workspaces.save(workspace)
    return SeatsHeld(
        workspace_id=workspace.workspace_id,
        hold_id=command.hold_id,
        members=len(workspace.members),
    )


async def drop_seats_hold(command: DropSeatsHold, workspaces: Workspaces) -> SeatsHoldDropped:
    """Undo it, if there is anything to undo."""
    workspace = await workspaces.get(command.workspace_id)
    if workspace and workspace.drop_hold(command.hold_id):
        workspaces.save(workspace)
    return SeatsHoldDropped(workspace_id=command.workspace_id, hold_id=command.hold_id)


async def apply_seats(command: ApplySeats, workspaces: Workspaces) -> SeatsApplied:
    """The limit is in force before the saga ends, whenever billing's event arrives."""
    workspace = await workspaces.get(command.workspace_id)
    if workspace and workspace.apply_hold(command.hold_id):
        workspaces.save(workspace)
    return SeatsApplied(workspace_id=command.workspace_id, hold_id=command.hold_id)


HANDLERS = (hold_seats, drop_seats_hold, apply_seats)
