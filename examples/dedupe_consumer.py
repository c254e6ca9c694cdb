"""A consumer of another team: reads Basalt's events, each with exactly one effect.

It needs nothing of Basalt but the broker's address and CloudEvents headers. The effect (a row in
`app_event`) and the memory of the event's id (the inbox) are written in one transaction of the
consumer's own database, before the offset is committed; so a crash at any line below repeats the
read, and never the effect.

    python examples/dedupe_consumer.py --topics studio.app.v1,delivery.release.v1 --database seen.db
"""

import argparse
import asyncio
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from aiokafka import AIOKafkaConsumer, ConsumerRecord

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS rejected (topic TEXT, partition INTEGER, offset INTEGER, value BLOB,
    reason TEXT, PRIMARY KEY (topic, partition, offset));
CREATE TABLE IF NOT EXISTS app_event (
    event_id TEXT, type TEXT, subject TEXT, version INTEGER, data TEXT);
"""
POLL_TIMEOUT_MS = 1000
BATCH_RECORDS_MAX = 500


def record_effects(database: sqlite3.Connection, records: Iterable[ConsumerRecord]) -> int:
    """Write the effects of a batch in one transaction; answers how many were new."""
    fresh = 0
    with database:  # one transaction: commits at the end, or rolls back whole
        for record in records:
            try:
                headers = {name: value.decode() for name, value in record.headers}
                event_id = headers["ce_id"]
                data = json.dumps(json.loads(record.value))
                version = int(headers.get("ce_aggregateversion", "0"))
                kind, subject = headers["ce_type"], headers["ce_subject"]
            except (ValueError, KeyError, TypeError) as error:
                reject(database, record, error)  # it will never be readable: the next ones are
                continue
            seen = database.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event_id,))
            if seen.rowcount == 0:
                continue  # a redelivery: its effect is there already
            effect = (event_id, kind, subject, version, data)
            database.execute("INSERT INTO app_event VALUES (?, ?, ?, ?, ?)", effect)
            fresh += 1
    return fresh


def reject(database: sqlite3.Connection, record: ConsumerRecord, error: Exception) -> None:
    """Keep the bytes of what is no event, for somebody to look at."""
    place = (record.topic, record.partition, record.offset)
    row = (*place, record.value, f"{type(error).__name__}: {error}")
    database.execute("INSERT OR IGNORE INTO rejected VALUES (?, ?, ?, ?, ?)", row)


async def consume(bootstrap: str, topics: list[str], group: str, path: str, idle_s: float) -> int:
    """Read until nothing came for `idle_s` seconds (0 = for ever); answers the new effects."""
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,  # the offset follows the effect, never the other way round
        auto_offset_reset="earliest",  # a new group starts with what is still retained
    )
    effects, idle = 0, 0.0
    await consumer.start()
    try:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(SCHEMA)
            while not idle_s or idle < idle_s:
                batches = await consumer.getmany(
                    timeout_ms=POLL_TIMEOUT_MS, max_records=BATCH_RECORDS_MAX
                )
                idle = 0.0 if batches else idle + POLL_TIMEOUT_MS / 1000
                for partition, records in batches.items():
                    effects += record_effects(database, records)
                    await consumer.commit({partition: records[-1].offset + 1})
    finally:
        await consumer.stop()
    return effects


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:7402")
    parser.add_argument("--bootstrap", default=default)
    parser.add_argument("--topics", default="studio.app.v1,delivery.release.v1")
    parser.add_argument("--group", default="example-consumer")
    parser.add_argument("--database", default="seen.db")
    parser.add_argument("--idle-s", type=float, default=0.0, help="stop after so many idle seconds")
    arguments = parser.parse_args()
    effects = asyncio.run(
        consume(
            arguments.bootstrap,
            arguments.topics.split(","),
            arguments.group,
            arguments.database,
            arguments.idle_s,
        )
    )
    print(f"{effects} new effects")


if __name__ == "__main__":
    main()
