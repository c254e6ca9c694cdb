"""What activity answers when it is asked: the feed."""

from typing import Any

from chassis.errors import Rejected
from contracts.activity.feed import FeedCursorInvalid, FeedPage, GetFeed
from services.activity.model import position
from services.activity.store import FeedPages

POSITION_LENGTH = len("0" * 16 + "0" * 32)


async def get_feed(query: GetFeed, pages: FeedPages) -> FeedPage:
    """Newest first; the cursor is the position of the last entry that was seen."""
    found = await pages.page(where_of(query), query.limit + 1)
    more = len(found) > query.limit
    shown = found[: query.limit]
    return FeedPage(entries=[entry for _, entry in shown], cursor_next=shown[-1][0] if more else "")


def where_of(query: GetFeed) -> dict[str, Any]:  # a MongoDB filter
    """Equalities, and one range of positions for both time and cursor."""
    where: dict[str, Any] = {"workspace_id": str(query.workspace_id)}
    if query.app_id:
        where["app_id"] = str(query.app_id)
    if query.actor_id:
        where["actor_id"] = str(query.actor_id)
    if query.types:
        where["type"] = query.types[0] if len(query.types) == 1 else {"$in": query.types}
    below = [position(query.until)] if query.until else []
    if query.cursor:
        below.append(_checked(query.cursor))
    if below:
        where.setdefault("position", {})["$lt"] = min(below)
    if query.since:
        where.setdefault("position", {})["$gte"] = position(query.since)
    return where


def _checked(cursor: str) -> str:
    if len(cursor) != POSITION_LENGTH or not set(cursor) <= set("0123456789abcdef"):
        raise Rejected(FeedCursorInvalid(cursor=cursor[:100]))
    return cursor


VIEWS = (get_feed,)
