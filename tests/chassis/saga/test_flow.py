"""Sagas over real Kafka and PostgreSQL, orchestrators and participant in their own processes."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.clock import new_id
from tests.bench.saga_throughput import ORCHESTRATOR, PARTICIPANT, Arena, arena, process

WAIT_S = 90
FORWARD = ("TakeThing", "WashThing", "PaintThing", "SellThing", "ShipThing")
UNDONE = ("TakeThing", "WashThing", "PaintThing", "PutBackThing", "DirtyThing", "ScrapeThing")


@pytest.fixture
def place(postgres_url: str, kafka_bootstrap: str) -> Iterator[Arena]:
    with arena(postgres_url, kafka_bootstrap) as place:
        yield place


def an_orchestrator(place: Arena, total: int, in_flight: int = 20) -> dict[str, str]:
    load = {"total": total, "in_flight": in_flight, "batch": 5, "warm": 0, "replicas": 1}
    return place.environment("orchestrator", LOAD=json.dumps(load))


class TestFlow:
    def test_every_saga_completes_or_is_undone_and_nothing_is_doubled(self, place: Arena) -> None:
        with ExitStack() as running:
            running.enter_context(process(PARTICIPANT, place.environment("dummy", REFUSALS="true")))
            running.enter_context(process(ORCHESTRATOR, an_orchestrator(place, 60)))

            ended = wait_until_ended(place, 60)

        check_exact(place, ended)

    def test_duplicates_of_every_reply_change_nothing(self, place: Arena) -> None:
        with ExitStack() as running:
            running.enter_context(process(PARTICIPANT, place.environment("dummy", REFUSALS="true")))
            doubled = running.enter_context(duplicator(place))
            running.enter_context(process(ORCHESTRATOR, an_orchestrator(place, 60)))

            ended = wait_until_ended(place, 60)

        check_exact(place, ended)
        assert doubled[0] > 300
        assert ignored(place) > 100

    def test_an_orchestrator_killed_in_mid_saga_is_replaced_by_the_other(
        self, place: Arena
    ) -> None:
        with ExitStack() as running:
            running.enter_context(process(PARTICIPANT, place.environment("dummy", REFUSALS="true")))
            running.enter_context(process(ORCHESTRATOR, an_orchestrator(place, 0)))
            victim = running.enter_context(
                process(ORCHESTRATOR, an_orchestrator(place, 2_000, in_flight=2_000))
            )
            wait_until_started(place, 300)

            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(10)

            open_then = query(place, "orchestrator", OPEN)[0]["n"]
            ended = wait_until_ended(place, 300)

        assert open_then > 0, "it died in mid-saga"
        check_exact(place, ended)


OPEN = "SELECT count(*) AS n FROM saga_instance WHERE next_wake_at IS NOT NULL"


def wait_until_started(place: Arena, sagas: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while query(place, "orchestrator", "SELECT count(*) AS n FROM saga_instance")[0]["n"] < sagas:
        assert time.monotonic() < deadline, "the sagas do not start"
        threading.Event().wait(0.05)


def wait_until_ended(place: Arena, least: int) -> list[Any]:
    """All sagas, once there are so many of them and none is open."""
    deadline = time.monotonic() + WAIT_S
    while True:
        rows = query(
            place,
            "orchestrator",
            "SELECT status, version, state->'data'->>'price' AS price,"
            " state->'data'->>'thing_id' AS thing_id FROM saga_instance",
        )
        open_sagas = [row for row in rows if row["status"] not in ("COMPLETED", "COMPENSATED")]
        if len(rows) >= least and not open_sagas:
            return rows
        assert time.monotonic() < deadline, f"{len(open_sagas)} of {len(rows)} have not ended"
        threading.Event().wait(0.2)


def check_exact(place: Arena, sagas: list[Any]) -> None:
    """Each saga at the end that its price asks for, each effect once, each history gapless."""
    things = {
        str(row["id"]): json.loads(row["state"])["effects"]
        for row in query(place, "dummy", "SELECT id, state::text AS state FROM thing")
    }
    for saga in sagas:
        refused = int(saga["price"]) % 3 == 0
        assert saga["status"] == ("COMPENSATED" if refused else "COMPLETED")
        assert things[saga["thing_id"]] == dict.fromkeys(UNDONE if refused else FORWARD, 1)
    assert len(things) == len(sagas)
    gaps = query(
        place,
        "orchestrator",
        "SELECT s.id FROM saga_instance AS s LEFT JOIN saga_event AS e ON e.saga_id = s.id"
        " GROUP BY s.id, s.version HAVING count(*) <> s.version OR max(e.version) <> s.version",
    )
    assert gaps == []
    assert query(place, "orchestrator", "SELECT count(*) AS n FROM entity_lock")[0]["n"] == 0


def ignored(place: Arena) -> int:
    sql = "SELECT count(*) AS n FROM saga_event WHERE happened = 'ignored'"
    number: int = query(place, "orchestrator", sql)[0]["n"]
    return number


def query(place: Arena, service: str, sql: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(place.url(service), timeout=10)
        try:
            return await connection.fetch(sql, timeout=10)  # type: ignore[no-any-return]
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def duplicator(place: Arena) -> Iterator[list[int]]:
    """Sends each reply twice more: as it is, and as a message of its own."""
    stop = threading.Event()
    count = [0]
    thread = threading.Thread(
        target=lambda: asyncio.run(_duplicate(place.kafka, stop, count)), daemon=True
    )
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join(30)


async def _duplicate(bootstrap: str, stop: threading.Event, count: list[int]) -> None:
    topic = "reply.orchestrator.v1"
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=new_id().hex, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await consumer.start()
    await producer.start()
    try:
        while not stop.is_set():
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    await _send_again(producer, record, count)
    finally:
        await consumer.stop()
        await producer.stop()


async def _send_again(producer: Any, record: Any, count: list[int]) -> None:
    headers = dict(record.headers)
    if b"again" in headers.values():
        return
    for message_id in (headers["ce_id"], str(new_id()).encode()):
        copy = [*{**headers, "ce_id": message_id}.items(), ("copy", b"again")]
        await producer.send_and_wait(
            record.topic, record.value, key=record.key, headers=copy, partition=record.partition
        )
        count[0] += 1
