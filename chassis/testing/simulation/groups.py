"""Groups of a simulated Kafka: who is a member, who has which partitions, what is committed.

Eager, as aiokafka is: all members give back their partitions before any of them gets new ones. A
member that is dead or frozen for longer than the session is put out, and what it commits afterwards
is refused.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chassis.testing.simulation.loop import Process

SESSION_S = 6.0
REBALANCE_S = 30.0


class Place(NamedTuple):
    """aiokafka's TopicPartition."""

    topic: str
    partition: int


class Fenced(Exception):
    """The group has moved on without this member."""


class Broker(Protocol):
    """What a group needs of the broker it lives in."""

    def now(self) -> float: ...

    def later(self, seconds: float, do: Callable[[], object]) -> None: ...

    def places(self, topic: str) -> list[Place]: ...


@dataclass
class Member:
    """One consumer of a group. `moved` is set when it must give back, may take, or is put out."""

    process: Process
    topics: Sequence[str]
    generation: int = -1
    places: tuple[Place, ...] = ()
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    given_back: bool = True
    taken: bool = False
    out: bool = False


class Group:
    """A consumer group: its members, its generation, its committed offsets."""

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self.name = name
        self.generation = 0
        self.members: list[Member] = []
        self.committed: dict[Place, int] = {}
        self._rebalancing = False

    def join(self, member: Member) -> None:
        self.members.append(member)
        self.rebalance()

    def leave(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)
            member.out = True
            self.rebalance()

    def commit(self, member: Member, offsets: Mapping[Place, int]) -> None:
        """Raises Fenced for a member of an older generation."""
        if member not in self.members or (
            member.generation != self.generation and not self._rebalancing
        ):
            raise Fenced(self.name)
        for place, offset in offsets.items():
            if place in member.places:
                self.committed[place] = max(offset, self.committed.get(place, 0))

    def rebalance(self) -> None:
        """Everybody gives back; then everything is dealt out again."""
        self.generation += 1
        self._rebalancing = True
        for member in self.members:
            member.given_back = False
            member.moved.set()
        generation = self.generation
        self._broker.later(REBALANCE_S, lambda: self._deadline(generation))
        self.progress()

    def progress(self) -> None:
        """Deal out once the living have given everything back."""
        if self._rebalancing and all(member.given_back for member in self.members):
            self._rebalancing = False
            self._deal()

    def check(self, member: Member) -> None:
        """Put out a member that has not been heard of for a session."""
        process = member.process
        silent = not process.alive or process.frozen_until > self._broker.now()
        if silent and member in self.members:
            self.leave(member)

    def _deadline(self, generation: int) -> None:
        if generation == self.generation and self._rebalancing:
            for member in [m for m in self.members if not m.given_back]:
                self.members.remove(member)
                member.out = True
                member.moved.set()
            self._rebalancing = False
            self._deal()

    def _deal(self) -> None:
        topics = sorted({topic for member in self.members for topic in member.topics})
        places = [place for topic in topics for place in self._broker.places(topic)]
        for number, member in enumerate(self.members):
            member.places = tuple(places[number :: len(self.members)])
            member.generation, member.taken = self.generation, False
            member.moved.set()
