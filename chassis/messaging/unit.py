"""UnitOfWork: one attempt at handling some messages in one transaction, in two round trips."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

from prometheus_client import Counter

from chassis.clock import new_id
from chassis.context import Context
from chassis.errors import IdempotencyKeyReused, Rejected
from chassis.faults import FAULTS
from chassis.messaging.envelope import Envelope, Record
from chassis.messaging.handlers import Binding, Handlers
from chassis.messaging.inbox import Inbox, Kept
from chassis.messaging.later import PENDING, Later, Waiting
from chassis.messaging.metrics import HANDLED, INBOX_DUPLICATES
from chassis.messaging.outbox import CommitPoint, Outbox
from chassis.messaging.tracing import handling
from chassis.parking.lot import Lines, ParkingLot
from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore, FlushFirst
from chassis.stores.statement import Reading, Statement
from contracts.base import Event, Message


@dataclass(frozen=True, slots=True)
class Kit:
    """What every unit of a service works with."""

    service: str
    group: str
    handlers: Handlers
    resources: Resources
    commit_point: CommitPoint
    lot: ParkingLot | None = None  # None only where no records of Kafka are handled


@dataclass(slots=True)  # never changed; see Envelope
class Work:
    """One message to handle, and how it arrived."""

    envelope: Envelope
    message: Message | Envelope
    binding: Binding
    context: Context
    digest: bytes | None = None  # of the input, when a client chose the message's id
    record: Record | None = None
    queue: str = ""  # what keeps its order with the record; "" for what waits for nobody
    letter_id: UUID | None = None  # the row that the record was parked in

    @property
    def secret(self) -> bool:
        """Whether nothing of its answer may be stored."""
        return self.binding.secret


@dataclass(slots=True)
class Answered:
    """What came of one message. `message` is set when it was handled just now."""

    kept: Kept
    message: Message | None = None
    fate: str = "handled"


class UnitOfWork:
    """Built for one attempt; thrown away with everything in it when that fails."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._inbox = Inbox(kit.group)
        self._outbox = Outbox()
        self._waiting = Waiting(kit.group)
        self._lines = Lines(kit.lot) if kit.lot is not None else None
        self._stores: dict[type[ChunkStore], ChunkStore] = {}

    async def run(self, works: Sequence[Work]) -> list[Answered]:
        """Handle as many of `works` as fit in one transaction (at least one), and commit."""
        if FAULTS.armed:
            await FAULTS.at("participant.before_tx", [work.envelope for work in works])
        await self._load(works)
        answers: list[Answered] = []
        for work in works:
            try:
                with handling(work.envelope, work.binding.name) as traceparent:
                    answers.append(await self._handle(work, traceparent))
            except FlushFirst:
                if not answers:
                    raise
                break
        await self._commit()
        if FAULTS.armed:
            await FAULTS.at("participant.after_tx", [w.envelope for w in works[: len(answers)]])
        return answers

    async def _load(self, works: Sequence[Work]) -> None:
        """One query for inbox and aggregates, then what stores load in their own way."""
        keys: dict[type[ChunkStore], dict[str, None]] = {}
        ids: dict[UUID, None] = {}
        for work in works:
            if not work.secret:
                ids[work.envelope.id] = None
            if work.envelope.forward_id is not None:
                ids[work.envelope.forward_id] = None
            for store in work.binding.stores:
                key = _key_for(store, work)
                keys.setdefault(store, {}).update({key: None} if key else {})
        reading = Reading()
        self._inbox.reads(reading, ids)
        if self._lines is not None:
            self._lines.reads(reading, [work.queue for work in works if work.queue])
        for kind, wanted in keys.items():
            self._stores[kind] = store_of_chunk = kind(self._kit.resources)
            store_of_chunk.reads(reading, list(wanted))
        await reading.run(self._kit.resources.database)
        for kind, wanted in keys.items():
            await self._stores[kind].preload(list(wanted))

    async def _handle(self, work: Work, traceparent: str) -> Answered:
        envelope = work.envelope
        kept = None if work.secret else self._inbox.seen(envelope.id)
        if kept is not None:
            if work.digest is not None and kept.digest not in (None, work.digest):
                raise IdempotencyKeyReused(str(envelope.id))
            INBOX_DUPLICATES.labels(self._kit.group).inc()
            self._reply(envelope, kept, traceparent)
            self._settle(work)
            return Answered(kept, fate="duplicate")
        if self._lines is not None and work.record and work.queue in self._lines.parked:
            self._lines.wait(work.record, work.queue, envelope)
            return Answered(Kept(), fate="waiting")
        answer, events = await self._ask(work)
        for event in events:
            self._announce(event, envelope, traceparent)
        if isinstance(answer, Later):
            self._waiting.keep(answer.name, replace(envelope, traceparent=traceparent))
            kept, answer = Kept(PENDING, digest=work.digest), None
        else:
            kept = Kept(answer.address.type, _json(answer), work.digest) if answer else Kept()
        self._reply(envelope, kept, traceparent)
        if not work.secret:
            self._inbox.keep(envelope.id, kept)
        if envelope.forward_id is not None:
            self._inbox.refuse(envelope.forward_id)
        self._settle(work)
        return Answered(kept, answer)

    def _settle(self, work: Work) -> None:
        if work.letter_id is not None:
            assert self._lines is not None, "what was parked comes from a lot"
            self._lines.settle(work.letter_id)

    async def _ask(self, work: Work) -> tuple[Message | Later | None, list[Event]]:
        """The handler's answer (or its refusal), and the events among what it returned."""
        snapshots = [(store, store.snapshot()) for store in self._stores.values()]
        try:
            if FAULTS.armed:
                await FAULTS.at("participant.handle", [work.envelope])
            returned = await work.binding(work.message, self._stores, work.context)
        except (Rejected, FlushFirst) as stopped:
            for store, snapshot in snapshots:
                store.restore(snapshot)
            if isinstance(stopped, FlushFirst):
                raise
            _counter(work.envelope.type, "rejected").inc()
            return stopped.rejection, []
        _counter(work.envelope.type, "done").inc()
        if isinstance(returned, Later):
            assert work.binding.is_command, "only a command is answered"
            return returned, list(returned.events)
        messages = _messages(returned)
        answer = messages[0] if messages and work.binding.is_command else None
        return answer, [message for message in messages if isinstance(message, Event)]

    def _announce(self, event: Event, cause: Envelope, traceparent: str) -> None:
        """Publish the event if its aggregate was saved by this message."""
        if event.address.owner != self._kit.service:
            return
        key = event.key
        for store in self._stores.values():
            if store.announces != event.address.aggregate:
                continue
            version = store.announce(key)
            if version is not None:
                self._send(event, key, cause, traceparent, version)
                return

    def _send(
        self, event: Event, key: str, cause: Envelope, traceparent: str, version: int
    ) -> None:
        self._outbox.append(
            Envelope(
                id=new_id(),
                type=event.address.type,
                source=f"/basalt/{self._kit.service}",
                subject=key,
                time=self._kit.resources.clock.now(),
                key=key,
                topic=event.address.topic,
                data=_json(event),
                workspace_id=getattr(event, "workspace_id", None) or cause.workspace_id,
                aggregate_version=version,
                correlation_id=cause.correlation_id or cause.id,
                causation_id=cause.id,
                traceparent=traceparent,
                actor_id=cause.actor_id,
            )
        )

    def _reply(self, cause: Envelope, kept: Kept, traceparent: str) -> None:
        """A row of its own for whoever waits, ordered by their correlation id (the saga)."""
        if not cause.reply_to or kept.type in ("", PENDING):
            return
        correlation_id = cause.correlation_id or cause.id
        self._outbox.append(
            Envelope(
                id=new_id(),
                type=kept.type,
                source=f"/basalt/{self._kit.service}",
                subject=cause.subject,
                time=self._kit.resources.clock.now(),
                key=str(correlation_id),
                topic=cause.reply_to,
                data=kept.data,
                workspace_id=cause.workspace_id,
                correlation_id=correlation_id,
                causation_id=cause.id,
                traceparent=traceparent,
                actor_id=cause.actor_id,
                shard_key=cause.key,  # replies need no order: each is told by its command's id
            )
        )

    async def _commit(self) -> None:
        """Immutable bodies first, then one statement."""
        for store in self._stores.values():
            await store.before_flush()
        statement = Statement()
        self._inbox.flush(statement)
        self._waiting.flush(statement)
        if self._lines is not None:
            self._lines.flush(statement)
        for store in self._stores.values():
            store.flush(statement)
            store.send(self._outbox)
        await self._kit.commit_point.commit(statement, self._outbox)
        for store in self._stores.values():
            store.committed()


@lru_cache(maxsize=1024)
def _counter(wire_type: str, fate: str) -> Counter:
    return HANDLED.labels(wire_type, fate)


def _key_for(store: type[ChunkStore], work: Work) -> str:
    if isinstance(work.message, Envelope):
        return work.message.key
    return key_of(work.message, store.key_field)


def key_of(message: Message, name: str = "") -> str:
    """The value of the contract's key field, or of `name`; "" when the message has none."""
    field = name or message.address.key
    value = getattr(message, field, None) if field else None
    return "" if value is None else str(value)


def _messages(returned: Message | tuple[Message, ...] | None) -> tuple[Message, ...]:
    if returned is None:
        return ()
    return returned if isinstance(returned, tuple) else (returned,)


def _json(message: Message) -> bytes:
    body: bytes = message.__pydantic_serializer__.to_json(message)
    return body
