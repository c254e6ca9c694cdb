"""CommandChunk: records in, one transaction out. Decides each message's fate in one place.

Refused: the refusal is the answer. Conflict: run again, from a fresh read. Unavailable: nothing
is burned, the caller waits. Anything else is a bug: the chunk is halved until the culprit stands
alone, which is tried a few times more; then its key is parked, and later messages of that key
wait behind it. What cannot be decoded is a dead letter at once, and holds up nobody.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from traceback import format_tb
from typing import Any
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError

from chassis.clock import jittered
from chassis.context import Context, trusted_context
from chassis.errors import Conflict, IdempotencyKeyReused, Rejected, Unanswered, Unavailable
from chassis.messaging.deadletters import DeadLetter, DeadLetters, place_of
from chassis.messaging.envelope import Envelope, Record, Undecodable, decode, type_of
from chassis.messaging.inbox import input_digest
from chassis.messaging.later import PENDING
from chassis.messaging.metrics import CHUNK_RECORDS, CHUNK_RERUNS, CHUNK_SECONDS, HANDLED
from chassis.messaging.tracing import current_traceparent
from chassis.messaging.unit import Answered, Kit, UnitOfWork, Work, key_of
from chassis.parking import metrics
from chassis.parking.letter import Letter, queue_of
from chassis.parking.lot import LotLimits, ParkingLot
from contracts.base import Command, Message, Rejection

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """How often and how long."""

    timeout_s: float = 30.0  # one attempt at one transaction
    conflicts_max: int = 3  # reruns of a whole chunk
    conflicts_alone_max: int = 12  # reruns of a single message
    tries_max: int = 3  # of a single message that keeps failing, before its key is parked
    pause_s: float = 0.05  # between those; doubled each time, with jitter


class CommandChunk:
    """Handles commands, events and taps of one service; a ChunkHandler for the runner, and
    `execute` for the HTTP door."""

    def __init__(
        self,
        kit: Kit,
        dead_letters: DeadLetters,
        limits: ChunkLimits | None = None,
        parking: LotLimits | None = None,
    ) -> None:
        self.lot = ParkingLot(kit.group, kit.resources.database, dead_letters, parking)
        self._kit = replace(kit, lot=self.lot)
        self._limits = limits or ChunkLimits()

    async def __call__(self, records: Sequence[Record]) -> None:
        """Handle records of any partitions, each partition's in order. Returns when all effects
        are durable. Raises Unavailable: call again with the same records."""
        works: list[Work] = []
        undecodable: list[tuple[Record, str]] = []
        for record in records:
            try:
                work = self._decode(record)
            except Undecodable as error:
                undecodable.append((record, str(error)))
                continue
            if work is not None:
                works.append(work)
        await self._run(works)
        if undecodable:  # last, as whatever fails has all of these records come again
            await self.lot.refuse(undecodable)
        self._count("undecodable", len(undecodable))
        self._count("ignored", len(records) - len(works) - len(undecodable))

    async def replay(self, letters: Sequence[Letter]) -> None:
        """Handle parked messages of one key, in order, and settle their rows in the transaction
        of their effects. Raises whatever prevents it; then nothing has happened."""
        works: list[Work] = []
        for letter in letters:
            work = self._decode(letter)
            if work is not None:
                works.append(replace(work, queue="", letter_id=letter.id))
        handled = {work.letter_id for work in works}
        if works:
            await self._attempt(works)
        await self.lot.settle_now([x.id for x in letters if x.id not in handled])

    async def execute(
        self,
        command: Command[Any],  # of any answer
        context: Context,
        command_id: UUID,
        *,
        traceparent: str = "",
        deadline_ms: int | None = None,
    ) -> Message:
        """Handle one command now and give its answer; the same id gives the same answer again.

        Raises Rejected, IdempotencyKeyReused (the id is known with another input), Conflict,
        Unavailable, Unanswered (it is answered later); TypeError when it is not handled here.
        """
        binding = self._kit.handlers.by_type.get(command.address.type)
        if binding is None:
            raise TypeError(f"{self._kit.service} does not handle {command.address.type}")
        envelope = Envelope(
            id=command_id,
            type=command.address.type,
            source="/basalt/door",
            subject=key_of(command),
            time=self._kit.resources.clock.now(),
            key=key_of(command),
            topic="",
            data=b"",
            workspace_id=getattr(command, "workspace_id", None) or context.workspace_id,
            correlation_id=command_id,
            traceparent=traceparent or current_traceparent(),
            actor_id=context.actor_id,
            deadline_ms=deadline_ms,
        )
        digest = None if command.secret else input_digest(command)
        (answered,) = await self._alone(Work(envelope, command, binding, context, digest))
        if answered.kept.type == PENDING:
            raise Unanswered("its answer follows: ask again under the same id")
        answer = answered.message or answered.kept.message()
        if isinstance(answer, Rejection):
            raise Rejected(answer)
        return answer

    def _decode(self, record: Record) -> Work | None:
        """None for an event that nobody here handles."""
        wire_type = type_of(record)
        binding = self._kit.handlers.of(wire_type) if wire_type else None
        if binding is None:
            if record.topic.startswith("cmd.") or not wire_type:
                raise Undecodable(f"nobody here handles {wire_type or 'a record without ce_type'}")
            return None
        envelope = decode(record)
        context = trusted_context(actor_id=envelope.actor_id, workspace_id=envelope.workspace_id)
        queue = queue_of(record)
        if binding.validator is None:
            _demand_json(envelope.data)
            return Work(envelope, envelope, binding, context, record=record, queue=queue)
        if record.topic.startswith("cmd.") and not binding.is_command:
            raise Undecodable(f"{wire_type} is no command")
        try:
            message = binding.validator.validate_json(envelope.data)
        except ValidationError as error:
            rules = (f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors())
            raise Undecodable("; ".join(rules)) from error  # never the values: they may be secret
        return Work(envelope, message, binding, context, record=record, queue=queue)

    async def _run(self, works: Sequence[Work]) -> None:
        """All in one transaction; when that fails, in halves."""
        if not works:
            return
        if len(works) == 1:
            await self._last_resort(works[0])
            return
        for _ in range(self._limits.conflicts_max + 1):
            try:
                await self._attempt(works)
                return
            except Conflict:
                CHUNK_RERUNS.labels("conflict").inc()
            except Unavailable:
                raise
            except Exception as error:
                CHUNK_RERUNS.labels("failure").inc()
                log.warning("chunk_failed", records=len(works), error=place_of(error))
                break
        middle = len(works) // 2
        await self._run(works[:middle])
        await self._run(works[middle:])

    async def _last_resort(self, work: Work) -> None:
        """A few tries; then the key is parked."""
        for number in range(1, self._limits.tries_max + 1):
            try:
                await self._alone(work)
                return
            except Unavailable:
                raise
            except Exception as error:
                failure = place_of(error)
                log.error(
                    "message_failed",
                    message_id=work.envelope.id,
                    type=work.envelope.type,
                    error=failure,
                    stack="".join(format_tb(error.__traceback__)),  # not its text: may be secret
                )
            if number < self._limits.tries_max:
                await self._kit.resources.clock.sleep(jittered(self._limits.pause_s * 2**number))
        assert work.record is not None, "only records are parked"
        tries = self._limits.tries_max
        letter = DeadLetter("failed", failure, tries, work.binding.name, work.envelope)
        await self.lot.park(work.record, work.queue, work.envelope.id, letter)
        HANDLED.labels(work.envelope.type, "parked").inc()
        self._count("failed", 1)

    async def _alone(self, work: Work) -> list[Answered]:
        """One message; conflicts are repeated at once, then with growing pauses."""
        for number in range(self._limits.conflicts_alone_max):
            try:
                return await self._attempt([work])
            except IdempotencyKeyReused:
                raise
            except Conflict:
                CHUNK_RERUNS.labels("conflict").inc()
                pause = min(self._limits.pause_s, 0.001 * 2**number)
                await self._kit.resources.clock.sleep(jittered(pause))
        return await self._attempt([work])

    async def _attempt(self, works: Sequence[Work]) -> list[Answered]:
        """Once through, in as few transactions as read-your-writes allows (mostly one)."""
        CHUNK_RECORDS.observe(len(works))
        answers: list[Answered] = []
        with CHUNK_SECONDS.time():
            async with asyncio.timeout(self._limits.timeout_s):
                while len(answers) < len(works):
                    answers += await UnitOfWork(self._kit).run(works[len(answers) :])
        self._account(works, answers)
        return answers

    def _account(self, works: Sequence[Work], answers: Sequence[Answered]) -> None:
        """Every record has exactly one fate; what is played again had its own before."""
        fates: dict[str, int] = {}
        for work, answered in zip(works, answers, strict=True):
            if work.record is not None and work.letter_id is None:
                fates[answered.fate] = fates.get(answered.fate, 0) + 1
        for fate, count in fates.items():
            self._count(fate, count)

    def _count(self, fate: str, count: int) -> None:
        if count:
            metrics.records(self._kit.group, fate).inc(count)


def _demand_json(body: bytes) -> None:
    """A tap takes any event, but what is no JSON is nobody's. Raises Undecodable."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Undecodable("the body is no JSON") from None
