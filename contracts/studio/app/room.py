"""Room for apps: what a saga asks before the number of apps that a plan allows becomes another."""

from uuid import UUID

from pydantic import PositiveInt

from contracts.base import Command, Rejection, Reply


class AppsInUse(Rejection):
    """There are more apps than the wanted limit allows: delete some first."""

    workspace_id: UUID
    apps: int
    apps_max: int


class AppsHeld(Reply):
    """Until the hold ends no app is added beyond it."""

    workspace_id: UUID
    hold_id: UUID
    apps: int


class AppsHoldDropped(Reply):
    """There is no such hold any more."""

    workspace_id: UUID
    hold_id: UUID


class AppsApplied(Reply):
    """The held limit is the workspace's limit."""

    workspace_id: UUID
    hold_id: UUID


class HoldApps(Command[AppsHeld], key="workspace_id"):
    """Check that the apps fit a wanted limit, and keep it so. The lower of this and the plan's
    own limit counts; repeating it changes nothing."""

    workspace_id: UUID
    hold_id: UUID
    apps_max: PositiveInt


class DropAppsHold(Command[AppsHoldDropped], key="workspace_id"):
    """Undo HoldApps; dropping what is gone is success."""

    workspace_id: UUID
    hold_id: UUID


class ApplyApps(Command[AppsApplied], key="workspace_id"):
    """Make the held limit the workspace's own. The hold itself ends with the EntitlementsChanged
    that names it: an older one that arrives late lets no app in. Never refused."""

    workspace_id: UUID
    hold_id: UUID
