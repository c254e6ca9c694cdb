"""What goes wrong in a simulated world, how often, and the record of what did.

Swarm testing: a seed switches some kinds of faults on, each with an intensity of its own, and
leaves the others out (Groce et al., ISSTA 2012). Every fault that fires has a number, so that a
world can be run again with only some of its faults: that is how a failure is shrunk.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from random import Random
from typing import TypeVar

from chassis.errors import Unanswered, Unavailable
from chassis.testing.simulation.loop import SimLoop, elapse

T = TypeVar("T")

LATENCY_S = 0.0005


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each kind is, per call or per row batch; 0 is never. `..._every_s` is a mean."""

    crash_in_call: float = 0.0  # the process dies right before or right after a store's work
    refused: float = 0.0  # a store refuses before it does anything
    unanswered: float = 0.0  # a store does its work, and its answer is lost
    slow: float = 0.0  # a call or a message takes up to `slow_s`
    slow_s: float = 0.0
    send_lost: float = 0.0
    send_unconfirmed: float = 0.0
    send_twice: float = 0.0
    reorder: float = 0.0  # commands and answers of a batch are overtaken by later ones
    crash_every_s: float = 0.0
    down_s: float = 0.0  # until a crashed process is back, at most
    freeze_every_s: float = 0.0
    freeze_s: float = 0.0
    restart_every_s: float = 0.0  # orderly, by SIGTERM
    rebalance_every_s: float = 0.0
    outage_every_s: float = 0.0  # Kafka is away
    order_every_s: float = 0.0  # an operator does something
    clock_offset_s: float = 0.0


NONE = Faults()

_MOST = Faults(
    crash_in_call=0.01,
    refused=0.02,
    unanswered=0.02,
    slow=0.1,
    slow_s=20.0,
    send_lost=0.03,
    send_unconfirmed=0.03,
    send_twice=0.1,
    reorder=0.05,
    crash_every_s=6.0,
    down_s=12.0,
    freeze_every_s=10.0,
    freeze_s=15.0,
    restart_every_s=15.0,
    rebalance_every_s=8.0,
    outage_every_s=25.0,
    order_every_s=4.0,
    clock_offset_s=90.0,
)
_BOUNDS = {"slow_s", "down_s", "freeze_s"}


def swarm(dice: Random, stress: float = 1.0) -> Faults:
    """Some kinds of faults, each as strong as the seed wants it, `stress` times as often."""
    chosen: dict[str, float] = {}
    for field in fields(Faults):
        most = getattr(_MOST, field.name)
        if field.name in _BOUNDS:
            chosen[field.name] = most * (0.1 + 0.9 * dice.random())
        elif field.name.endswith("_every_s"):
            on = dice.random() < 0.35
            chosen[field.name] = most * (1 + 4 * dice.random()) / stress if on else 0.0
        else:
            on = dice.random() < 0.4
            often = 1.0 if field.name == "clock_offset_s" else stress
            chosen[field.name] = most * dice.random() ** 2 * often if on else 0.0
    return Faults(**chosen)


class Fate:
    """Throws the dice for faults. `fired` has the number and the kind of each that happened;
    with `only`, no other one happens. After `heal` nothing goes wrong any more."""

    def __init__(self, faults: Faults, dice: Random, only: frozenset[int] | None = None) -> None:
        self.faults = faults
        self.fired: list[tuple[int, str]] = []
        self.healed = False
        self._dice = dice
        self._only = only
        self._count = 0

    def fires(self, kind: str, probability: float) -> bool:
        if self.healed or not probability:
            return False
        self._count += 1
        if self._dice.random() >= probability:
            return False
        if self._only is not None and self._count not in self._only:
            return False
        self.fired.append((self._count, kind))
        return True

    def heal(self) -> None:
        self.healed = True

    def within(self, seconds: float) -> float:
        return self._dice.random() * seconds

    def pick(self, choices: list[T]) -> T:
        return choices[int(self._dice.random() * len(choices))]


class SimLink:
    """A process's connection to a store: latency, refusals, lost answers, sudden death."""

    def __init__(self, loop: SimLoop, fate: Fate, die: Callable[[], None]) -> None:
        self._loop, self._fate, self._die = loop, fate, die
        faults = fate.faults
        chances = (faults.slow, faults.crash_in_call, faults.refused, faults.unanswered)
        self._quiet = not any(chances)

    async def call(self, what: str, apply: Callable[[], T]) -> T:
        """Raises Unavailable (nothing happened), Unanswered (it did), or what `apply` raises."""
        fate = self._fate
        if self._quiet or fate.healed:
            await elapse(LATENCY_S)
            done = apply()
            await elapse(0)
            return done
        faults = fate.faults
        if fate.fires("slow call", faults.slow / 10):
            return await self._under_way(apply)
        await elapse(LATENCY_S)
        if fate.fires("crash before", faults.crash_in_call / 2):
            await self._end()
        if fate.fires("refused", faults.refused):
            raise Unavailable("postgres: simulated")
        done = apply()
        if fate.fires("crash after", faults.crash_in_call / 2):
            await self._end()
        await elapse(0)
        if fate.fires("unanswered", faults.unanswered):
            raise Unanswered("postgres: simulated")
        return done

    async def outside(self, what: str, apply: Callable[[], T]) -> T:
        """The same to a server that is not ours, far away: slow much more often."""
        if self._fate.fires("slow outside", 2 * self._fate.faults.slow):
            return await self._under_way(apply)
        return await self.call(what, apply)

    async def _under_way(self, apply: Callable[[], T]) -> T:
        """A request on a slow network: it arrives, whatever becomes of who sent it."""
        answer: asyncio.Future[T] = self._loop.create_future()

        def arrive() -> None:
            if self._fate.fires("crash while slow", 3 * self._fate.faults.crash_in_call):
                self._die()
                return
            try:
                done = apply()
            except Exception as error:
                if not answer.done():
                    answer.set_exception(error)
                return
            if not answer.done():
                answer.set_result(done)

        self._loop.arrives_later(self._fate.within(self._fate.faults.slow_s), arrive)
        return await answer

    async def _end(self) -> None:
        """The process dies here."""
        self._die()
        await self._loop.create_future()


class SimDelivery:
    """A producer's way to the logs."""

    def __init__(self, fate: Fate) -> None:
        self._fate, faults = fate, fate.faults
        sends = (
            ("send lost", faults.send_lost),
            ("send unconfirmed", faults.send_unconfirmed),
            ("send twice", faults.send_twice),
        )
        self._sends = [(name, probability) for name, probability in sends if probability]

    def delay_s(self) -> float:
        fate = self._fate
        if fate.fires("slow message", fate.faults.slow):
            return fate.within(fate.faults.slow_s)
        return 0.001

    def overtaken_s(self) -> float:
        """For how long what is sent later may arrive earlier; mostly 0."""
        fate = self._fate
        if fate.fires("reorder", fate.faults.reorder):
            return fate.within(20.0)
        return 0.0

    def fate(self) -> str:
        fate = self._fate
        if not fate.healed:
            for name, probability in self._sends:
                if fate.fires(name, probability):
                    return name.removeprefix("send ")
        return "ok"
