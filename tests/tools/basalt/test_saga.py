"""`./basalt saga` against a running orchestrator: what is printed, and what is done."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest

from services.gateway import ids
from tests.services.orchestrator.caller import KEY, Caller, a_caller
from tools.basalt.__main__ import main

A_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
"""Of the orchestrator, which runs in this process."""

Terminal = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


@pytest.fixture
async def caller(fresh_database: str, kafka_bootstrap: str) -> AsyncIterator[Caller]:
    async with a_caller(fresh_database, kafka_bootstrap) as caller:
        yield caller


@pytest.fixture
def terminal(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """Runs a command line: its exit code, what it printed, and what it complained of."""
    monkeypatch.setenv("CONTEXT_KEY", KEY)
    monkeypatch.setenv("ORCHESTRATOR_URL", caller.url)
    monkeypatch.setenv("BASALT_OPERATOR", "ann")

    async def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(main, ["saga", *words])
        out, err = capsys.readouterr()
        lines = [line for line in out.splitlines() if not A_LOG_LINE.match(line)]
        return code, "\n".join(lines), err

    return run


async def begun(caller: Caller) -> str:
    return str((await caller.publish()).json()["data"]["operation_id"])


async def test_lists_shows_and_tells_the_story_of_who_did_what(
    caller: Caller, terminal: Terminal
) -> None:
    saga_id = await begun(caller)
    await terminal("pause", saga_id, "--reason", "billing is being repaired")

    _, listed, _ = await terminal("list", "--status", "PAUSED")
    code, told, _ = await terminal("show", saga_id)
    _, drawn, _ = await terminal("show", saga_id, "--mermaid")

    assert code == 0
    assert saga_id in listed
    assert "1 sagas" in listed
    assert "ReserveQuota             compensatable sent  sent 1x" in told
    assert "paused ReserveQuota (by ann: billing is being repaired)" in told
    assert "trace " in told
    assert drawn.startswith("sequenceDiagram\n    participant saga as publish_app")
    assert "Note over saga: paused by ann: billing is being repaired" in drawn


async def test_skipping_takes_the_fields_of_the_answer(caller: Caller, terminal: Terminal) -> None:
    saga_id = await begun(caller)

    code, line, _ = await terminal(
        "skip", saga_id, "--step", "ReserveQuota", "--reason", "by hand", "--fields", "{}"
    )

    assert code == 0
    assert "at FreezeRevision" in line


async def test_a_refusal_is_one_line_and_exit_code_1(caller: Caller, terminal: Terminal) -> None:
    saga_id = await begun(caller)
    await terminal("abandon", saga_id, "--reason", "gone")

    code, _, complaint = await terminal("resume", saga_id)
    unknown, _, nothing = await terminal("show", str(UUID(int=1)))

    assert code == unknown == 1
    assert "VerbNotPossible" in complaint
    assert "the saga has ended" in complaint
    assert "SagaUnknown" in nothing


async def test_bulk_retry_previews_before_it_does(caller: Caller, terminal: Terminal) -> None:
    saga_id = await begun(caller)
    await caller.database.execute("UPDATE saga_instance SET status = 'NEEDS_ATTENTION'")

    _, preview, _ = await terminal("retry", "--kind", "publish_app")
    _, done, _ = await terminal("retry", "--kind", "publish_app", "--yes")

    assert preview.splitlines() == [
        saga_id,
        "1 sagas that need attention would be retried (--yes does it)",
    ]
    assert done.splitlines() == [saga_id, "1 sagas that need attention are retried"]


async def test_an_approval_can_be_signalled(caller: Caller, terminal: Terminal) -> None:
    answer = await caller.publish(approval_required=True)
    saga_id = answer.json()["data"]["operation_id"]

    code, line, _ = await terminal("signal", saga_id, "--approve")
    _, shown, _ = await terminal("show", saga_id, "--json")

    assert code == 0
    assert "RUNNING" in line
    assert json.loads(shown)["history"][1]["reason"] == "by ann"


async def test_bad_input_is_named_and_exit_code_2(caller: Caller, terminal: Terminal) -> None:
    code, _, complaint = await terminal("list", "--limit", "100000")

    assert code == 2
    assert "limit" in complaint


async def test_a_door_that_is_shut(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://127.0.0.1:9")

    code, _, complaint = await terminal("list")

    assert code == 1
    assert "orchestrator does not answer" in complaint


async def test_users_know_the_operation_and_a_status_is_one_of_ours(
    caller: Caller, terminal: Terminal
) -> None:
    saga = UUID(await begun(caller))
    operation = ids.encode("Operation", UUID(int=7), "orchestrator", saga)

    code, told, _ = await terminal("show", operation)
    _, listed, _ = await terminal("list", "--status", "running")

    assert code == 0
    assert str(saga) in told
    assert str(saga) in listed
    for words in (("list", "--status", "FOO"), ("show", "nonsense"), ("show", operation[:-9])):
        with pytest.raises(SystemExit):
            await terminal(*words)
