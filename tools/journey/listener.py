"""Another team's consumer: plain aiokafka, a group of its own, every event as a CloudEvent.

It knows nothing of us but what is published: the topics' names, CloudEvents in binary mode, and
the JSON Schema of each type when the contracts are at hand.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from tools.journey.client import demand, fresh_key

TOPICS = (
    "identity.user.v1",
    "identity.session.v1",
    "identity.workspace.v1",
    "billing.account.v1",
    "studio.app.v1",
    "delivery.release.v1",
    "orchestrator.saga.v1",
)
REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time")
READ_S = 30.0
POLL_MS = 500


class Listener:
    """Reads what happened in one workspace since it was opened."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer: Any = AIOKafkaConsumer(  # aiokafka is untyped
            *TOPICS,
            bootstrap_servers=bootstrap,
            group_id=f"journey-{fresh_key()}",
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        self._events: dict[str, dict[str, str]] = {}  # headers by event id

    async def open(self) -> None:
        """From now on. The positions are fixed before this returns."""
        async with asyncio.timeout(READ_S):
            await self._consumer.start()
            while not self._consumer.assignment():
                await self._consumer.getmany(timeout_ms=POLL_MS)
            for place in self._consumer.assignment():
                await self._consumer.position(place)

    async def close(self) -> None:
        """Leave the group."""
        async with asyncio.timeout(READ_S):
            await self._consumer.stop()

    async def read_until(self, workspace_id: str, ids: Iterable[str]) -> int:
        """Read until every one of these events was seen, each valid; how many there were.

        Failed when one is malformed, doubled or out of order. TimeoutError when one never comes.
        """
        wanted = set(ids)
        async with asyncio.timeout(READ_S):
            while wanted - self._events.keys():
                found = await self._consumer.getmany(timeout_ms=POLL_MS)
                for records in found.values():
                    for record in records:
                        self._take(record, workspace_id)
        gapless(self._events.values())
        return len(self._events)

    def _take(self, record: Any, workspace_id: str) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        if headers.get("ce_workspaceid") != workspace_id:
            return
        valid(headers, record.value)
        demand(record.key.decode() == headers["ce_subject"], "a record's key is not its subject")
        demand(headers["ce_type"].startswith(record.topic.split(".")[0]), "a stranger on the topic")
        self._events.setdefault(headers["ce_id"], headers)


def valid(headers: dict[str, str], body: bytes) -> None:
    """CloudEvents 1.0, binary mode. Failed otherwise."""
    missing = [name for name in REQUIRED if not headers.get(name)]
    demand(not missing, f"an event lacks {', '.join(missing)}: {headers}")
    demand(headers["ce_specversion"] == "1.0", f"CloudEvents {headers['ce_specversion']}")
    demand(headers.get("content-type") == "application/json", "an event is not JSON")
    UUID(headers["ce_id"])
    demand(datetime.fromisoformat(headers["ce_time"]).tzinfo, "a time without a zone")
    fields = json.loads(body)
    demand(isinstance(fields, dict), f"{headers['ce_type']} is no JSON object")


def gapless(events: Iterable[dict[str, str]]) -> None:
    """Each aggregate's versions follow each other from 1. Failed otherwise."""
    versions: dict[tuple[str, str], list[int]] = {}
    for headers in events:
        if "ce_aggregateversion" in headers:
            aggregate = (headers["ce_source"], headers["ce_subject"])
            versions.setdefault(aggregate, []).append(int(headers["ce_aggregateversion"]))
    for aggregate, found in versions.items():
        demand(found == list(range(1, len(found) + 1)), f"{aggregate} has the versions {found}")
