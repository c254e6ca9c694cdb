"""Poison on a real Kafka with two replicas, one of them killed; rebalances that cost nothing."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import Envelope, decode, read_headers
from chassis.stores.postgres import Database
from chassis.testing.messages import a_command
from tests.chassis.messaging.quota import POISON, a_commit_quota
from tests.chassis.messaging.stage import (
    PATIENCE_S,
    Replicas,
    a_reader,
    all_of,
    check_effects,
    check_facts,
    fetched,
    send,
    until_answered,
    wire,
)
from tests.chassis.messaging.test_flow import group
from tests.chassis.parking.yard import reservations

__all__ = ["group"]

OPEN = "SELECT count(*) AS rows FROM dead_letter WHERE state IN ('failed', 'waiting', 'redriven')"


@pytest.fixture
def replicas(
    fresh_database: str, database: Database, kafka_bootstrap: str, group: str
) -> Iterator[Replicas]:
    replicas = Replicas(fresh_database, kafka_bootstrap, group)
    yield replicas
    replicas.close()


def commands_of(workspaces: list[UUID], rounds: int, reply_to: str) -> list[Envelope]:
    """Each workspace's in turn; a third of the workspaces meets poison in the middle."""
    return [
        a_command(a_commit_quota(workspace, app_id=POISON if poisoned else None), reply_to=reply_to)
        for number in range(rounds)
        for place, workspace in enumerate(workspaces)
        for poisoned in [place % 3 == 0 and number == rounds // 2]
    ]


async def until(database: Database, open_rows: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await fetched(database, OPEN))[0]["rows"] != open_rows:
            await SystemClock().sleep(0.1)


async def test_parked_keys_wait_through_a_kill_and_go_in_order_once_mended(
    replicas: Replicas, fresh_database: str, database: Database, kafka_bootstrap: str, group: str
) -> None:
    workspaces, rounds = [new_id() for _ in range(12)], 30
    reply_to = f"reply.{group}.v1"
    commands = commands_of(workspaces, rounds, reply_to)
    parked = {str(workspace) for workspace in workspaces[::3]}
    late = rounds - rounds // 2  # of each parked key, with the poison itself
    await replicas.start(2)

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        half = len(commands) // 2 + len(workspaces)
        await send(kafka_bootstrap, [wire(group, c) for c in commands[:half]])
        await until_answered(reader, {c.id for c in commands[: half // 2]})
        replicas.kill()
        await send(kafka_bootstrap, [wire(group, c) for c in commands[half:]])
        await until_answered(reader, {c.id for c in commands[half:] if c.key not in parked})
        await until(database, len(parked) * late)

        mended = Replicas(fresh_database, kafka_bootstrap, group, "mended")
        replicas.close()
        try:
            await mended.start(2)
            await until(database, 0)
        finally:
            mended.close()

    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))
    for workspace in workspaces:
        row = await database.fetchrow("SELECT state FROM account WHERE id = $1", workspace)
        sent = [c for c in commands if c.key == str(workspace)]
        assert [UUID(text) for text in row["state"]["commits"]] == reservations(sent)
    letters = [read_headers(r.headers) for r in await all_of(kafka_bootstrap, f"dlq.{group}")]
    poison = {str(c.id) for c in commands if c.key in parked} & {x["ce_id"] for x in letters}
    assert len(poison) == len(parked), "a copy of each first one, for consumers outside"


async def test_rebalances_and_sigterm_leave_nothing_half_done_and_repeat_nothing(
    replicas: Replicas, database: Database, kafka_bootstrap: str, group: str
) -> None:
    """A replica joins and another one leaves while messages flow: each is answered once."""
    workspaces = [new_id() for _ in range(20)]
    reply_to = f"reply.{group}.v1"
    commands = [
        a_command(a_commit_quota(workspace), reply_to=reply_to)
        for _ in range(60)
        for workspace in workspaces
    ]
    await replicas.start(1)

    async with a_reader(kafka_bootstrap, reply_to) as reader:
        await send(kafka_bootstrap, [wire(group, c) for c in commands[:400]])
        joining = asyncio.create_task(replicas.start(1))
        await send(kafka_bootstrap, [wire(group, c) for c in commands[400:800]])
        await joining
        leaver = replicas.running[0]
        await send(kafka_bootstrap, [wire(group, c) for c in commands[800:]])
        leaver.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(leaver.wait, 30) == 0
        await until_answered(reader, {c.id for c in commands})

    await check_effects(database, commands)
    await check_facts(kafka_bootstrap, {str(w) for w in workspaces}, len(commands))
    answers = Counter(decode(r).causation_id for r in await all_of(kafka_bootstrap, reply_to))
    assert set(answers.values()) == {1}, "nothing was handed out twice"
