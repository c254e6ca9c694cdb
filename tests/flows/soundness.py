"""Rest, the verdict of `basalt check` on what is there then, and looks into stores and topics."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from infra.local.stack import SERVICES
from tests.flows.platform import Platform
from tools.basalt.check.examine import examine
from tools.basalt.check.layout import SERVICES as CHECKED
from tools.basalt.check.report import as_text
from tools.basalt.check.settings import Limits, Places

REST_TIMEOUT_S = 60.0
POLL_S = 0.2
FINDINGS_MAX = 10
ENDED = ("COMPLETED", "COMPENSATED")


async def fetch(platform: Platform, service: str, sql: str, *args: object) -> list[Any]:
    """Rows of a service's database."""
    connection = await asyncpg.connect(platform.database_url(service), timeout=10)
    try:
        return list(await connection.fetch(sql, *args, timeout=10))
    finally:
        await connection.close(timeout=5)


async def await_rest(platform: Platform) -> None:
    """Until every saga has ended, every outbox is empty and every message is handled.
    AssertionError after a while."""
    left: dict[str, int] = {}
    try:
        async with asyncio.timeout(REST_TIMEOUT_S):
            while True:
                left = await _left(platform)
                if not any(left.values()):
                    left = await _unhandled(platform)
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


async def _unhandled(platform: Platform) -> dict[str, int]:
    """What is on the topics and not handled yet, as the checker sees it."""
    limits = Limits(at_rest=True, only=frozenset({"unhandled_message"}))
    report = await examine(places(platform), limits)
    return {
        finding.text: 1
        for line in report.lines
        for finding in (line.outcome.findings[:FINDINGS_MAX] if line.outcome else ())
    }


async def assert_sound(platform: Platform) -> None:
    """All invariants of `basalt check`, after rest."""
    await await_rest(platform)
    report = await examine(places(platform), Limits(at_rest=True))
    assert not report.violated, as_text(report, FINDINGS_MAX)
    assert not report.unchecked, as_text(report, FINDINGS_MAX)


def places(platform: Platform) -> Places:
    """Where the checker finds the platform's stores."""
    return Places(
        {name: platform.database_url(name) for name in CHECKED},
        platform.servers.kafka_bootstrap,
        platform.servers.mongo_url,
        str(platform.stack.data / "blobs"),
    )


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
