"""RealWorld: a simulated platform of all of Basalt's services."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chassis.clock import new_id
from chassis.saga import Saga
from chassis.saga.inputs import Fact
from chassis.saga.state import SagaState
from chassis.stores.migrate import migrations_of
from chassis.testing.simulation.checker import Violation, json_of
from chassis.testing.simulation.machines import OrchestratorMachine
from chassis.testing.simulation.participants import Business, Participant, participants_of
from chassis.testing.simulation.postgres import SimPostgres
from chassis.testing.simulation.world import DEEDS, ENGINE, Outcome, World
from contracts.base import Message
from services.orchestrator import model
from services.studio.store import contents, graphs
from tests.simulation.real.drafts import broken_drafts
from tests.simulation.real.evidence import found_wrong
from tests.simulation.real.machines import (
    ANSWERED_LATER,
    SERVICES,
    CacheOfEach,
    Outlives,
    RealMachine,
)
from tests.simulation.real.money import money_moved
from tests.simulation.real.people import People

FOLDER = Path(__file__).parents[3] / "services"
TRIGGERS = ("billing_balanced", "billing_append_only")
"""Not simulated: `basalt check` asks the same of the ledger."""

CACHES = (
    (contents, "SECTION_CACHE"),
    (contents, "MANIFEST_CACHE"),
    (graphs, "READING_CACHE"),
    (graphs, "GRAPH_CACHE"),
)
"""A process's own, which ends with it."""


class RealOrchestrator(OrchestratorMachine):
    """With the public events of the real one."""

    @staticmethod
    def announce(saga: Saga, state: SagaState, fact: Fact) -> Message:
        return model.announce(saga, state, fact)


class RealWorld(World):
    """Activity, billing, delivery, identity and studio; their people; the payment provider."""

    def _build(self) -> None:
        scenario = self.scenario
        self.outlives = Outlives()
        self.people = People(self)
        business = Business(
            str(self.seed), scenario.refusals, scenario.bugs, lambda: self.fate.healed
        )
        made_up = {each.name: each for each in participants_of(scenario.sagas, business)}
        self.participants = [made_up.get(name) or Participant(name) for name in SERVICES]
        self.unwatched = {
            step.name
            for saga in scenario.sagas
            for step in saga.steps
            if step.command in ANSWERED_LATER
        }
        self.servers["orchestrator"] = SimPostgres(self._now, migrations_of(ENGINE))
        for name in SERVICES:
            migrations = (*migrations_of(FOLDER / name), DEEDS)
            self.servers[name] = SimPostgres(self._now, migrations, ignored=TRIGGERS)
        for number in range(scenario.replicas):
            server = self.servers["orchestrator"]
            name = f"orchestrator-{number}"
            self.machines.append(RealOrchestrator(self.stage, name, self.definitions, server))
            for each in self.participants:
                name, server = f"{each.name}-{number}", self.servers[each.name]
                self.machines.append(RealMachine(self.stage, name, each, server, self.outlives))

    def run(self) -> Outcome:
        with ExitStack() as stack:
            for module, name in CACHES:
                stack.enter_context(patch.object(module, name, CacheOfEach()))
            return super().run()

    async def prepare(self) -> None:
        self.fate.healed = True
        await self.people.settle_in()
        self.fate.healed = False

    def start_of(self, saga: Saga) -> Message:
        return self.people.start_of(saga)

    async def _touch(self, number: int) -> None:
        """Somebody changes something by a service's own door."""
        await self._clock.sleep(self.dice.random() * self.scenario.faults_last_s)
        command, owner = self.people.meddling()
        await self.send(command, new_id(), self.people.owner_id, owner)

    def attested(self, saga: Saga, index: int, row: dict[str, Any]) -> dict[str, Any] | None:
        """Operators look first: they skip what is done, or undone, and only its answer is lost."""
        step, who = saga.steps[index], str(json_of(row["state"])["actor_id"])
        if step.name in self.unwatched:
            return None
        wanted = "undo" if row["phase"] == "BACKWARD" else "do"
        return {} if (wanted, step.name) in set(self._deeds_of(who)) else None

    def _deeds_of(self, saga: str) -> Iterator[tuple[str, str]]:
        for participant in self.participants:
            for store in participant.stores.values():
                for row in self.rows(participant.name, store.table):
                    for line in json_of(row["state"])["log"]:
                        what, whose, step, *_ = line.split(" ")
                        if whose == saga:
                            yield what, step

    def restless(self) -> str:
        for name, service in SERVICES.items():
            left = [row for row in self.rows(name, "operation") if row["finished_at"] is None]
            if service.workers and left:
                return f"work of {name}"
        return super().restless()

    def judged(self) -> list[Violation]:
        found = {*found_wrong(self), *money_moved(self), *broken_drafts(self)}
        return sorted({*super().judged(), *found}, key=str)
