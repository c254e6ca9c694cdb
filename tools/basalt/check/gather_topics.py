"""Reads topics and offsets of consumer groups. No consumer group of its own, nothing committed."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tools.basalt.check.evidence import Evidence, Row
from tools.basalt.check.layout import GROUPS, ONCE, REPLIES, is_fact_topic, is_ours
from tools.basalt.check.settings import CannotCheck, Limits

CONNECT_TIMEOUT_S = 10
BATCH = 5_000
POLL_MS = 500
Tell = Callable[[str], None]

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs what is raised besides


def unreachable(bootstrap: str, error: BaseException) -> CannotCheck:
    """With the remedy."""
    return CannotCheck(
        f"Kafka does not answer at {bootstrap} ({type(error).__name__}): start it, or set"
        " KAFKA_BOOTSTRAP"
    )


async def gather_offsets(evidence: Evidence, bootstrap: str) -> None:
    """What each consumer group has committed. Asked first: what is committed now is effected
    already when the tables are read."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S * 3):
            await admin.start()
            for group in GROUPS:
                found = await admin.list_consumer_group_offsets(group.name)
                evidence.add(
                    "committed",
                    [
                        (group.name, place.topic, place.partition, about.offset)
                        for place, about in found.items()
                        if about.offset >= 0
                    ],
                )
    except (OSError, TimeoutError, KafkaError) as error:
        raise unreachable(bootstrap, error) from None
    finally:
        await admin.close()


async def _partitions(bootstrap: str) -> list[Any]:
    """Every partition of the topics that are the platform's. CannotCheck when there is none."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S * 3):
            await admin.start()
            names = sorted(name for name in await admin.list_topics() if is_ours(name))
            described = await admin.describe_topics(names) if names else []
    finally:
        await admin.close()
    if not names:
        raise CannotCheck(
            f"Kafka at {bootstrap} has no topics of the platform: run python -m chassis.provision,"
            " or set KAFKA_BOOTSTRAP"
        )
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]


async def gather_topics(evidence: Evidence, bootstrap: str, limits: Limits, tell: Tell) -> None:
    """Every record up to the ends of now, from where the last look stopped."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        check_crcs=False,
        request_timeout_ms=10_000,
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    try:
        places = await _partitions(bootstrap)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await consumer.start()
        await _read(evidence, consumer, places, limits, tell)
    except (OSError, TimeoutError, KafkaError) as error:
        raise unreachable(bootstrap, error) from None
    finally:
        await consumer.stop()


async def _read(
    evidence: Evidence, consumer: Any, places: list[Any], limits: Limits, tell: Tell
) -> None:
    consumer.assign(places)  # first: it makes the client learn all leaders at once
    consumer.pause(*places)
    ends = await consumer.end_offsets(places)
    begins = await consumer.beginning_offsets(places)
    starts = _starts(evidence, begins, ends, limits)
    left = {place for place in places if starts[place] < ends[place]}
    for place in left:
        consumer.seek(place, starts[place])
        consumer.resume(place)
    await _drain(evidence, consumer, ends, left, limits, tell)
    evidence.change("DELETE FROM topic")
    evidence.add(
        "topic",
        [
            (p.topic, kind_of(p.topic), p.partition, begins[p], _first(evidence, p, starts), end)
            for p, end in ends.items()
        ],
    )


def _starts(evidence: Evidence, begins: Any, ends: Any, limits: Limits) -> dict[Any, int]:
    """Where to begin to read each partition: everything, or an equal share of what is newest."""
    known = {(row[0], row[1]): row[2] for row in evidence.ask("SELECT name, part, next FROM topic")}
    starts = {
        place: max(begin, known.get((place.topic, place.partition), 0))
        for place, begin in begins.items()
    }
    records = sum(ends[place] - start for place, start in starts.items())
    if records <= limits.records_max:
        return starts
    share = limits.records_max / records
    evidence.say(
        "cut",
        f"topics have {records} records, only the newest {share:.0%} of each partition were read:"
        " raise --records",
    )
    return {p: ends[p] - int((ends[p] - start) * share) for p, start in starts.items()}


def _first(evidence: Evidence, place: Any, starts: dict[Any, int]) -> int:
    """Where reading began, in this look or in an earlier one."""
    sql = "SELECT min(off) FROM record WHERE topic = ? AND part = ?"
    found = evidence.ask(sql, place.topic, place.partition)
    return min(starts[place], found[0][0] if found[0][0] is not None else starts[place])


async def _drain(
    evidence: Evidence, consumer: Any, ends: Any, left: set[Any], limits: Limits, tell: Tell
) -> None:
    total = 0
    async with asyncio.timeout(limits.timeout_s):
        while left:
            async with asyncio.timeout(limits.step_timeout_s):
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
            for place, records in found.items():
                mine = [record for record in records if record.offset < ends[place]]
                _keep(evidence, place.topic, mine)
                total += len(mine)
                if records and records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
                    consumer.pause(place)
            if not found:  # what is left may be marks of the broker's own
                left -= {p for p in list(left) if await consumer.position(p) >= ends[p]}
            tell(f"topics: {total} records")


def kind_of(topic: str) -> str:
    """What is on a topic."""
    if topic.startswith("cmd."):
        return "command"
    if topic.startswith("dlq."):
        return "letter"
    if topic == REPLIES:
        return "reply"
    return "fact" if is_fact_topic(topic) else "other"


def _keep(evidence: Evidence, topic: str, records: Iterable[Any]) -> None:
    kind = kind_of(topic)
    if kind == "letter":
        evidence.add("letter", [_letter(topic, record) for record in records])
    else:
        evidence.add("record", [_record(kind, record) for record in records])


def _headers(record: Any) -> dict[str, str]:
    return {
        name.lower(): (value or b"").decode("utf-8", "replace") for name, value in record.headers
    }


def _letter(topic: str, record: Any) -> Row:
    headers = _headers(record)
    place = headers.get("dlq_partition", "-1"), headers.get("dlq_offset", "-1")
    partition, offset = (int(text) if text.isdecimal() else -1 for text in place)
    return (
        topic.removeprefix("dlq."),
        headers.get("dlq_reason", ""),
        headers.get("dlq_topic", ""),
        partition,
        offset,
        headers.get("ce_id"),
    )


def _record(kind: str, record: Any) -> Row:
    headers = _headers(record)
    version = headers.get("ce_aggregateversion", "")
    body = record.value or b""
    wire_type = headers.get("ce_type", "")
    fields = _fields(body)
    said = fields.get("workspace_id")
    return (
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        kind,
        (record.key or b"").decode("utf-8", "replace"),
        headers.get("ce_id"),
        wire_type,
        headers.get("ce_workspaceid"),
        int(version) if version.isdecimal() else None,
        headers.get("ce_correlationid"),
        headers.get("ce_causationid"),
        headers.get("ce_replyto"),
        blake2b(body, digest_size=12).hexdigest(),
        said if isinstance(said, str) else None,
        effect_of(wire_type, fields) if kind == "fact" else None,
    )


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def effect_of(wire_type: str, fields: dict[str, Any]) -> str | None:
    """What a fact that happens once is about; None for others."""
    names = ONCE.get(wire_type)
    return " ".join(str(fields.get(name)) for name in names) if names else None
