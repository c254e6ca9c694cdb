"""The feed in MongoDB. `_id` is the event's id: whoever writes it again changes nothing.

`position` alone orders and pages (one index per question: workspace, and app or actor within it),
so a page is an equality and a range on any MongoDB. Event bodies are JSON text: BSON would retype
numbers and refuse some names.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.mongo import Document
from chassis.stores.postgres import ChunkStore
from contracts.activity.feed import FeedEntry
from services.activity.model import Entry

COLLECTION = "feed"
INDEXES = (("workspace_id",), ("workspace_id", "app_id"), ("workspace_id", "actor_id"))


class MongoFeed(ChunkStore):
    """Entries of a chunk, written before the chunk's offsets and inbox are."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._added: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Keep an entry at the flush."""
        self._added.append(entry)

    def snapshot(self) -> object:
        return len(self._added)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, int), "snapshot() made it"
        del self._added[snapshot:]

    async def before_flush(self) -> None:
        """A chunk may hold one event twice, and may come again: neither shows."""
        documents = {str(entry.event_id): _document(entry) for entry in self._added}
        await self.resources.mongo.insert_many_ignoring_duplicates(
            COLLECTION, list(documents.values())
        )


class FeedPages:
    """Reads the feed, newest first. Raises Unavailable when MongoDB cannot answer."""

    def __init__(self, resources: Resources) -> None:
        self._mongo = resources.mongo
        self._indexed = False

    async def page(
        self,
        where: Mapping[str, Any],  # a MongoDB filter
        limit: int,
    ) -> list[tuple[str, FeedEntry]]:
        """Entries with their positions. `where` has an equality on workspace_id."""
        assert "workspace_id" in where, "no question spans workspaces"
        await self._index()
        found = await self._mongo.find(COLLECTION, where, sort=[("position", -1)], limit=limit)
        return [(document["position"], _entry(document)) for document in found]

    async def _index(self) -> None:
        """At the first question, not at the start: a MongoDB that is down keeps nobody waiting."""
        if self._indexed:
            return
        for fields in INDEXES:
            order = [(name, 1) for name in fields]
            await self._mongo.create_index(COLLECTION, [*order, ("position", -1)])
        self._indexed = True


def _document(entry: Entry) -> Document:
    return {
        "_id": str(entry.event_id),
        "position": entry.position,
        "type": entry.type,
        "time": entry.time.isoformat(timespec="microseconds"),
        "workspace_id": _text(entry.workspace_id),
        "app_id": _text(entry.app_id),
        "actor_id": _text(entry.actor_id),
        "subject": entry.subject,
        "aggregate_version": entry.aggregate_version,
        "correlation_id": entry.correlation_id,
        "trace_id": entry.trace_id,
        "data": entry.data,
    }


def _entry(document: Document) -> FeedEntry:
    return FeedEntry(
        event_id=document["_id"],
        type=document["type"],
        time=datetime.fromisoformat(document["time"]),
        workspace_id=document["workspace_id"],
        app_id=document["app_id"],
        actor_id=document["actor_id"],
        subject=document["subject"],
        aggregate_version=document["aggregate_version"],
        correlation_id=document["correlation_id"],
        trace_id=document["trace_id"],
        data=json.loads(document["data"]),
    )


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
