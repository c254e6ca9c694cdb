"""Outbox to inbox, the messaging alone: one process writes events, another one hears them."""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import Clock, SystemClock, new_id
from chassis.messaging.envelope import Envelope
from chassis.messaging.outbox import Outbox
from chassis.messaging.producer import Producer
from chassis.messaging.relay import Relay
from chassis.stores.postgres import Statement
from tests.bench.messages import a_place, an_event
from tests.bench.table import Measurement
from tests.bench.usage import tree_cpu_s

ROOT = Path(__file__).parents[2]
EVENTS = 120_000
CHUNK = 512
ROUNDS = 2  # the better one counts: the first warms Kafka up
PER_S = 1_000
PACED_EVENTS = 5_000
PARTITIONS = 6
STOP_S = 30.0
# As every message of a request has one; without an exporter it is not sampled.
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def outbox_to_inbox_alone(
    postgres_url: str, kafka: str, pids: Mapping[str, int], bare: float
) -> list[Measurement]:
    """From before the sender's commit until the listener's is durable. `bare`: what produce and
    consume of such records reaches."""
    topic = f"heard.{new_id().hex[-8:]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    try:
        async with a_place(postgres_url) as (database, _), a_place(postgres_url) as (_, url):
            clock = SystemClock()
            relay = Relay(database, clock, lambda w: Producer(kafka, w, client_id="bench"))
            await relay.start()
            with _listener(url, kafka, topic) as listener:
                await _line(listener)
                while relay.not_ready():
                    await clock.sleep(0.01)
                bulks = [await _bulk(relay, listener, topic, pids) for _ in range(ROUNDS)]
                paced = await _paced(relay, listener, topic, clock)
            await relay.stop()
    finally:
        await admin.delete_topics([topic])
        await admin.close()
    against = "bare aiokafka, one process"
    bulk = max(bulks, key=lambda figures: figures["rate"])
    cpu = ", ".join(f"{name} {us:.0f}" for name, us in bulk["cpu"].items())
    chunks = f"in commits of {CHUNK}, chunks of {bulk['chunk']:.0f}"
    how = f"the best of {ROUNDS} times {EVENTS} events {chunks}; us CPU: {cpu}"
    pace = f"{PACED_EVENTS} events, a commit each, {PER_S}/s; chunks of {paced['chunk']:.1f}"
    return [
        Measurement("outbox > inbox alone, bulk", bulk["rate"], bare, "events/s", against, how),
        Measurement(f"outbox > inbox at {PER_S}/s, p50", paced["p50_ms"], None, "ms", "-", pace),
        Measurement(f"outbox > inbox at {PER_S}/s, p99", paced["p99_ms"], None, "ms", "-", pace),
    ]


async def _bulk(
    relay: Relay, listener: "subprocess.Popen[str]", topic: str, pids: Mapping[str, int]
) -> dict[str, Any]:
    events = [_an_event(topic) for _ in range(EVENTS)]
    gc.collect()
    gc.freeze()
    before = {name: tree_cpu_s(pid) for name, pid in pids.items()}
    began, used = time.time(), time.process_time()
    for at in range(0, EVENTS, CHUNK):
        await _commit(relay, *events[at : at + CHUNK])
    heard = json.loads(await _line(listener))
    used = time.process_time() - used
    cpu = {name: 1e6 * (tree_cpu_s(pid) - before[name]) / EVENTS for name, pid in pids.items()}
    cpu |= {"sender": 1e6 * used / EVENTS, "listener": heard["cpu_us"]}
    return {"rate": EVENTS / (heard["ended"] - began), "chunk": heard["chunk"], "cpu": cpu}


async def _paced(
    relay: Relay, listener: "subprocess.Popen[str]", topic: str, clock: Clock
) -> dict[str, Any]:
    """At its own pace, whether or not the former ones have arrived."""
    sending: set[asyncio.Task[None]] = set()
    began = clock.monotonic()
    for number in range(PACED_EVENTS):
        await clock.sleep(max(0.0, began + number / PER_S - clock.monotonic()))
        event = replace(_an_event(topic), time=clock.now())
        task = asyncio.create_task(_commit(relay, event))
        sending.add(task)
        task.add_done_callback(sending.discard)
    figures: dict[str, Any] = json.loads(await _line(listener))
    return figures


def _an_event(topic: str) -> Envelope:
    return replace(an_event(), topic=topic, traceparent=TRACE)


async def _commit(relay: Relay, *events: Envelope) -> None:
    outbox = Outbox()
    for event in events:
        outbox.append(event)
    await relay.commit(Statement(), outbox)


@contextmanager
def _listener(url: str, kafka: str, topic: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own; stopped by its pid."""
    what = (url, kafka, topic, topic, *[str(EVENTS)] * ROUNDS, str(PACED_EVENTS))
    command = (sys.executable, "-m", "tests.bench.listener", *what)
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield started
        started.wait(STOP_S)
    finally:
        if started.poll() is None:
            started.kill()
            started.wait(STOP_S)


async def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None, "its stdout is a pipe"
    line = await asyncio.to_thread(process.stdout.readline)
    if not line:
        raise RuntimeError("the listener ended without figures")
    return line
