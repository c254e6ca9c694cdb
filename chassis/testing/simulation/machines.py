"""Machines: the processes of a simulated platform, each made of the real parts."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chassis.clock import Clock
from chassis.context import Context
from chassis.errors import Rejected
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.handlers import Handlers
from chassis.messaging.lanes import Place
from chassis.messaging.limits import RelayLimits, RunnerLimits
from chassis.messaging.relay import Relay
from chassis.messaging.runner import ChunkHandler
from chassis.messaging.unit import Kit
from chassis.parking.loop import LoopLimits, ParkedKeys
from chassis.parking.lot import ParkingLot
from chassis.resources import Resources
from chassis.saga.batch import REPLIES
from chassis.saga.book import SagaBook
from chassis.saga.chunk import SagaChunk
from chassis.saga.definition import Definitions, Saga
from chassis.saga.desk import SagaDesk
from chassis.saga.engine import SagaEngine
from chassis.saga.inputs import Fact, Order, Verb
from chassis.saga.state import SagaState
from chassis.saga.store import GROUP
from chassis.saga.timers import Timers
from chassis.testing.simulation.acts import SimAccepted, SimMoved, SimOrder, SimRefused, SimSignal
from chassis.testing.simulation.clock import SimClock
from chassis.testing.simulation.faults import Fate, SimDelivery, SimLink
from chassis.testing.simulation.kafka import SimKafka, SimProducer
from chassis.testing.simulation.loop import Process, SimLoop
from chassis.testing.simulation.members import SimSubscription
from chassis.testing.simulation.participants import Participant
from chassis.testing.simulation.postgres import SimDatabase, SimPostgres
from contracts.base import Message

SHARDS = 3
"""Outbox shards, partitions of every topic, timer shards."""

PARKED = LoopLimits(poll_s=4.0, pause_max_s=8.0, lease_s=15.0, count_s=1e9, prune_s=1e9)

RELAY = RelayLimits(
    shards=SHARDS,
    lease_s=6.0,
    tick_s=2.0,
    poll_age_s=3.0,
    sweep_s=1.5,
    retry_s=0.5,
    unroutable_s=10.0,
    prune_s=1e9,
    wake_s=30.0,
    rescan_s=0.2,
)
RUNNER = RunnerLimits(
    gather_s=0.03, lanes=1, poll_s=20.0, commit_s=2.0, drain_s=10.0, retry_max_s=3.0, stalled_s=60.0
)


class Stage:
    """What machines stand on: the loop, the broker, the faults."""

    def __init__(self, loop: SimLoop, kafka: SimKafka, fate: Fate) -> None:
        self.loop, self.kafka, self.fate = loop, kafka, fate


class Machine:
    """A replica of a service: boots, dies, boots again. Its database is what stays."""

    def __init__(self, stage: Stage, name: str, service: str, server: SimPostgres) -> None:
        self.stage = stage
        self.name, self.service = name, service
        self.server = server
        self.process = Process(name)
        self.process.alive = False
        self.chunk: CommandChunk | None = None
        self.subscriptions: list[SimSubscription] = []
        self._relay: Relay | None = None
        self.home_topic = f"cmd.{service}.v1"

    @property
    def up(self) -> bool:
        return self.process.alive

    def boot(self) -> None:
        """A new process."""
        loop, fate = self.stage.loop, self.stage.fate
        self.process = process = Process(self.name)
        process.clock_offset_s = (fate.within(2) - 1) * fate.faults.clock_offset_s
        self.subscriptions = []
        self._watch(loop.spawn(process, self._main(process)))

    def die(self) -> None:
        """kill -9."""
        self.stage.loop.crash(self.process)
        self.stage.kafka.lost(self.process)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP for so long."""
        self.stage.loop.freeze(self.process, seconds)
        self.stage.kafka.lost(self.process)

    async def stop(self) -> None:
        """SIGTERM: drain, leave, end. To be run as the machine's own process."""
        process = self.process
        for subscription in self.subscriptions:
            await subscription.stop()
        if self._relay is not None:
            await self._relay.stop(2.0)
        self.stage.loop.crash(process)

    async def _main(self, process: Process) -> None:
        stage = self.stage
        clock = SimClock(stage.loop, process.clock_offset_s)
        link = SimLink(stage.loop, stage.fate, self.die)
        database = SimDatabase(self.server, link)
        resources = Resources(
            SimSettings(), clock, opened={"postgres": database}, service=self.service
        )
        self._relay = relay = Relay(
            resources.database,
            clock,
            lambda watcher: SimProducer(stage.kafka, watcher, SimDelivery(stage.fate)),  # type: ignore[arg-type,return-value]  # what Carrier uses of a Producer
            RELAY,
        )
        resources.mint = relay.mint
        await relay.start()
        self.wire(resources, relay)

    def wire(self, resources: Resources, relay: Relay) -> None:
        """The parts of this kind of machine."""
        raise NotImplementedError

    def take_commands(
        self,
        resources: Resources,
        relay: Relay,
        handlers: Handlers,
        topics: Sequence[str],
    ) -> None:
        """The real chunk, its parked keys, and its subscription."""
        kit = Kit(self.service, self.service, handlers, resources, relay)
        self.chunk = CommandChunk(kit, DeadLetters(self.service, relay))
        if topics:
            self.subscribe(self.service, topics, self.chunk, resources.clock)
            keys = ParkedKeys(
                self.chunk.lot,
                tuple(topics),
                self.chunk.replay,
                resources.database,
                resources.clock,
                PARKED,
            )
            self.background(keys.run)

    def subscribe(
        self, group: str, topics: Sequence[str], handler: ChunkHandler, clock: Clock
    ) -> None:
        moved = self._moved if self.home_topic in topics else None
        subscription = SimSubscription(
            self.stage.kafka, group, topics, handler, clock, RUNNER, moved
        )
        self.subscriptions.append(subscription)
        subscription.start()

    def _moved(self, places: Iterable[Place]) -> None:
        assert self._relay is not None, "what is consumed is also relayed"
        self._relay.wish(place.partition for place in places if place.topic == self.home_topic)

    def background(self, run: Callable[[], Any]) -> None:  # a coroutine function
        self._watch(self.stage.loop.create_task(run()))

    def _watch(self, task: "asyncio.Task[Any]") -> None:
        """What ends with an error is nobody's to await: the judge is told."""
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            about = {"message": f"{self.name} lost a task", "exception": error}
            self.stage.loop.call_exception_handler(about)


