"""Delivery's part of the schema: releases, what is live where, and who may fetch it."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info

from contracts.delivery.environment import Environment as EnvironmentContract
from contracts.delivery.live import AppDelivery
from contracts.delivery.live import LivePointer as PointerContract
from contracts.delivery.release import ListReleases
from contracts.delivery.release import Release as ReleaseContract
from contracts.delivery.release import Visibility as VisibilityContract
from services.gateway.graphql.connection import Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.fields import field
from services.gateway.graphql.loaders import AppKey, ReleaseKey
from services.gateway.graphql.node import NodeShape
from services.gateway.graphql.shapes import Shape, enum_of, shape
from services.gateway.scope import Scope

if TYPE_CHECKING:
    from services.gateway.graphql.studio import App

Environment = enum_of(EnvironmentContract)
Visibility = enum_of(VisibilityContract)
AppRef = Annotated["App", strawberry.lazy("services.gateway.graphql.studio")]


@shape(ReleaseContract, node="Release", rename={"release_number": "number"})
class Release(NodeShape):
    """One release and where it stands."""

    @field("The app that it is a release of; null once that is deleted.")
    async def app(self, info: Info[Scope, None]) -> AppRef | None:
        """Batched."""
        from services.gateway.graphql.studio import find_app

        return await find_app(info.context, {**self.known, "app_id": self.shown.app_id})


@shape(PointerContract)
class LivePointer(Shape):
    """What is live in one environment. `path` is the live manifest's, from the gateway's root."""


@shape(AppDelivery, name="Delivery", hide=("workspace_id", "app_id", "version"))
class Delivery(Shape):
    """Where an app is live, and who may fetch it."""


async def find_release(scope: Scope, fields: dict[str, Any]) -> Release | None:
    """The release of a decoded id; None when there is none."""
    key = ReleaseKey(fields["workspace_id"], fields["release_id"])
    found = await scope.loaders.releases.load(key)
    return Release.of(found) if found else None


async def delivery_of(scope: Scope, app: AppKey) -> Delivery | None:
    """What is live of an app."""
    # Shielded: others wait for the same answer, and one that gives up must not take it from them.
    found = await asyncio.shield(scope.loaders.deliveries.load(app))
    return Delivery.of(found) if found else None


async def releases_of(
    scope: Scope,
    app: AppKey,
    environment: EnvironmentContract | None,
    first: int,
    after: str | None,
) -> Connection[Release]:
    """An app's release history, newest first."""

    async def fetch(limit: int, cursor: str) -> Fetched[ReleaseContract]:
        query = ListReleases(
            workspace_id=app.workspace_id,
            app_id=app.app_id,
            environment=environment,
            limit=limit,
            cursor=cursor,
        )
        answer = await scope.ask(query)
        return answer.releases, answer.cursor_next

    return await paged(first, after, fetch, Release.of)
