"""What a saga asks while a workspace's plan changes: that its apps fit, and go on to fit."""

from contracts.studio.app import (
    ApplyApps,
    AppsApplied,
    AppsHeld,
    AppsHoldDropped,
    DropAppsHold,
    HoldApps,
)
from services.studio.model.shelf import Shelves, shelf_of


async def hold_apps(command: HoldApps, shelves: Shelves) -> AppsHeld:
    """No app is added beyond the wanted limit until the hold ends."""
    shelf = await shelf_of(shelves, command.workspace_id)
    if shelf.hold(command.hold_id, command.apps_max):
        shelves.save(shelf)
    return AppsHeld(
        workspace_id=command.workspace_id, hold_id=command.hold_id, apps=len(shelf.app_ids)
    )


async def drop_apps_hold(command: DropAppsHold, shelves: Shelves) -> AppsHoldDropped:
    """Undo it, if there is anything to undo."""
    shelf = await shelves.get(command.workspace_id)
    if shelf and shelf.drop_hold(command.hold_id):
        shelves.save(shelf)
    return AppsHoldDropped(workspace_id=command.workspace_id, hold_id=command.hold_id)


async def apply_apps(command: ApplyApps, shelves: Shelves) -> AppsApplied:
    """The limit is in force before the saga ends, whenever billing's event arrives."""
    shelf = await shelves.get(command.workspace_id)
    if shelf and shelf.apply_hold(command.hold_id):
        shelves.save(shelf)
    return AppsApplied(workspace_id=command.workspace_id, hold_id=command.hold_id)


HANDLERS = (hold_apps, drop_apps_hold, apply_apps)
