"""The example consumer, killed in the middle: one effect per event."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from infra.local.places import ROOT
from tests.flows.platform import Platform, await_true
from tests.flows.soundness import assert_sound, read_facts
from tests.flows.traveller import Traveller

TOPICS = "studio.app.v1,delivery.release.v1,billing.account.v1"


def start(platform: Platform, database: Path, idle_s: float) -> "subprocess.Popen[bytes]":
    """The example as a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "examples/dedupe_consumer.py"),
            *("--bootstrap", platform.servers.kafka_bootstrap, "--topics", TOPICS),
            *("--group", f"example-{database.stem}", "--database", str(database)),
            *("--idle-s", str(idle_s)),
        ],
        cwd=ROOT,
        env={**os.environ},
        stdin=subprocess.DEVNULL,
    )


def effects(database: Path) -> list[str]:
    """The ids of the events that had an effect."""
    if not database.exists():
        return []
    with sqlite3.connect(database, timeout=10) as connection:
        try:
            return [row[0] for row in connection.execute("SELECT event_id FROM app_event")]
        except sqlite3.OperationalError:
            return []


async def test_a_killed_consumer_goes_on_with_one_effect_per_event(
    platform: Platform, traveller: Traveller, tmp_path: Path
) -> None:
    await assert_sound(platform)
    database = tmp_path / "seen.db"
    first = start(platform, database, idle_s=0)
    await_true(lambda: bool(effects(database)), "a first effect", 60)
    first.send_signal(signal.SIGKILL)
    first.wait(10)

    second = start(platform, database, idle_s=12)

    assert second.wait(90) == 0
    wanted = {
        fact.event_id for fact in await read_facts(platform) if fact.topic in TOPICS.split(",")
    }
    found = effects(database)
    assert len(found) == len(set(found))
    assert set(found) >= wanted
