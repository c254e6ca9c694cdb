"""World: one simulated platform, from its start through its faults until it is at rest."""

import asyncio
import gc
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span

from chassis.clock import new_id, rolling
from chassis.context import trusted_context
from chassis.errors import Conflict, Rejected, Unavailable
from chassis.saga.definition import Definitions, Saga
from chassis.stores.migrate import CHASSIS, Migrations, migrations_of
from chassis.testing.simulation.acts import SimMoved, SimTouch
from chassis.testing.simulation.checker import Violation, check, restless
from chassis.testing.simulation.clock import START, SimClock, SimDice
from chassis.testing.simulation.faults import Fate, swarm
from chassis.testing.simulation.kafka import SimKafka
from chassis.testing.simulation.loop import SimLoop, Stuck
from chassis.testing.simulation.machines import (
    SHARDS,
    Machine,
    OrchestratorMachine,
    ParticipantMachine,
    Stage,
)
from chassis.testing.simulation.nemesis import Nemesis
from chassis.testing.simulation.operators import Operators, made_up_answer
from chassis.testing.simulation.participants import (
    Business,
    Participant,
    observer,
    participants_of,
)
from chassis.testing.simulation.postgres import SimPostgres
from chassis.testing.simulation.scenario import Scenario
from contracts.base import Event, Message, answer_of

STEPS_MAX = 3_000_000
SECONDS_MAX = 2 * 3600.0
ANSWER_S = 8.0
_UNSAMPLED = NonRecordingSpan(SpanContext(1, 1, is_remote=True))
"""Nobody looks at traces of simulated messages."""

CLIENTS = 0xACE
"""Whose sagas they are: each has an actor of its own, from here on."""

BURSTS = 5
"""Sagas are started so many at a time together: chunks hold several, as under load."""

REST_S = 2.0
DEEDS = Migrations(Path(__file__).parent / "migrations", "alembic_version_sim")
ENGINE = Path(__file__).parents[3] / "services" / "orchestrator"
"""Where the migrations of the engine's tables are."""


@dataclass
class Outcome:
    """What became of one seed's world."""

    seed: int
    sagas: dict[str, int] = field(default_factory=dict)  # by status
    violations: list[Violation] = field(default_factory=list)
    fired: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0
    digest: str = ""


