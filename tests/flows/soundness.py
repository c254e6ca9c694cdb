"""What must hold once everything has come to rest: read from stores and topics, not from services.

The names follow the invariants of the design: nothing left behind, nothing doubled, no gap.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from chassis.stores.mongo import Documents
from infra.local.stack import SERVICES
from services.activity.store import COLLECTION
from tests.flows.platform import Platform

REST_TIMEOUT_S = 60.0
POLL_S = 0.2
ENDED = ("COMPLETED", "COMPENSATED")


async def fetch(platform: Platform, service: str, sql: str, *args: object) -> list[Any]:
    """Rows of a service's database."""
    connection = await asyncpg.connect(platform.database_url(service), timeout=10)
    try:
        return list(await connection.fetch(sql, *args, timeout=10))
    finally:
        await connection.close(timeout=5)


async def await_rest(platform: Platform) -> None:
    """Until every saga has ended and every outbox is empty. AssertionError after a while."""
    left: dict[str, int] = {}
    async with asyncio.timeout(REST_TIMEOUT_S):
        try:
            while True:
                left = await _left(platform)
                if not any(left.values()):
                    return
                await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise AssertionError(f"not at rest after {REST_TIMEOUT_S} s: {left}") from None


async def _left(platform: Platform) -> dict[str, int]:
    rows = await fetch(
        platform,
        "orchestrator",
        "SELECT count(*) FROM saga_instance WHERE status <> ALL($1::text[])",
        list(ENDED),
    )
    left = {"sagas": rows[0][0]}
    for service in SERVICES:
        if "postgres" in service.servers:
            (row,) = await fetch(platform, service.name, "SELECT count(*) FROM outbox")
            left[f"outbox of {service.name}"] = row[0]
    return left


async def assert_sound(platform: Platform) -> None:
    """All of it, after rest."""
    await await_rest(platform)
    await _assert_nothing_is_held(platform)
    await _assert_quota_is_what_is_live(platform)
    await _assert_releases(platform)
    facts = await read_facts(platform)
    _assert_versions_have_no_gap(facts)
    await _assert_the_feed_has_each_fact_once(platform, facts)


async def _assert_nothing_is_held(platform: Platform) -> None:
    locks = await fetch(platform, "orchestrator", "SELECT key FROM entity_lock")
    assert locks == [], f"locks are left: {locks}"
    held = await fetch(
        platform, "billing", "SELECT id FROM account WHERE state->'reservations' <> '{}'::jsonb"
    )
    assert held == [], f"reservations are left: {held}"
    frozen = await fetch(
        platform, "studio", "SELECT id FROM app WHERE state->'freezes' <> '{}'::jsonb"
    )
    assert frozen == [], f"freezes are left: {frozen}"


async def _assert_quota_is_what_is_live(platform: Platform) -> None:
    """Billing counts exactly the apps that delivery has live."""
    accounts = await fetch(platform, "billing", "SELECT id, state FROM account")
    counted = {
        (str(row["id"]), app_id)
        for row in accounts
        for app_id, consumption in _json(row["state"])["apps"].items()
        if consumption["units"]
    }
    apps = await fetch(platform, "delivery", "SELECT id, workspace_id, state FROM app")
    live = {
        (str(row["workspace_id"]), str(row["id"]))
        for row in apps
        if _json(row["state"])["pointers"]
    }
    assert counted == live


async def _assert_releases(platform: Platform) -> None:
    """A completed publish has one release, that is or was live; a compensated one is abandoned."""
    sagas = await fetch(
        platform,
        "orchestrator",
        "SELECT status, state->'data'->>'release_id' AS release_id FROM saga_instance"
        " WHERE type = 'publish_app'",
    )
    rows = await fetch(platform, "delivery", "SELECT id, state FROM release")
    states = {str(row["id"]): _json(row["state"])["state"] for row in rows}
    for saga in sagas:
        state = states.get(saga["release_id"], "none")
        wanted = ("live", "superseded") if saga["status"] == "COMPLETED" else ("abandoned", "none")
        assert state in wanted, f"{saga['status']} publish has a release that is {state}"
    pointed = [state for state in states.values() if state == "live"]
    apps = await fetch(platform, "delivery", "SELECT state FROM app")
    pointers = sum(len(_json(row["state"])["pointers"]) for row in apps)
    assert len(pointed) == pointers, "a release is live to which no pointer points, or the reverse"


@dataclass(frozen=True)
class Seen:
    """A record, as far as it is looked at."""

    topic: str
    key: str
    headers: dict[str, str]

    @property
    def event_id(self) -> str:
        return self.headers.get("ce_id", "")

    @property
    def version(self) -> int:
        """The aggregate's version; 0 for what is no fact."""
        return int(self.headers.get("ce_aggregateversion", "0"))


async def read_facts(platform: Platform) -> list[Seen]:
    """Every fact of every public topic, in order of partition and offset."""
    return [seen for seen in await read_records(platform, _is_public) if seen.version]


async def read_records(platform: Platform, wanted: Callable[[str], bool]) -> list[Seen]:
    """Every record of some topics, in order of partition and offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=platform.servers.kafka_bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        partitions = await partitions_of(platform, wanted)
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[Seen] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [_seen(record) for record in records]
        return found
    finally:
        await consumer.stop()


async def partitions_of(platform: Platform, wanted: Callable[[str], bool]) -> list[TopicPartition]:
    """All partitions of the topics that are wanted by name."""
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.servers.kafka_bootstrap)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if wanted(topic)]
        described = await admin.describe_topics(topics)
    finally:
        await admin.close()
    found = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]
    assert found, "no such topics"
    return found


def _is_public(topic: str) -> bool:
    return topic.endswith(".v1") and not topic.startswith(("cmd.", "reply.", "dlq."))


def _seen(record: Any) -> Seen:  # aiokafka is untyped
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    return Seen(record.topic, (record.key or b"").decode(errors="replace"), headers)


def _assert_versions_have_no_gap(facts: list[Seen]) -> None:
    """Per aggregate and after deduplication: 1, 2, 3, ... in the order of the log."""
    ids: set[str] = set()
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts:
        if fact.event_id not in ids:
            ids.add(fact.event_id)
            versions[(fact.topic, fact.key)].append(fact.version)
    for aggregate, found in versions.items():
        assert found == list(range(1, len(found) + 1)), f"{aggregate}: {found}"


async def _assert_the_feed_has_each_fact_once(platform: Platform, facts: list[Seen]) -> None:
    """`_id` is the event's id, so once is at most once; here: each one is there."""
    wanted = {fact.event_id for fact in facts}
    documents = Documents.open(platform.servers.mongo_url, "activity")
    missing = wanted
    try:
        async with asyncio.timeout(REST_TIMEOUT_S):
            while missing:
                kept = await documents.find(COLLECTION, {}, limit=100_000, fields=["_id"])
                missing = wanted - {str(entry["_id"]) for entry in kept}
    except TimeoutError:
        raise AssertionError(f"the feed lacks {len(missing)} of {len(wanted)} facts") from None
    finally:
        documents.close()


def _json(value: Any) -> Any:  # jsonb comes as text when no codec is set
    return orjson.loads(value) if isinstance(value, str) else value
