"""Batched reading: what one operation asks about many things becomes one question per kind.

A loader gathers the keys that were asked for while the event loop went round once, and remembers
what it read until `clear` (a subscription clears before each of its results).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from contracts.delivery.live import AppDelivery, GetAppDeliveries
from contracts.delivery.release import GetReleases, Release
from contracts.identity.user import GetUsers, User
from contracts.identity.workspace import GetWorkspaces, ListMembers, Member, Workspace
from contracts.studio.app import (
    App,
    Entity,
    EntityKind,
    GetApps,
    GetEntities,
    ListEntities,
)

if TYPE_CHECKING:
    from services.gateway.scope import Scope

K = TypeVar("K")
V = TypeVar("V")
G = TypeVar("G")
BATCH_MAX = 200  # what the services' questions allow


class AppKey(NamedTuple):
    """An app and its tenant."""

    workspace_id: UUID
    app_id: UUID


class ReleaseKey(NamedTuple):
    """A release and its tenant."""

    workspace_id: UUID
    release_id: UUID


class EntityKey(NamedTuple):
    """An entity of an app's head."""

    app: AppKey
    entity_id: str


class ListKey(NamedTuple):
    """The first `limit` entities of a kind, of an app or of one of its pages ("" = any)."""

    app: AppKey
    kind: EntityKind
    page: str
    limit: int


Rows = Sequence[V | BaseException | None]


class Loaders:
    """The loaders of one operation."""

    def __init__(self, scope: "Scope") -> None:
        self._scope = scope
        self.users = DataLoader(self._users, max_batch_size=BATCH_MAX)
        self.workspaces = DataLoader(self._workspaces, max_batch_size=BATCH_MAX)
        self.members = DataLoader(self._members, max_batch_size=BATCH_MAX)
        self.apps = DataLoader(self._apps, max_batch_size=BATCH_MAX)
        self.entities = DataLoader(self._entities, max_batch_size=BATCH_MAX)
        self.lists = DataLoader(self._lists, max_batch_size=BATCH_MAX)
        self.deliveries = DataLoader(self._deliveries, max_batch_size=BATCH_MAX)
        self.releases = DataLoader(self._releases, max_batch_size=BATCH_MAX)

    def clear(self) -> None:
        """Forget what was read."""
        for loader in vars(self).values():
            if isinstance(loader, DataLoader):
                loader.clear_all()

    async def _users(self, keys: list[UUID]) -> Sequence[User | None]:
        answer = await self._scope.ask(GetUsers(user_ids=keys))
        found = {user.user_id: user for user in answer.users}
        return [found.get(key) for key in keys]

    async def _workspaces(self, keys: list[UUID]) -> Sequence[Workspace | None]:
        answer = await self._scope.ask(GetWorkspaces(workspace_ids=keys))
        found = {item.workspace_id: item for item in answer.workspaces}
        return [found.get(key) for key in keys]

    async def _members(self, keys: list[UUID]) -> Sequence[list[Member]]:
        answer = await self._scope.ask(ListMembers(workspace_ids=keys))
        found: dict[UUID, list[Member]] = {key: [] for key in keys}
        for member in answer.members:
            found.setdefault(member.workspace_id, []).append(member)
        return [found[key] for key in keys]

    async def _apps(self, keys: list[AppKey]) -> Rows[App]:
        async def fetch(workspace_id: UUID, group: list[AppKey]) -> Mapping[AppKey, App]:
            wanted = [key.app_id for key in group]
            answer = await self._scope.ask(GetApps(workspace_id=workspace_id, app_ids=wanted))
            return {AppKey(workspace_id, app.app_id): app for app in answer.apps}

        return await _grouped(keys, _workspace_of, fetch, None)

    async def _releases(self, keys: list[ReleaseKey]) -> Rows[Release]:
        async def fetch(
            workspace_id: UUID, group: list[ReleaseKey]
        ) -> Mapping[ReleaseKey, Release]:
            wanted = [key.release_id for key in group]
            query = GetReleases(workspace_id=workspace_id, release_ids=wanted)
            answer = await self._scope.ask(query)
            return {ReleaseKey(workspace_id, item.release_id): item for item in answer.releases}

        return await _grouped(keys, _workspace_of, fetch, None)

    async def _deliveries(self, keys: list[AppKey]) -> Rows[AppDelivery]:
        async def fetch(workspace_id: UUID, group: list[AppKey]) -> Mapping[AppKey, AppDelivery]:
            wanted = [key.app_id for key in group]
            query = GetAppDeliveries(workspace_id=workspace_id, app_ids=wanted)
            answer = await self._scope.ask(query)
            return {AppKey(workspace_id, item.app_id): item for item in answer.apps}

        return await _grouped(keys, _workspace_of, fetch, None)

    async def _entities(self, keys: list[EntityKey]) -> Rows[Entity]:
        async def fetch(app: AppKey, group: list[EntityKey]) -> Mapping[EntityKey, Entity]:
            wanted = [key.entity_id for key in group]
            query = GetEntities(**app._asdict(), entity_ids=wanted)
            answer = await self._scope.ask(query)
            return {EntityKey(app, item.entity_id): item for item in answer.entities}

        return await _grouped(keys, lambda key: key.app, fetch, None)

    async def _lists(self, keys: list[ListKey]) -> Rows[list[Entity]]:
        async def fetch(like: "_Like", group: list[ListKey]) -> Mapping[ListKey, list[Entity]]:
            query = ListEntities(
                workspace_id=like.workspace_id,
                app_ids=sorted({key.app.app_id for key in group}),
                kinds=[like.kind],
                pages=sorted({key.page for key in group if key.page}),
                limit=like.limit,
            )
            found: dict[ListKey, list[Entity]] = {key: [] for key in group}
            for entity in (await self._scope.ask(query)).entities:
                app = AppKey(like.workspace_id, entity.app_id)
                page = entity.page if like.by_page else ""
                rows = found.get(ListKey(app, like.kind, page, like.limit))
                if rows is not None:
                    rows.append(entity)
            return found

        return await _grouped(keys, _like, fetch, [])


class _Like(NamedTuple):
    """Lists that one question can answer together."""

    workspace_id: UUID
    kind: EntityKind
    by_page: bool
    limit: int


def _like(key: ListKey) -> _Like:
    return _Like(key.app.workspace_id, key.kind, bool(key.page), key.limit)


def _workspace_of(key: AppKey | ReleaseKey) -> UUID:
    return key.workspace_id


async def _grouped(
    keys: Sequence[K],
    group_of: Callable[[K], G],
    fetch: Callable[[G, list[K]], Awaitable[Mapping[K, V]]],
    missing: V | None,
) -> Rows[V]:
    """One question per group, all groups at once; a group that fails fails its own keys only."""
    groups: dict[G, list[K]] = {}
    for key in keys:
        groups.setdefault(group_of(key), []).append(key)
    answers = await asyncio.gather(
        *(fetch(group, members) for group, members in groups.items()), return_exceptions=True
    )
    found: dict[K, V | BaseException | None] = {}
    for members, answer in zip(groups.values(), answers, strict=True):
        for key in members:
            if isinstance(answer, BaseException):
                found[key] = answer
            else:
                found[key] = answer.get(key, missing)
    return [found[key] for key in keys]
