"""SagaChunk: the orchestrator's ChunkHandler. Replies in, one transaction out."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import orjson
import structlog
from pydantic import ValidationError

from chassis.clock import Clock, jittered
from chassis.errors import Conflict, Unavailable
from chassis.messaging.deadletters import DeadLetter, DeadLetters, place_of
from chassis.messaging.envelope import Record, Undecodable
from chassis.messaging.metrics import CHUNK_RECORDS, CHUNK_RERUNS, CHUNK_SECONDS
from chassis.saga.engine import Answer
from chassis.saga.ids import parsed
from chassis.saga.inputs import Reply
from chassis.saga.state import Fields
from contracts.base import REGISTRY, Message, Rejection

log = structlog.get_logger()

CONFLICTS_MAX = 12
TRIES_MAX = 3
TIMEOUT_S = 30.0
PAUSE_S = 0.05


class Answering(Protocol):
    """What the chunk needs of the engine."""

    async def answer(self, answers: Sequence[Answer]) -> int: ...


class SagaChunk:
    """Handles the records of `reply.orchestrator.v1`. `freed` hears how many sagas ended."""

    def __init__(
        self,
        engine: Answering,
        dead_letters: DeadLetters,
        clock: Clock,
        freed: Callable[[int], None] = lambda ended: None,
    ) -> None:
        self._engine = engine
        self._dead_letters = dead_letters
        self._clock = clock
        self._freed = freed

    async def __call__(self, records: Sequence[Record]) -> None:
        """Returns when all effects are durable. Raises Unavailable: call again with the same."""
        answers: list[tuple[Answer, Record]] = []
        at = self._clock.now()
        for record in records:
            try:
                answers.append((decode_answer(record, at), record))
            except Undecodable as error:
                await self._dead_letters.put(record, DeadLetter("undecodable", str(error), 1))
        await self._run(answers)

    async def _run(self, answers: Sequence[tuple[Answer, Record]]) -> None:
        """All in one transaction; when that fails, in halves; alone, a few tries more."""
        if not answers:
            return
        failure = ""
        for number in range(CONFLICTS_MAX):
            try:
                await self._attempt([answer for answer, _ in answers])
                return
            except Conflict:
                CHUNK_RERUNS.labels("conflict").inc()
                failure = "conflict"
            except Unavailable:
                raise
            except Exception as error:
                CHUNK_RERUNS.labels("failure").inc()
                log.warning("saga_chunk_failed", records=len(answers), error=place_of(error))
                failure = place_of(error)
                if len(answers) > 1 or number + 1 >= TRIES_MAX:
                    break
            await self._clock.sleep(jittered(min(PAUSE_S, 0.001 * 2**number)))
        if len(answers) == 1:
            letter = DeadLetter("failed", failure, TRIES_MAX, "saga")
            await self._dead_letters.put(answers[0][1], letter)
            return
        middle = len(answers) // 2
        await self._run(answers[:middle])
        await self._run(answers[middle:])

    async def _attempt(self, answers: Sequence[Answer]) -> None:
        CHUNK_RECORDS.observe(len(answers))
        with CHUNK_SECONDS.time():
            async with asyncio.timeout(TIMEOUT_S):
                ended = await self._engine.answer(answers)
        if ended:
            self._freed(ended)


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
        raise Undecodable(str(broken)) from broken
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
