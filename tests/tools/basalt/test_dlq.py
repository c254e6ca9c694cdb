"""`./basalt dlq` against a running service: messages on Kafka that it cannot handle."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.clock import SystemClock, new_id
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.stores.migrate import CHASSIS, migrate
from contracts.billing.account import CommitQuota, QuotaCommitted
from tests.chassis.messaging.stage import send, wire
from tests.chassis.parking.yard import a_commit
from tools.basalt import dlq, door
from tools.basalt.__main__ import main

KEY = "only-for-benchmarks-and-tests"
POISON = UUID(int=666)
A_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[|Traceback|  ")
PATIENCE_S = 30.0
BROKEN = {POISON}
"""Apps whose commands fail; emptied when the service is mended."""


async def commit_quota(command: CommitQuota) -> QuotaCommitted:
    if command.app_id in BROKEN:
        raise RuntimeError("a bug")
    return QuotaCommitted(
        workspace_id=command.workspace_id,
        reservation_id=command.reservation_id,
        app_id=command.app_id,
    )


@dataclass
class Terminal:
    """Runs command lines; and sends messages to the service."""

    run: Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]
    kafka: str

    async def letters(self, *words: str) -> list[Any]:
        _, out, _ = await self.run("list", "--json", *words)
        found: list[Any] = json.loads(out)["letters"]
        return found

    async def until(self, count: int, *words: str) -> list[Any]:
        """The letters, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await self.letters(*words)) < count:
                await SystemClock().sleep(0.05)
        return found

    async def parked(self) -> tuple[str, list[Any]]:
        """A fresh workspace whose first message fails and whose second one waits."""
        BROKEN.add(POISON)
        workspace = new_id()
        commands = [a_commit(workspace, POISON), a_commit(workspace)]
        await send(self.kafka, [wire("billing", command) for command in commands])
        return str(workspace), await self.until(2, "--key", str(workspace))


@pytest.fixture
async def terminal(
    fresh_database: str,
    kafka_bootstrap: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Terminal]:
    await migrate(fresh_database, [CHASSIS])
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)  # aiokafka is untyped
    group = f"billing-{new_id().hex}"
    await admin.start()
    topics = ("cmd.billing.v1", f"dlq.{group}", "reply.orchestrator.v1")
    await admin.create_topics([NewTopic(topic, 2, 1) for topic in topics])
    await admin.close()
    service = Service(
        name="billing", settings=ServiceSettings, handlers=(commit_quota,), stores=("postgres",)
    )
    settings = ServiceSettings(
        context_key=KEY,
        postgres_url=fresh_database,
        kafka_bootstrap=kafka_bootstrap,
        kafka_group=group,
        http_port=0,
        environment="test",
    )
    running = await service.start(settings)
    monkeypatch.setenv("CONTEXT_KEY", KEY)
    monkeypatch.setenv("BILLING_URL", f"http://127.0.0.1:{running.port}")
    monkeypatch.setenv("BASALT_OPERATOR", "ann")
    monkeypatch.setattr(dlq, "CONSUMERS", ("billing",))

    async def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(main, ["dlq", *words])
        out, err = capsys.readouterr()
        lines = [line for line in out.splitlines() if line and not A_LOG_LINE.match(line)]
        return code, "\n".join(lines), err

    yield Terminal(run, kafka_bootstrap)
    await running.stop()


async def test_a_parked_key_is_listed_shown_and_redriven_in_order(terminal: Terminal) -> None:
    workspace, (first, second) = await terminal.parked()
    key = ("--key", workspace)

    _, table, _ = await terminal.run("list", *key)
    _, shown, _ = await terminal.run("show", first["letter_id"], "--json")
    _, preview, _ = await terminal.run("redrive", second["letter_id"])
    BROKEN.clear()
    code, done, _ = await terminal.run("redrive", *key, "--reason", "mended", "--yes")
    handled = await terminal.until(2, *key, "--state", "handled")

    assert code == 0
    assert (first["state"], second["state"]) == ("failed", "waiting")
    assert table.splitlines()[0].split()[:3] == ["SERVICE", "STATE", "LETTER"]
    assert "RuntimeError at test_dlq.py:" in table
    assert json.loads(shown)["behind"] == 1
    assert json.loads(json.loads(shown)["body"])["workspace_id"] == workspace
    assert preview.splitlines() == [
        f"billing  {first['letter_id']}",
        "billing: 1 would be redriven (--yes does it), 1 follow",
    ]
    assert done.splitlines()[-1].startswith("billing: 1 redriven, 1 follow")
    assert [letter["message_id"] for letter in handled] == [
        first["message_id"],
        second["message_id"],
    ]
    _, story, _ = await terminal.run("show", first["letter_id"])
    assert "redrive by ann  mended" in story


async def test_a_discard_needs_a_reason_and_lets_the_rest_go_on(terminal: Terminal) -> None:
    workspace, (first, second) = await terminal.parked()

    with pytest.raises(SystemExit) as unsaid:
        await terminal.run("discard", first["letter_id"], "--yes")
    blank, _, complaint = await terminal.run("discard", first["letter_id"], "--reason", " ")
    code, done, _ = await terminal.run(
        "discard", first["letter_id"], "--reason", "a test's", "--yes"
    )

    (handled,) = await terminal.until(1, "--key", workspace, "--state", "handled")
    assert (unsaid.value.code, blank, code) == (2, 2, 0)
    assert "reason" in complaint
    assert done.splitlines()[-1] == "billing: 1 discarded"
    assert handled["letter_id"] == second["letter_id"]
    (discarded,) = await terminal.letters("--key", workspace, "--state", "discarded")
    assert (discarded["by"], discarded["why"]) == ("ann", "a test's")


async def test_undecodable_bytes_are_shown_without_harm_to_the_terminal(
    terminal: Terminal,
) -> None:
    key = new_id().hex
    garbage = ("cmd.billing.v1", key.encode(), b"\xff\x1b[2J", [("ce_type", b"\x1b[31mred")])
    await send(terminal.kafka, [garbage])

    (letter,) = await terminal.until(1, "--key", key)
    _, shown, _ = await terminal.run("show", letter["letter_id"])
    _, table, _ = await terminal.run("list", "--key", key)

    assert letter["state"] == "undecodable"
    assert f"body, 5 bytes, sha256 {sha256(garbage[2]).hexdigest()}" in shown
    assert "\x1b" not in shown + table


async def test_the_door_is_shut_to_whoever_is_no_operator(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PERMISSION", "workspace.manage")

    codes = [
        (await terminal.run(*words))[0]
        for words in (
            ("list",),
            ("show", str(UUID(int=1))),
            ("redrive", "--topic", "x", "--yes"),
            ("discard", "--topic", "x", "--reason", "x", "--yes"),
        )
    ]

    assert codes == [1, 1, 1, 1]


async def test_what_is_not_there_and_what_is_shut(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown, _, nothing = await terminal.run("show", str(UUID(int=1)))
    nameless, _, which = await terminal.run("redrive", "--yes")
    monkeypatch.setenv("BILLING_URL", "http://127.0.0.1:9")
    shut, _, complaint = await terminal.run("list")

    assert (unknown, nameless, shut) == (1, 1, 1)
    assert "no service that was asked has a letter" in nothing
    assert "say which" in which
    assert "billing does not answer" in complaint
