"""Workspaces, with their members and invitations in the row."""

from collections.abc import Callable, Mapping
from typing import ClassVar
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from services.identity.model.workspaces import Workspace
from services.identity.store.access import AccessCache


class SqlWorkspaces(AggregateStore[Workspace]):
    """Workspaces; their `version` numbers the events of identity.workspace."""

    table = "workspace"
    aggregate = Workspace
    announces = "workspace"
    key_field = "workspace_id"
    columns: ClassVar[Mapping[str, tuple[str, Callable[[Workspace], object]]]] = {
        "created_at": ("timestamptz", lambda workspace: workspace.created_at)
    }

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._cache = AccessCache(resources)
        self._mine: set[UUID] = set()

    @staticmethod
    def key(workspace: Workspace) -> UUID:
        return workspace.workspace_id

    def save(self, workspace: Workspace) -> None:
        """Also remembers it: its members may have other permissions now."""
        self._mine.add(workspace.workspace_id)
        super().save(workspace)

    async def before_flush(self) -> None:
        """Before the commit: whoever asks from then on reads Postgres."""
        await self._cache.hold(workspaces=self._mine)
