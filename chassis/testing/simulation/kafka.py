"""A Kafka in memory: logs, a producer and a consumer as the chassis uses them.

The log of a partition is append-only. A producer's rows reach a partition in the order in which
they were given, or the producer breaks and nothing after the break reaches it; rows that are under
way when a process dies may still arrive. Groups: chassis.testing.simulation.groups.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import Unavailable
from chassis.messaging.envelope import Headers, wire_headers
from chassis.messaging.outbox import Outgoing, hash_of
from chassis.messaging.producer import Watcher
from chassis.testing.simulation.groups import SESSION_S, Fenced, Group, Member, Place
from chassis.testing.simulation.loop import PROCESS, Process, SimLoop, elapse


@dataclass(slots=True)
class SimRecord:
    """A record in a log. Fits chassis.messaging.envelope.Record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Delivery(Protocol):
    """What the network does to rows on their way to a log. All times in seconds."""

    def delay_s(self) -> float:
        """Until they arrive."""
        ...

    def overtaken_s(self) -> float:
        """For how long later rows may overtake these; mostly 0."""
        ...

    def fate(self) -> str:
        """ "ok", "lost" (never arrives), "unconfirmed" (arrives, but nobody hears) or "twice"."""
        ...


class SimKafka:
    """The broker: topics appear when they are written to or read."""

    def __init__(self, loop: SimLoop, *, partitions: int) -> None:
        self._loop = loop
        self._partitions = partitions
        self.logs: dict[Place, list[SimRecord]] = {}
        self.groups: dict[str, Group] = {}
        self.up = True
        self._waiters: dict[Place, list[asyncio.Event]] = {}

    def now(self) -> float:
        return self._loop.time()

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """In the broker's own time, whatever becomes of whoever asked."""
        self._loop.outside_later(seconds, do)

    def arrives(self, seconds: float, do: Callable[[], object]) -> None:
        """As `later`: a message that is under way."""
        self._loop.arrives_later(seconds, do)

    def places(self, topic: str) -> list[Place]:
        return [Place(topic, number) for number in range(self._partitions)]

    def place_of(self, topic: str, key: str) -> Place:
        return Place(topic, hash_of(key) % self._partitions)

    def group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group(self, name))

    def append(
        self, place: Place, key: bytes | None, value: bytes | None, headers: Headers
    ) -> SimRecord:
        """Put a record at the end of a log."""
        self.append_all(place, [(key, value, headers)])
        return self.logs[place][-1]

    def append_all(
        self, place: Place, found: Sequence[tuple[bytes | None, bytes | None, Headers]]
    ) -> None:
        """Several at the same moment: keys, values and headers."""
        log = self.logs.setdefault(place, [])
        (topic, partition), at = place, int(self.now() * 1000)
        for number, (key, value, headers) in enumerate(found, len(log)):
            log.append(SimRecord(topic, partition, number, at, key, value, headers))
        for waiter in self._waiters.get(place, ()):
            waiter.set()

    def lost(self, process: Process) -> None:
        """A process died or was stopped: its groups notice after a session."""
        for group in self.groups.values():
            for member in group.members:
                if member.process is process:
                    self.later(SESSION_S, lambda g=group, m=member: g.check(m))  # type: ignore[misc]

    def recover(self) -> None:
        """The broker is back after an outage."""
        self.up = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.set()

    def watch(self, places: Sequence[Place], waiter: asyncio.Event) -> None:
        for place in places:
            self._waiters.setdefault(place, []).append(waiter)

    def unwatch(self, places: Sequence[Place], waiter: asyncio.Event) -> None:
        for place in places:
            waiters = self._waiters.get(place, [])
            if waiter in waiters:
                waiters.remove(waiter)


APART_S = 1e-6
"""Between two batches to one partition: more than sums of times are rounded by."""

_UNORDERED = ("cmd.", "reply.")
"""Topics in which messages may be overtaken: the engine does not count on their order."""


