"""How many apps a workspace has, and may have."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chassis.errors import Rejected, Unavailable
from contracts.studio.app import AppLimitReached, AppsInUse


@dataclass
class Shelf:
    """The apps of a workspace, and how many its plan allows. None: not announced yet."""

    workspace_id: UUID
    apps_max: int | None = None
    app_ids: list[UUID] = field(default_factory=list)
    holds: dict[UUID, int] = field(default_factory=dict)
    """Limits that a change of plan keeps to meanwhile, by its hold's id."""

    def put(self, app_id: UUID) -> None:
        """Make room for one more app. The starter app needs no announced plan."""
        if app_id in self.app_ids:
            return
        if self.apps_max is None and self.app_ids:
            raise Unavailable("the workspace's plan is not announced yet", retry_after=1.0)
        limits = [*self.holds.values(), *([] if self.apps_max is None else [self.apps_max])]
        if limits and len(self.app_ids) >= min(limits):
            refusal = AppLimitReached(workspace_id=self.workspace_id, apps_max=min(limits))
            raise Rejected(refusal)
        self.app_ids.append(app_id)

    def take(self, app_id: UUID) -> bool:
        """Give an app's room back; False when it had none."""
        if app_id not in self.app_ids:
            return False
        self.app_ids.remove(app_id)
        return True

    def hold(self, hold_id: UUID, apps_max: int) -> bool:
        """Keep to a limit for now. False: it is held already. Refused with AppsInUse."""
        if self.holds.get(hold_id) == apps_max:
            return False
        apps = len(self.app_ids)
        if apps > apps_max:
            refusal = AppsInUse(workspace_id=self.workspace_id, apps=apps, apps_max=apps_max)
            raise Rejected(refusal)
        self.holds[hold_id] = apps_max
        return True

    def drop_hold(self, hold_id: UUID) -> bool:
        """Forget a hold. False: there is none."""
        return self.holds.pop(hold_id, None) is not None

    def apply_hold(self, hold_id: UUID) -> bool:
        """Make the held limit the shelf's own. False: it is already."""
        apps_max = self.holds.get(hold_id, self.apps_max)
        changed, self.apps_max = apps_max != self.apps_max, apps_max
        return changed

    def entitle(self, apps_max: int, hold_id: UUID | None) -> None:
        """The plan's limit; it ends the hold that was made for it."""
        if hold_id is not None:
            self.drop_hold(hold_id)
        self.apps_max = apps_max


class Shelves(Protocol):
    """The workspaces' rows."""

    async def get(self, workspace_id: UUID) -> Shelf | None: ...
    def save(self, shelf: Shelf) -> None: ...


async def shelf_of(shelves: Shelves, workspace_id: UUID) -> Shelf:
    """The workspace's shelf, a new one when there is none yet."""
    return await shelves.get(workspace_id) or Shelf(workspace_id)