class World:
    """Everything of one seed. `run` it once."""

    def __init__(self, scenario: Scenario, seed: int, only: frozenset[int] | None = None) -> None:
        self.scenario, self.seed = scenario, seed
        self.dice = Random(f"world {seed}")  # noqa: S311  # reproducible on purpose
        faults = scenario.faults
        if faults is None:
            faults = swarm(Random(f"swarm {seed}"), scenario.stress)  # noqa: S311
        self.fate = Fate(faults, Random(f"fate {seed}"), only)  # noqa: S311
        self.loop = SimLoop(  # type: ignore[abstract]  # what nobody here uses is missing
            Random(f"order {seed}"),  # noqa: S311
            steps_max=STEPS_MAX,
            seconds_max=SECONDS_MAX,
        )
        self._clock = SimClock(self.loop)
        self.operators = Operators(self, self.dice)
        self._moment = 0.0, START
        self.kafka = SimKafka(self.loop, partitions=SHARDS)
        self.stage = Stage(self.loop, self.kafka, self.fate)
        self.definitions = Definitions(scenario.sagas)
        self.servers: dict[str, SimPostgres] = {}
        self.machines: list[Machine] = []
        self.participants: list[Participant] = []
        self.started: dict[UUID, Saga] = {}  # by actor
        self.touched: list[UUID] = []
        self.unwatched: set[str] = set()  # steps of which no deeds are written down
        self._build()

    def run(self) -> Outcome:
        """Until it is at rest, and judged."""
        outcome = Outcome(self.seed)
        tracked = gc.isenabled()
        gc.disable()  # nothing that died is to be cleaned up while the world goes on
        try:
            dice = SimDice(self.loop, Random(f"ids {self.seed}"))  # noqa: S311
            with rolling(dice), use_span(_UNSAMPLED):
                try:
                    self.loop.run(self._main())
                except Stuck as stuck:
                    outcome.violations.append(Violation("L1 stuck", str(stuck)))
                except Exception as error:
                    outcome.violations.append(Violation("L0 a client got an error", repr(error)))
            outcome.violations += self.judged()
        finally:
            if tracked:
                gc.enable()
        outcome.fired = self.fate.fired
        outcome.seconds, outcome.steps = self.loop.time(), self.loop.steps
        for row in self.rows("orchestrator", "saga_instance"):
            outcome.sagas[row["status"]] = outcome.sagas.get(row["status"], 0) + 1
        outcome.digest = self._digest()
        return outcome

    def rows(self, service: str, table: str) -> list[dict[str, Any]]:
        """A table as it lies there, rows by column."""
        return self.servers[service].rows(table)

    @property
    def started_at(self) -> datetime:
        """The moment that the world's second 0 is."""
        return START

    # --- what a world of real services does differently

    async def prepare(self) -> None:
        """What there is before the faults begin."""

    def start_of(self, saga: Saga) -> Message:
        """A starting command."""
        return self.scenario.start_of(saga, self.dice)

    def attested(self, saga: Saga, index: int, row: dict[str, Any]) -> dict[str, Any] | None:
        """The answer of a step that an operator says is done; None: nobody would say so."""
        return made_up_answer(saga, index, row)

    def restless(self) -> str:
        """What is still under way; "" when the world is at rest."""
        return restless(self)

    def judged(self) -> list[Violation]:
        """What is found wrong in the end."""
        return check(self)

    # --- private: putting together

    def _build(self) -> None:
        scenario = self.scenario
        business = Business(
            str(self.seed), scenario.refusals, scenario.bugs, lambda: self.fate.healed
        )
        self.participants = participants_of(self.scenario.sagas, business)
        facts = sorted({event.address.topic for event in _facts(self.scenario.sagas)})
        if self.scenario.observed:
            self.participants.append(observer((*facts, SimMoved.address.topic), business))
        for participant in self.participants:
            self.servers[participant.name] = SimPostgres(self._now, (CHASSIS, DEEDS))
        self.servers["orchestrator"] = SimPostgres(self._now, migrations_of(ENGINE))
        for number in range(self.scenario.replicas):
            name = f"orchestrator-{number}"
            server = self.servers["orchestrator"]
            self.machines.append(OrchestratorMachine(self.stage, name, self.definitions, server))
            for participant in self.participants:
                name = f"{participant.name}-{number}"
                server = self.servers[participant.name]
                self.machines.append(ParticipantMachine(self.stage, name, participant, server))

    def _now(self) -> datetime:
        seconds = self.loop.time()
        if seconds != self._moment[0]:
            self._moment = seconds, START + timedelta(seconds=seconds)
        return self._moment[1]

    # --- private: its life

    async def _main(self) -> None:
        for machine in self.machines:
            machine.boot()
        nemesis = Nemesis(self.stage, self.machines, self.operators.act)
        await self.prepare()
        nemesis.start()
        await self._clock.sleep(3.0)
        clients = [
            asyncio.ensure_future(self._begin(number)) for number in range(self.scenario.starts)
        ]
        clients += [
            asyncio.ensure_future(self._touch(number)) for number in range(self.scenario.touches)
        ]
        await self._clock.sleep(self.scenario.faults_last_s)
        nemesis.heal()
        await asyncio.gather(*clients)
        await self._clock.sleep(self.scenario.hold_s)
        await self.operators.settle()
        while self.restless():
            await self._clock.sleep(REST_S)
        await self._clock.sleep(max(0.0, self.loop.late_at - self.loop.time()) + REST_S)
        while self.restless():  # what was under way all the time has arrived
            await self._clock.sleep(REST_S)

    async def _begin(self, number: int) -> None:
        """One client: starts a saga, and asks again until it is answered."""
        definitions = self.definitions
        starts = definitions.starts()
        saga = definitions.started_by(starts[number % len(starts)])
        actor_id = UUID(int=CLIENTS << 64 | number)
        command_id = new_id()
        self.started[actor_id] = saga
        burst = int(self.dice.random() * BURSTS) / BURSTS
        await self._clock.sleep(burst * self.scenario.start_within_s)
        await self.send(self.start_of(saga), command_id, actor_id)

    async def _touch(self, number: int) -> None:
        """Another client: changes a thing that a participant has, until it is answered."""
        await self._clock.sleep(self.dice.random() * self.scenario.faults_last_s)
        participant = self.dice.choice([p for p in self.participants if p.stores])
        table = next(iter(participant.stores.values())).table
        rows = self.rows(participant.name, table)
        if rows:
            command = SimTouch(key_text=self.dice.choice(rows)["id"], touch_id=new_id())
            self.touched.append(command.touch_id)
            await self.send(command, new_id(), None, participant.name)

    async def send(
        self,
        command: Message,
        command_id: UUID,
        actor_id: UUID | None,
        service: str = "orchestrator",
    ) -> None:
        workspace_id = getattr(command, "workspace_id", None)
        context = trusted_context(actor_id=actor_id, workspace_id=workspace_id)
        while True:
            machine = self.dice.choice([m for m in self.machines if m.service == service])
            if machine.up and machine.chunk is not None:
                answer = self.loop.spawn(
                    machine.process,
                    machine.chunk.execute(command, context, command_id),  # type: ignore[arg-type]
                )
                await asyncio.wait({answer}, timeout=ANSWER_S)
                if answer.done() and not answer.cancelled():
                    error = answer.exception()
                    if error is None or isinstance(error, Rejected):
                        return
                    if not isinstance(error, Unavailable | Conflict):
                        raise error
            await self._clock.sleep(0.5)

    def _digest(self) -> str:
        """Equal worlds have equal logs and equal histories."""
        digest = blake2b(digest_size=16)
        for place in sorted(self.kafka.logs):
            digest.update(f"{place}".encode())
            for record in self.kafka.logs[place]:
                digest.update(
                    b"%d %b %b" % (record.timestamp, record.key or b"", record.value or b"")
                )
        for row in self.rows("orchestrator", "saga_event"):  # in the order of their commits
            digest.update(f"{row['saga_id']} {row['version']} {row['happened']}".encode())
        digest.update(f"{self.loop.time():.6f} {self.loop.steps}".encode())
        return digest.hexdigest()


def _facts(sagas: tuple[Saga, ...]) -> list[type[Message]]:
    """The events that the steps of these sagas answer."""
    steps = [step for saga in sagas for step in saga.steps]
    commands = [step.command for step in steps]
    commands += [step.compensation for step in steps if step.compensation is not None]
    return [answer for command in commands if issubclass(answer := answer_of(command), Event)]