class SimProducer:
    """Fulfils what Carrier needs of chassis.messaging.producer.Producer."""

    def __init__(self, kafka: SimKafka, watcher: Watcher, delivery: Delivery) -> None:
        self._kafka = kafka
        self._watcher = watcher
        self._delivery = delivery
        self._broken = False
        self._clear_at: dict[Place, float] = {}
        self._process = PROCESS.get()

    async def start(self, timeout: float) -> None:
        await elapse(self._delivery.delay_s())
        if not self._kafka.up:
            raise Unavailable("kafka: simulated outage")

    async def stop(self, timeout: float) -> None:
        await elapse(0)

    async def send_rows(self, rows: Sequence[Outgoing]) -> None:
        groups: dict[Place, list[Outgoing]] = {}
        for row in rows:
            groups.setdefault(self._kafka.place_of(row.topic, row.key), []).append(row)
        for place, group in groups.items():
            self._send(place, group)
        await elapse(0)

    async def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        await elapse(self._delivery.delay_s())
        if not self._kafka.up or self._delivery.fate() == "lost":
            raise Unavailable("kafka: simulated outage")
        place = self._kafka.place_of(topic, (key or b"").decode("utf-8", "replace"))
        self._kafka.append(place, key, value, headers)

    def _send(self, place: Place, rows: Sequence[Outgoing]) -> None:
        """In the order of the calls, per partition; a break lets nothing later through."""
        fate = self._delivery.fate()
        now = self._kafka.now()
        at = max(self._clear_at.get(place, 0.0) + APART_S, now + self._delivery.delay_s())
        self._clear_at[place] = at
        if place.topic.startswith(_UNORDERED):
            at += self._delivery.overtaken_s()
        self._kafka.arrives(at - now, lambda: self._arrive(place, rows, fate))

    def _arrive(self, place: Place, rows: Sequence[Outgoing], fate: str) -> None:
        if self._broken:
            return
        if fate == "lost" or not self._kafka.up:
            self._break()
            return
        times = 2 if fate == "twice" else 1
        sent = [(row.key.encode(), row.payload, wire_headers(row.headers)) for row in rows]
        self._kafka.append_all(place, [record for record in sent for _ in range(times)])
        if fate == "unconfirmed":
            self._break()
            return
        self._hear(lambda: self._watcher.confirmed([row.id for row in rows]))

    def _break(self) -> None:
        self._broken = True
        self._hear(lambda: self._watcher.broken(ConnectionError("simulated")))

    def _hear(self, tell: Callable[[], object]) -> None:
        """The answer travels to the process, if there still is one."""
        self._kafka._loop.call_as(self._process, tell)


class SimConsumer:
    """Fulfils chassis.messaging.runner.Consumer, for one life of one member."""

    def __init__(self, kafka: SimKafka, group: Group, member: Member) -> None:
        self._kafka = kafka
        self._group = group
        self._member = member
        self._positions: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._news = asyncio.Event()
        self._generation = -1

    def take(self, places: Sequence[Place]) -> None:
        """Begin at what the group has committed."""
        self.drop()
        self._generation = self._member.generation
        self._positions = {place: self._group.committed.get(place, 0) for place in places}
        self._kafka.watch(places, self._news)
        self._news.set()

    def drop(self) -> None:
        self._kafka.unwatch(list(self._positions), self._news)
        self._positions, self._paused = {}, set()

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[Place, Sequence[SimRecord]]:
        found = self._fetch(max_records)
        if found:
            await elapse(0)
            return found
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._news.wait()
        except TimeoutError:
            return {}
        return self._fetch(max_records)

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        await elapse(0.001)
        if self._generation != self._member.generation:
            raise Fenced("of an assignment that has ended")
        self._group.commit(self._member, offsets)

    def pause(self, *places: Place) -> None:
        self._paused.update(places)

    def resume(self, *places: Place) -> None:
        self._paused.difference_update(places)
        self._news.set()

    def highwater(self, place: Place) -> int | None:
        return len(self._kafka.logs.get(place, ()))

    def _fetch(self, max_records: int) -> dict[Place, Sequence[SimRecord]]:
        if not self._kafka.up:
            return {}
        found: dict[Place, Sequence[SimRecord]] = {}
        left = max_records
        for place, position in self._positions.items():
            log = self._kafka.logs.get(place)
            if place in self._paused or log is None or position >= len(log) or left <= 0:
                continue
            records = log[position : position + left]
            self._positions[place] = position + len(records)
            left -= len(records)
            found[place] = records
        return found
