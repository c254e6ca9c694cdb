"""Activity's part of the schema: the feed of a workspace."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from strawberry.scalars import JSON

from contracts.activity.feed import FeedEntry as EntryContract
from contracts.activity.feed import GetFeed
from services.gateway.graphql.connection import Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.degrade import or_degraded
from services.gateway.graphql.fields import field
from services.gateway.graphql.shapes import Shape, shape
from services.gateway.scope import Scope


@shape(EntryContract, hide=("workspace_id", "data"))
class FeedEntry(Shape):
    """An event as it was announced. `traceId` finds the request that caused it."""

    @field("The event's fields, as its consumers see them.")
    def data(self) -> JSON:
        """Raw: the ids in it are the services' own."""
        return JSON(self.shown.data)


async def feed_of(
    scope: Scope,
    workspace_id: UUID,
    first: int,
    after: str | None,
    *,
    app_id: UUID | None = None,
    actor_id: UUID | None = None,
    types: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Connection[FeedEntry]:
    """What happened, newest first. Degraded when activity is down: nobody's work hangs on it."""

    async def fetch(limit: int, cursor: str) -> Fetched[EntryContract]:
        query = GetFeed(
            workspace_id=workspace_id,
            app_id=app_id,
            actor_id=actor_id,
            types=list(types),
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )
        answer = await or_degraded(scope, scope.ask(query), "The activity feed")
        return answer.entries, answer.cursor_next

    return await paged(first, after, fetch, FeedEntry.of)
