"""Feed: every domain event, once. Owner: activity. Key: workspace_id."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.base import Query, Rejection, Reply

KEY = "workspace_id"


class FeedEntry(Reply):
    """One event as it was announced. `trace_id` finds the request that caused it; may be empty."""

    event_id: UUID
    type: str  # wire type, such as delivery.ReleasePublished.v1
    time: datetime
    workspace_id: UUID
    app_id: UUID | None
    actor_id: UUID | None
    subject: str  # the aggregate's id
    aggregate_version: int
    correlation_id: str
    trace_id: str
    data: dict[str, Any]  # the event's fields: their shape follows type


class FeedPage(Reply):
    """Newest first. `cursor_next` is empty on the last page; new events never move a page."""

    entries: list[FeedEntry]
    cursor_next: str = ""


class FeedCursorInvalid(Rejection):
    """The cursor is not one that a page of a feed gave."""

    cursor: str


class GetFeed(Query[FeedPage], permission="workspace.read"):
    """What happened in a workspace; all filters hold together. `since` <= time < `until`."""

    workspace_id: UUID
    app_id: UUID | None = None
    actor_id: UUID | None = None
    types: list[str] = Field(default=[], max_length=50)
    since: datetime | None = None
    until: datetime | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = ""