class ParticipantMachine(Machine):
    """A service of the saga's steps, or an observer."""

    def __init__(
        self, stage: Stage, name: str, participant: Participant, server: SimPostgres
    ) -> None:
        super().__init__(stage, name, participant.name, server)
        self._participant = participant

    def wire(self, resources: Resources, relay: Relay) -> None:
        participant = self._participant
        handlers = Handlers(participant.handlers, provides={}, given={})
        commands = (f"cmd.{participant.name}.v1",) if handlers.commands else ()
        self.take_commands(resources, relay, handlers, (*commands, *participant.topics))


class OrchestratorMachine(Machine):
    """Runs sagas, and takes the world's starts, signals and orders."""

    @staticmethod
    def announce(saga: Saga, state: SagaState, fact: Fact) -> Message:
        """The public event of a fact."""
        return SimMoved(saga_id=state.id, fact=fact.value)

    def __init__(
        self, stage: Stage, name: str, definitions: Definitions, server: SimPostgres
    ) -> None:
        super().__init__(stage, name, "orchestrator", server)
        self.home_topic = REPLIES
        self._definitions = definitions

    def wire(self, resources: Resources, relay: Relay) -> None:
        definitions, database, clock = self._definitions, resources.database, resources.clock
        desk = SagaDesk(definitions, self.announce, database=database, shards=SHARDS)
        engine = SagaEngine(desk, relay, clock)
        timers = Timers(engine, database, clock, poll_s=1.5)
        lot = ParkingLot(GROUP, database, DeadLetters(self.service, relay))
        chunk = SagaChunk(engine, lot, clock, timers.rouse)
        says = {"definitions": definitions, "announcer": staticmethod(self.announce)}
        book = type("SimBook", (SagaBook,), says)
        handlers = Handlers(
            [*(_starter(saga, book) for saga in _latest(definitions)), *_operators(book)],
            provides={},
            given={Clock: clock},
        )
        self.take_commands(resources, relay, handlers, ())
        self.subscribe("orchestrator-replies", (REPLIES,), chunk, clock)
        parked = ParkedKeys(lot, (REPLIES,), chunk.replay, database, clock, PARKED)
        self.background(parked.run)
        self.background(timers.run)


class SimSettings:
    """What stores read of a service's settings."""

    topic_partitions = SHARDS


def _latest(definitions: Definitions) -> list[Saga]:
    return [definitions.started_by(contract) for contract in definitions.starts()]


def _starter(saga: Saga, book: type[SagaBook]) -> Callable[..., Any]:  # a handler
    async def start(command: Any, sagas: Any, context: Context) -> SimAccepted:  # set below
        return SimAccepted(saga_id=(await sagas.start(command, context)).id)

    start.__name__ = f"start_{saga.name}"
    start.__annotations__ = {"command": saga.starts_on, "sagas": book, "context": Context}
    return start


def _operators(book: type[SagaBook]) -> list[Callable[..., Any]]:  # handlers
    async def order(command: SimOrder, sagas: Any, clock: Clock) -> SimAccepted:  # set below
        state = await sagas.get(command.saga_id)
        if state is None:
            raise Rejected(SimRefused(step="no saga"))
        if command.version not in (None, state.version):
            raise Rejected(SimRefused(step="it has moved on"))
        verb, why, step = Verb(command.verb), "simulated", command.step
        given = Order(clock.now(), verb, "sim", why, step, dict(command.fields))
        sagas.order(state, given)
        return SimAccepted(saga_id=state.id)

    async def signal(command: SimSignal, sagas: Any) -> SimAccepted:  # set below
        state = await sagas.get(command.saga_id)
        if state is None:
            raise Rejected(SimRefused(step="no saga"))
        await sagas.signal(state, approved=command.approved, by="sim")
        return SimAccepted(saga_id=state.id)

    order.__annotations__ = {"command": SimOrder, "sagas": book, "clock": Clock}
    signal.__annotations__ = {"command": SimSignal, "sagas": book}
    return [order, signal]
