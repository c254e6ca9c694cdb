"""SagaChunk: the orchestrator's ChunkHandler. Replies in, one transaction out.

A reply that keeps failing parks its saga: later replies to it wait behind. Whether one is parked is
not read beforehand, as nothing is: the statement demands it, and a Conflict has it looked up.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError

from chassis.clock import Clock, jittered
from chassis.errors import Conflict, Unavailable
from chassis.messaging.deadletters import DeadLetter, place_of
from chassis.messaging.envelope import Record, Undecodable
from chassis.messaging.metrics import CHUNK_RECORDS, CHUNK_RERUNS, CHUNK_SECONDS
from chassis.parking import metrics
from chassis.parking.letter import Letter
from chassis.parking.lot import ParkingLot, waiting
from chassis.saga.engine import Answer
from chassis.saga.ids import parsed
from chassis.saga.inputs import Reply
from chassis.saga.state import Fields
from chassis.stores.statement import Statement
from contracts.base import REGISTRY, Message, Rejection

log = structlog.get_logger()

CONFLICTS_MAX = 12
TRIES_MAX = 3
TIMEOUT_S = 30.0
PAUSE_S = 0.05


class Answering(Protocol):
    """What the chunk needs of the engine."""

    async def answer(
        self, answers: Sequence[Answer], also: Callable[[Statement], None] | None = None
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class _Item:
    answer: Answer
    record: Record

    @property
    def queue(self) -> str:
        return f"{self.record.topic} {self.answer.saga_id}"


class SagaChunk:
    """Handles the records of `reply.orchestrator.v1`. `freed` hears how many sagas ended."""

    def __init__(
        self,
        engine: Answering,
        lot: ParkingLot,
        clock: Clock,
        freed: Callable[[int], None] = lambda ended: None,
    ) -> None:
        self._engine = engine
        self._lot = lot
        self._clock = clock
        self._freed = freed

    async def __call__(self, records: Sequence[Record]) -> None:
        """Returns when all effects are durable. Raises Unavailable: call again with the same."""
        items: list[_Item] = []
        undecodable: list[tuple[Record, str]] = []
        at = self._clock.now()
        for record in records:
            try:
                items.append(_Item(decode_answer(record, at), record))
            except Undecodable as error:
                undecodable.append((record, str(error)))
        await self._run(items)
        if undecodable:  # last, as whatever fails has all of these records come again
            await self._lot.refuse(undecodable)
            self._count("undecodable", len(undecodable))

    async def replay(self, letters: Sequence[Letter]) -> None:
        """Handle parked replies to one saga, in order, and settle their rows with them."""
        at = self._clock.now()
        answers = [decode_answer(letter, at) for letter in letters]
        ids: list[UUID] = [letter.id for letter in letters]
        await self._answer(answers, lambda statement: self._lot.settle(statement, ids))

    async def _run(self, items: Sequence[_Item]) -> None:
        """All in one transaction; when that fails, in halves; alone, a few tries more."""
        failure, failures = "", 0
        for number in range(CONFLICTS_MAX):
            if not items:
                return
            try:
                await self._attempt(items)
                return
            except Conflict:
                CHUNK_RERUNS.labels("conflict").inc()
                failure = "conflict"
                items = await self._without_parked(items)
            except Unavailable:
                raise
            except Exception as error:
                CHUNK_RERUNS.labels("failure").inc()
                log.warning("saga_chunk_failed", records=len(items), error=place_of(error))
                failure, failures = place_of(error), failures + 1
                if len(items) > 1 or failures >= TRIES_MAX:
                    break
            await self._clock.sleep(jittered(min(PAUSE_S, 0.001 * 2**number)))
        if len(items) == 1:
            await self._park(items[0], failure)
            return
        middle = len(items) // 2
        await self._run(items[:middle])
        await self._run(items[middle:])

    async def _park(self, item: _Item, failure: str) -> None:
        letter = DeadLetter("failed", failure, TRIES_MAX, "saga")
        await self._lot.park(item.record, item.queue, item.answer.message_id, letter)
        self._count("failed", 1)

    async def _without_parked(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """Those whose saga is parked line up behind; the others are left."""
        parked = await self._lot.parked(item.queue for item in items)
        late = [item for item in items if item.queue in parked]
        if late:
            await self._lot.line_up(
                [waiting(item.record, item.queue, item.answer.message_id) for item in late]
            )
            self._count("waiting", len(late))
        return [item for item in items if item.queue not in parked]

    async def _attempt(self, items: Sequence[_Item]) -> None:
        free = partial(self._lot.demand_free, queues=[item.queue for item in items])
        await self._answer([item.answer for item in items], free)
        self._count("handled", len(items))

    async def _answer(self, answers: Sequence[Answer], also: Callable[[Statement], None]) -> None:
        CHUNK_RECORDS.observe(len(answers))
        with CHUNK_SECONDS.time():
            async with asyncio.timeout(TIMEOUT_S):
                ended = await self._engine.answer(answers, also)
        if ended:
            self._freed(ended)

    def _count(self, fate: str, count: int) -> None:
        metrics.records(self._lot.group, fate).inc(count)


def decode_answer(record: Record, at: datetime) -> Answer:
    """The reply in a record. Raises Undecodable when it names no saga or no command."""
    headers = dict(record.headers)  # not all are read, so none is decoded before
    try:
        message_id = parsed(headers["ce_id"])
        saga_id = parsed(headers["ce_correlationid"])
        command_id = parsed(headers["ce_causationid"])
        wire_type = headers["ce_type"].decode()
    except KeyError as missing:
        raise Undecodable(f"no header {missing.args[0]}") from missing
    except (ValueError, TypeError, AttributeError) as broken:
        raise Undecodable(f"header malformed: {type(broken).__name__}") from broken
    contract = REGISTRY.get(wire_type)
    fields, valid = _fields(contract, record.value or b"")
    refusal = contract is not None and issubclass(contract, Rejection)
    known = wire_type if valid else f"{wire_type} (broken)"
    return Answer(message_id, saga_id, Reply(command_id, known, fields, at, refusal and valid))


def _fields(contract: type[Message] | None, data: bytes) -> tuple[Fields, bool]:
    """The answer's fields, and whether they match its contract. What does not is no answer: it
    leaves its step in doubt, and the saga deals with that."""
    try:
        if contract is not None:
            contract.__pydantic_validator__.validate_json(data)
        fields = orjson.loads(data)
    except (ValidationError, orjson.JSONDecodeError):
        return {}, False
    return (fields, True) if isinstance(fields, dict) else ({}, False)
