"""Time, ids and chance of a simulated world, for chassis.clock."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from chassis.clock import shaped_id
from chassis.testing.simulation.loop import PROCESS, SimLoop, elapse

START = datetime(2026, 1, 1, tzinfo=UTC)


class SimClock:
    """A process's clock: the loop's time, off by what the process is off."""

    def __init__(self, loop: SimLoop, offset_s: float = 0.0) -> None:
        self._loop = loop
        self._start = START + timedelta(seconds=offset_s)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await elapse(seconds)


class SimDice:
    """Fulfils chassis.clock's Dice: ids and chance from the seed."""

    def __init__(self, loop: SimLoop, dice: Random) -> None:
        self._loop, self._dice = loop, dice
        self._count = 0

    def next_id(self) -> UUID:
        self._count += 1
        offset_s = PROCESS.get(self._loop.outside).clock_offset_s
        ms = int((START.timestamp() + self._loop.time() + offset_s) * 1000)
        return shaped_id(ms, self._count, self._dice.getrandbits(62))

    def chance(self) -> float:
        return self._dice.random()
