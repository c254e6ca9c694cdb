"""Watching: nudges make it quick, polling makes it certain."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chassis.errors import Unavailable
from services.gateway.watch import Nudges, Watch


def asking(*answers: int | Exception) -> Callable[[], Awaitable[int]]:
    """Answers one after the other; the last one for ever."""
    left = list(answers)

    async def ask() -> int:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


async def seen(watch: Watch, ask: Callable[[], Awaitable[int]], end: int) -> list[int]:
    async with asyncio.timeout(5):
        snapshots = watch.snapshots(ask, "s", version=lambda v: v, ended=lambda v: v == end)
        return [snapshot async for snapshot in snapshots]


async def test_what_does_not_differ_is_not_shown_again() -> None:
    watch = Watch(Nudges(), 0.001, 0.002)

    assert await seen(watch, asking(1, 1, 1, 2, 2, 3), end=3) == [1, 2, 3]


async def test_a_nudge_is_enough_without_any_poll() -> None:
    nudges, value = Nudges(), 1
    watch = Watch(nudges, 60, 60)

    async def ask() -> int:
        return value

    watching = asyncio.create_task(seen(watch, ask, end=2))
    await asyncio.wait({watching}, timeout=0.05)
    nudges.nudge("another")
    value = 2
    nudges.nudge("s")

    assert await watching == [1, 2]


async def test_a_nudge_while_the_question_is_on_its_way_is_not_lost() -> None:
    nudges, values = Nudges(), [1, 2]
    watch = Watch(nudges, 60, 60)

    async def ask() -> int:
        nudges.nudge("s")  # it changes between the answer and the wait
        return values.pop(0)

    assert await seen(watch, ask, end=2) == [1, 2]


async def test_an_owner_that_is_down_is_asked_again_once_it_had_answered() -> None:
    watch = Watch(Nudges(), 0.001, 0.002)

    assert await seen(watch, asking(1, Unavailable("x"), Unavailable("x"), 2), end=2) == [1, 2]
    with pytest.raises(Unavailable):
        await seen(watch, asking(Unavailable("x")), end=2)


async def test_nobody_is_remembered_who_has_left() -> None:
    nudges = Nudges()

    await seen(Watch(nudges, 0.001, 0.002), asking(1), end=1)

    assert nudges._waiting == {}
