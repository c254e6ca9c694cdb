"""Two replicas, zombies, crashes and changing luck: every effect once, each key in order."""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from chassis.clock import SystemClock, new_id
from chassis.messaging.envelope import Envelope
from chassis.parking.loop import LoopLimits
from chassis.stores.postgres import Database
from tests.chassis.parking.yard import Mood, Yard, a_commit, a_yard, reservations

KEYS = 6
MESSAGES = 100
KINDS = [UUID(int=number) for number in range(1, 9)]
RESTLESS = LoopLimits(
    poll_s=0.005, lease_s=0.2, pause_s=0.002, pause_max_s=0.05, conflict_s=0.001, batch=8
)
PATIENCE_S = 60.0


@dataclass
class Turmoil:
    """A partition that is consumed by two replicas, which do not always know of each other."""

    dice: random.Random
    mood: Mood
    replicas: list[Yard]
    commands: list[Envelope]
    zombies: set[asyncio.Task[None]] = field(default_factory=set)
    crashes: int = 0

    async def consume(self) -> None:
        """From the first record to the last, at least once each."""
        records = self.replicas[0].records(self.commands)
        done = 0
        while done < len(records):
            self._change_luck()
            size = self.dice.randint(1, 6)
            chunk = records[done : done + size]
            owner = self.dice.choice(self.replicas)
            task = asyncio.create_task(owner.chunk(chunk))
            fate = self.dice.random()
            if fate < 0.2:
                await self._crash(task)
            elif fate < 0.35:  # it goes on, although the partition is another's by now
                self.zombies.add(task)
            else:
                await task
                done += size
        await asyncio.gather(*self.zombies)

    async def _crash(self, task: "asyncio.Task[None]") -> None:
        await asyncio.wait({task}, timeout=self.dice.random() * 0.02)
        self.crashes += task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _change_luck(self) -> None:
        if self.dice.random() < 0.3:
            bad = self.dice.sample(KINDS, 2)
            self.mood.failing = {kind: RuntimeError("a bug") for kind in bad}

    async def keep_retrying(self, yard: Yard) -> None:
        """The replica's loop, killed now and then."""
        while True:
            task = asyncio.create_task(yard.keys.run())
            try:
                await asyncio.wait({task}, timeout=0.05 + self.dice.random() * 0.5)
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def meanwhile(work: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]) -> None:
    """Do `work` while the others run."""
    tasks = [asyncio.create_task(other) for other in others]
    try:
        await work
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_free(yard: Yard) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while set(await yard.rows()) - {"handled"}:
            await SystemClock().sleep(0.05)


@pytest.mark.parametrize("number", [1, 2])
async def test_each_key_keeps_its_order_and_each_effect_is_one(
    database: Database, number: int
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)  # shown when it fails
    dice, mood = random.Random(seed), Mood()
    replicas = [a_yard(database, mood=mood, loop=RESTLESS) for _ in range(2)]
    workspaces = [new_id() for _ in range(KEYS)]
    sent = {workspace: list[Envelope]() for workspace in workspaces}
    for _ in range(MESSAGES):
        workspace = dice.choice(workspaces)
        sent[workspace].append(a_commit(workspace, dice.choice(KINDS)))
    order = [w for w, commands in sent.items() for _ in commands]
    dice.shuffle(order)
    queues = {workspace: iter(commands) for workspace, commands in sent.items()}
    turmoil = Turmoil(dice, mood, replicas, [next(queues[w]) for w in order])

    async with asyncio.timeout(PATIENCE_S):
        await meanwhile(turmoil.consume(), *(turmoil.keep_retrying(yard) for yard in replicas))
    mood.failing = {}
    await meanwhile(until_free(replicas[0]), *(yard.keys.run() for yard in replicas))

    for workspace, commands in sent.items():
        assert await replicas[0].commits(workspace) == reservations(commands)
    assert turmoil.crashes + len(turmoil.zombies) > 0
    assert await replicas[0].rows()
