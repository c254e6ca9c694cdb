"""Nemesis: breaks things while faults last, brings back what died, and heals it all at the end."""

import asyncio
from collections.abc import Callable, Sequence
from math import log

from chassis.testing.simulation.loop import Process, elapse
from chassis.testing.simulation.machines import Machine, Stage

LOOK_S = 0.5
STOP_S = 20.0
OUTAGE_S = 8.0


class Nemesis:
    """Runs in the outside world. `operate` lets an operator do something."""

    def __init__(
        self, stage: Stage, machines: Sequence[Machine], operate: Callable[[], None]
    ) -> None:
        self._stage, self._machines, self._operate = stage, machines, operate
        self._fate = stage.fate
        self._back_at: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Everything that the faults of this seed ask for."""
        faults = self._fate.faults
        for kind, mean, act in (
            ("crash", faults.crash_every_s, self._crash),
            ("freeze", faults.freeze_every_s, self._freeze),
            ("restart", faults.restart_every_s, self._restart),
            ("rebalance", faults.rebalance_every_s, self._rebalance),
            ("outage", faults.outage_every_s, self._outage),
            ("order", faults.order_every_s, self._operate),
        ):
            if mean:
                self._tasks.append(asyncio.ensure_future(self._now_and_then(kind, mean, act)))
        self._tasks.append(asyncio.ensure_future(self._supervise()))

    def heal(self) -> None:
        """No more faults; whoever is down or frozen comes back."""
        self._fate.heal()
        self._stage.kafka.recover()
        for machine in self._machines:
            machine.process.frozen_until = 0.0
            if not machine.up:
                machine.boot()

    async def _now_and_then(self, kind: str, mean_s: float, act: Callable[[], None]) -> None:
        while not self._fate.healed:
            await elapse(-mean_s * log(1 - self._fate.within(1)))
            if self._fate.fires(kind, 1.0):
                act()

    async def _supervise(self) -> None:
        """What died is started again after a while, as a supervisor does."""
        while True:
            await elapse(LOOK_S)
            now = self._stage.loop.time()
            for machine in self._machines:
                if machine.up:
                    self._back_at.pop(machine.name, None)
                elif now >= self._back_at.setdefault(
                    machine.name, now + self._fate.within(self._fate.faults.down_s)
                ):
                    machine.boot()

    def _up(self) -> list[Machine]:
        return [machine for machine in self._machines if machine.up]

    def _crash(self) -> None:
        if up := self._up():
            self._fate.pick(up).die()

    def _freeze(self) -> None:
        if up := self._up():
            self._fate.pick(up).freeze(self._fate.within(self._fate.faults.freeze_s))

    def _restart(self) -> None:
        if up := self._up():
            machine = self._fate.pick(up)
            process = machine.process
            self._stage.loop.spawn(process, machine.stop())
            self._stage.loop.outside_later(STOP_S, self._kill, machine, process)

    def _kill(self, machine: Machine, process: Process) -> None:
        """Whoever does not stop in time is killed."""
        if machine.process is process and process.alive:
            machine.die()

    def _rebalance(self) -> None:
        if up := [machine for machine in self._up() if machine.subscriptions]:
            self._fate.pick(self._fate.pick(up).subscriptions).leave()

    def _outage(self) -> None:
        self._stage.kafka.up = False
        self._stage.loop.outside_later(self._fate.within(OUTAGE_S), self._stage.kafka.recover)
