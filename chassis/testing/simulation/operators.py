"""Operators of a simulated platform: verbs at random while faults last, and order at the end."""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from chassis.clock import new_id
from chassis.saga.definition import Saga, fields_of
from chassis.saga.inputs import Verb
from chassis.testing.saga import success_of
from chassis.testing.simulation.acts import SimOrder, SimSignal
from chassis.testing.simulation.checker import json_of
from contracts.base import answer_of

if TYPE_CHECKING:
    from chassis.testing.simulation.world import World

ROUNDS_MAX = 200
APPROVALS = 0.7
FINAL = 0.3
"""How many of the orders end something for good: a step by hand, or all of it."""

Row = dict[str, Any]  # a table's row by column


class Operators:
    """They look at the sagas' table, choose one, and order something."""

    def __init__(self, world: "World", dice: Random) -> None:
        self._world, self._dice = world, dice
        self._under_way: list[asyncio.Task[None]] = []

    def act(self) -> None:
        """One order, to a saga of which there is a row."""
        rows = self._world.rows("orchestrator", "saga_instance")
        if not rows:
            return
        under_way = [row for row in rows if _open(row)]
        if under_way and self._dice.random() < FINAL:
            order = self._final(self._dice.choice(under_way))
        else:
            order = SimOrder(saga_id=self._dice.choice(rows)["id"], verb=self._dice.choice(_VERBS))
        self._under_way.append(asyncio.ensure_future(self._world.send(order, new_id(), None)))

    def _final(self, row: Row) -> SimOrder:
        """Abandon it; or attest that the step under way is done (or undone) by hand."""
        if self._dice.random() < 0.5:
            return SimOrder(saga_id=row["id"], verb=Verb.ABANDON.value)
        saga = self._world.definitions.get(row["type"], row["definition_version"])
        index = min(row["cursor"], len(saga.steps) - 1)
        fields = self._world.attested(saga, index, row)
        if fields is None:
            return SimOrder(saga_id=row["id"], verb=Verb.RETRY.value)
        step, version = saga.steps[index].name, row["version"]
        return SimOrder(
            saga_id=row["id"], verb=Verb.SKIP.value, step=step, fields=fields, version=version
        )

    async def settle(self) -> None:
        """What was ordered is done; nothing stays paused, nobody is left without an answer."""
        await asyncio.gather(*self._under_way)
        for _ in range(ROUNDS_MAX):
            left = self._world.rows("orchestrator", "saga_instance")
            paused = [row["id"] for row in left if row["status"] == "PAUSED"]
            asking = [row["id"] for row in left if row["phase"] == "APPROVAL" and _open(row)]
            if not paused and not asking:
                return
            for saga_id in paused:
                order = SimOrder(saga_id=saga_id, verb=Verb.RESUME.value)
                await self._world.send(order, new_id(), None)
            for saga_id in asking:
                approved = self._dice.random() < APPROVALS
                signal = SimSignal(saga_id=saga_id, approved=approved)
                await self._world.send(signal, new_id(), None)


_VERBS = (
    *[Verb.RETRY.value] * 4,
    *[Verb.PAUSE.value] * 3,
    *[Verb.RESUME.value] * 3,
    *[Verb.COMPENSATE.value] * 2,
)


def made_up_answer(saga: Saga, index: int, row: Row) -> dict[str, Any]:  # JSON
    """What the step's answer would have said, as far as the saga does not know it."""
    command, data = saga.steps[index].command, json_of(row["state"])["data"]
    answer = success_of(command, data).model_dump(mode="json")
    return {name: answer[name] for name in fields_of(answer_of(command)) if name not in data}


def _open(row: Row) -> bool:
    return row["next_wake_at"] is not None
