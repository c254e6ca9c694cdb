"""Participants made from a saga's definition: real stores, real chunks, made-up business.

What a command does is written down, and nothing more: `do` for a step, `undo` for its
compensation, each with the saga that it was for. On purpose the handlers are not idempotent, so
that the guarantees of the chassis carry all the weight. The saga is known by the actor of its
messages, which each simulated saga has for itself.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any

from chassis.context import Context
from chassis.errors import Rejected
from chassis.messaging.envelope import Fact
from chassis.saga.definition import Kind, Saga, Step
from chassis.stores.aggregates import AggregateStore
from chassis.testing.saga import success_of
from chassis.testing.simulation.acts import SimAccepted, SimRefused, SimTouch
from contracts.base import Event, Message, answer_of

Handler = Callable[..., Awaitable[Any]]  # as chassis.messaging.handlers has it


@dataclass
class Deeds:
    """All that was ever done under one key: `do <saga> <step> <ids> <number>`, `undo ...`. The
    number says what came first in the whole world."""

    key: str
    log: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """The events of one key, in the order in which they were handled."""

    key: str
    ids: list[str] = field(default_factory=list)


class SqlSeen(AggregateStore[Seen]):
    """What the observer keeps."""

    table = "sim_seen"
    aggregate = Seen
    id_type = "text"

    @staticmethod
    def key(aggregate: Seen) -> str:
        return aggregate.key


@dataclass(frozen=True)
class Business:
    """How often participants refuse, or break until the world heals: by the saga and the step
    alone. `deeds` counts what was done in the whole world."""

    salt: str
    refusals: float
    bugs: float = 0.0
    healed: Callable[[], bool] = lambda: True
    deeds: Iterator[int] = field(default_factory=count)

    def refuses(self, saga: str, step: Step) -> bool:
        return step.kind != Kind.RETRIABLE and self._throw(f"{saga} {step.name} no") < self.refusals

    def breaks(self, saga: str, step: Step) -> bool:
        """A bug, until somebody mends it."""
        return self.stumbles(f"{saga} {step.name}")

    def stumbles(self, about: str) -> bool:
        """A bug that hits this message, until somebody mends it."""
        return bool(self.bugs) and not self.healed() and self._throw(about) < self.bugs

    def _throw(self, about: str) -> float:
        text = f"{self.salt} {about}"
        return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) / 2**32


@dataclass
class Participant:
    """One service: its handlers, and the stores that fulfil their parameters."""

    name: str
    handlers: list[Handler] = field(default_factory=list)
    stores: dict[str, type[AggregateStore[Deeds]]] = field(default_factory=dict)
    topics: tuple[str, ...] = ()


def participants_of(sagas: tuple[Saga, ...], business: Business) -> list[Participant]:
    """A participant for each service that owns a command of these sagas."""
    found: dict[str, Participant] = {}
    taken: set[str] = set()
    for saga in sagas:
        for step in saga.steps:
            owner = step.command.address.owner
            participant = found.setdefault(owner, Participant(owner))
            commands = [(step.command, step.command)]
            if step.compensation is not None:
                commands.append((step.compensation, step.command))
            for command, forward in commands:
                if command.address.type not in taken:
                    taken.add(command.address.type)
                    store = _store_of(participant, command)
                    participant.handlers.append(
                        _handler(command, forward, step, store, business, saga.mints)
                    )
    for participant in found.values():
        aggregate, store = next(iter(participant.stores.items()))
        told = _announced(sagas, participant.name, aggregate)
        participant.handlers.append(_toucher(store, told, business))
    return list(found.values())


def observer(topics: tuple[str, ...], business: Business) -> Participant:
    """A service that takes every public event, and breaks at some."""

    async def see(fact: Fact, seen: SqlSeen) -> None:
        if business.stumbles(str(fact.id)):
            raise ArithmeticError("a simulated bug")
        entry = await seen.get(fact.key) or Seen(fact.key)
        entry.ids.append(str(fact.id))
        seen.save(entry)

    return Participant("observer", [see], topics=topics)


def _toucher(
    store: type[AggregateStore[Deeds]], told: type[Message] | None, business: Business
) -> Handler:
    """What somebody else does to the same things, through the service's own door: in public, if
    the aggregate has an event for it."""

    async def touch(command: Any, deeds_of: Any) -> Any:  # its types are set below
        deeds = await deeds_of.get(command.key_text) or Deeds(command.key_text)
        deeds.log.append(f"touch {command.touch_id} - - {next(business.deeds)}")
        deeds_of.save(deeds)
        answer = SimAccepted(saga_id=command.touch_id)
        if told is None:
            return answer
        event = success_of(told, {answer_of(told).address.key: command.key_text})
        return answer, event

    touch.__annotations__ = {"command": SimTouch, "deeds_of": store}
    return touch


def _announced(sagas: tuple[Saga, ...], owner: str, aggregate: str) -> type[Message] | None:
    """A command whose answer is an event of this aggregate."""
    for saga in sagas:
        for step in saga.steps:
            answer = answer_of(step.command)
            if (answer.address.owner, answer.address.aggregate) == (owner, aggregate):
                return step.command if issubclass(answer, Event) else None
    return None


def _store_of(participant: Participant, command: type[Message]) -> type[AggregateStore[Deeds]]:
    aggregate = command.address.aggregate
    if aggregate not in participant.stores:
        participant.stores[aggregate] = type(
            f"Sql{aggregate.title()}",
            (AggregateStore,),
            {
                "table": f"sim_deeds_{len(participant.stores)}",
                "aggregate": Deeds,
                "id_type": "text",
                "announces": aggregate,
                "key": staticmethod(lambda deeds: deeds.key),
            },
        )
    return participant.stores[aggregate]


def _handler(
    command: type[Message],
    forward: type[Message],
    step: Step,
    store: type[AggregateStore[Deeds]],
    business: Business,
    mints: tuple[str, ...],
) -> Handler:
    key_field = command.address.key
    names = _shared(step, mints)

    async def handle(message: Any, deeds_of: Any, context: Context) -> Message:  # set below
        saga = str(context.actor_id)
        minted = ",".join(str(getattr(message, name)) for name in names) or "-"
        key = str(getattr(message, key_field))
        deeds = await deeds_of.get(key) or Deeds(key)
        if business.breaks(saga, step):
            raise ArithmeticError("a simulated bug")
        if command is forward:
            if business.refuses(saga, step):
                raise Rejected(SimRefused(step=step.name))
            deeds.log.append(f"do {saga} {step.name} {minted} {next(business.deeds)}")
            deeds_of.save(deeds)
        elif _stands(deeds, f"{saga} {step.name} {minted}"):
            deeds.log.append(f"undo {saga} {step.name} {minted} {next(business.deeds)}")
            deeds_of.save(deeds)
        return success_of(command, message.model_dump(mode="json"))

    handle.__name__ = command.__name__
    handle.__annotations__ = {"message": command, "deeds_of": store, "context": Context}
    return handle


def _shared(step: Step, mints: tuple[str, ...]) -> list[str]:
    """The minted ids by which a compensation finds what it is to undo."""
    if step.compensation is None:
        return [name for name in mints if name in step.command.model_fields]
    both = step.command.model_fields.keys() & step.compensation.model_fields.keys()
    return [name for name in mints if name in both]


def _stands(deeds: Deeds, what: str) -> bool:
    """Whether it was done and not undone: a compensation of nothing writes nothing."""
    done = sum(deed.startswith(f"do {what} ") for deed in deeds.log)
    return done > sum(deed.startswith(f"undo {what} ") for deed in deeds.log)
