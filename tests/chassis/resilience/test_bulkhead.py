"""Bulkhead under a virtual clock."""

import asyncio

import pytest

from chassis.resilience.bulkhead import Bulkhead, BulkheadFull
from chassis.testing.clock import VirtualClock


class Room:
    """A bulkhead with people in it."""

    def __init__(self, calls_max: int = 2, queue_max: int = 1, wait_s: float = 1.0) -> None:
        self.clock = VirtualClock()
        self.bulkhead = Bulkhead(
            "room", self.clock, calls_max=calls_max, queue_max=queue_max, wait_s=wait_s
        )
        self.inside: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}

    async def enter(self, name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._stay(name))
        await self.clock.settle()
        return task

    async def leave(self, name: str) -> None:
        self.doors[name].set()
        await self.clock.settle()

    async def _stay(self, name: str) -> None:
        self.doors[name] = asyncio.Event()
        async with self.bulkhead.place():
            self.inside.append(name)
            await self.doors[name].wait()


async def close(room: Room, *tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_so_many_at_a_time_and_the_next_when_one_leaves() -> None:
    room = Room()
    tasks = [await room.enter(name) for name in "abc"]

    before = list(room.inside)
    await room.leave("a")

    assert (before, room.inside) == (["a", "b"], ["a", "b", "c"])
    await close(room, *tasks)


async def test_a_full_queue_refuses_at_once() -> None:
    room = Room()
    tasks = [await room.enter(name) for name in "abcd"]

    with pytest.raises(BulkheadFull, match="its queue is full"):
        await tasks[3]
    await close(room, *tasks)


async def test_who_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    room = Room()
    tasks = [await room.enter(name) for name in "abc"]

    await room.clock.pass_time(1.0)

    with pytest.raises(BulkheadFull, match="no place in time"):
        await tasks[2]
    assert room.bulkhead.waiting == 0
    await close(room, *tasks)


async def test_a_cancelled_waiter_loses_no_place() -> None:
    room = Room(calls_max=1)
    first = await room.enter("a")
    waiter = await room.enter("b")

    waiter.cancel()
    await room.clock.settle()
    await room.leave("a")
    third = await room.enter("c")

    assert room.inside == ["a", "c"]
    assert room.bulkhead.in_use == 1
    await close(room, first, waiter, third)
    assert room.bulkhead.in_use == 0
