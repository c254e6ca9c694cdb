"""The loop of a simulated world: virtual time, the seed's order, death without cleanup."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from chassis.clock import chance, new_id, rolling
from chassis.testing.simulation.clock import SimDice
from chassis.testing.simulation.loop import Process, SimLoop, Stuck


def a_loop(seed: int = 1, *, steps_max: int = 10_000, seconds_max: float = 1e6) -> SimLoop:
    return SimLoop(Random(seed), steps_max=steps_max, seconds_max=seconds_max)  # type: ignore[abstract]


async def sleeping(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_time_jumps_to_the_next_timer() -> None:
    loop = a_loop()

    loop.run(sleeping(100_000))

    assert loop.time() == pytest.approx(100_000)


def test_timers_fire_in_their_order() -> None:
    loop = a_loop()
    fired: list[float] = []

    async def main() -> None:
        for seconds in (3, 1, 2):
            loop.call_later(seconds, fired.append, seconds)
        await asyncio.sleep(4)

    loop.run(main())

    assert fired == [1, 2, 3]


def _turns(seed: int) -> str:
    """Which of three processes had its turn when."""
    loop = a_loop(seed)
    turns: list[str] = []

    async def work(name: str) -> None:
        for _ in range(20):
            turns.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        tasks = [loop.spawn(Process(name), work(name)) for name in "abc"]
        await asyncio.gather(*tasks)

    loop.run(main())
    return "".join(turns)


def test_the_seed_decides_which_process_has_its_turn() -> None:
    assert _turns(1) == _turns(1)
    assert len({_turns(seed) for seed in range(5)}) == 5


def test_nobody_starves() -> None:
    assert {name: _turns(3).count(name) for name in "abc"} == {"a": 20, "b": 20, "c": 20}
    assert max(len(run) for run in _turns(3).replace("b", "a").split("c")) < 40


def test_a_crash_runs_no_cleanup() -> None:
    loop, process = a_loop(), Process("victim")
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            cleaned.append("cleaned up")

    async def main() -> None:
        loop.spawn(process, work())
        await asyncio.sleep(1)
        loop.crash(process)
        await asyncio.sleep(100)

    loop.run(main())

    assert cleaned == []


def test_what_a_dead_process_was_told_does_not_wake_it() -> None:
    loop, process = a_loop(), Process("victim")
    woken: list[str] = []

    async def work(future: "asyncio.Future[None]") -> None:
        await future
        woken.append("woken")

    async def main() -> None:
        future: asyncio.Future[None] = loop.create_future()
        loop.spawn(process, work(future))
        await asyncio.sleep(1)
        loop.crash(process)
        future.set_result(None)
        await asyncio.sleep(1)

    loop.run(main())

    assert woken == []


def test_a_frozen_process_goes_on_after_its_thaw() -> None:
    loop, process = a_loop(), Process("sleeper")
    at: list[float] = []

    async def work() -> None:
        await asyncio.sleep(2)
        at.append(loop.time())

    async def main() -> None:
        loop.spawn(process, work())
        await asyncio.sleep(1)
        loop.freeze(process, 30)
        await asyncio.sleep(100)

    loop.run(main())

    assert at == [pytest.approx(31)]


@pytest.mark.parametrize(
    ("loop", "seconds"), [(a_loop(steps_max=50), 0.0), (a_loop(seconds_max=60), 50.0)]
)
def test_a_world_that_does_not_end_is_stuck(loop: SimLoop, seconds: float) -> None:
    async def main() -> None:
        while loop.time() < float("inf"):
            await sleeping(seconds)

    with pytest.raises(Stuck):
        loop.run(main())


def test_waiting_for_what_never_comes_is_being_stuck() -> None:
    loop = a_loop()

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(Stuck, match="nobody is ready"):
        loop.run(main())


def test_an_error_that_nobody_awaits_is_kept() -> None:
    loop = a_loop()

    def broken() -> None:
        raise ValueError("simulated")

    async def main() -> None:
        loop.call_soon(broken)
        await asyncio.sleep(1)

    with pytest.raises(ValueError, match="simulated"):
        loop.run(main())


def _ids(seed: int) -> list[Any]:
    loop = a_loop()

    async def main() -> list[Any]:
        await asyncio.sleep(5)
        return [new_id(), new_id(), chance()]

    story: Coroutine[Any, Any, list[Any]] = main()
    with rolling(SimDice(loop, Random(seed))):
        return list(loop.run(story))


def test_ids_and_chance_are_the_seeds() -> None:
    assert _ids(1) == _ids(1)
    assert set(_ids(1)).isdisjoint(_ids(2))
    assert _ids(1) == [*sorted(_ids(1)[:2]), _ids(1)[2]]
