"""Answers: every outcome of a request as a status, a typed body and a metric's label."""

import math

import orjson
from starlette.responses import Response

from chassis.errors import (
    Conflict,
    FieldError,
    IdempotencyKeyReused,
    InvalidMessage,
    NotAllowed,
    Rejected,
    Unanswered,
    Unavailable,
)
from contracts.base import Message

JSON = "application/json"
RETRY_AFTER_S = 1.0


class NoSuchContract(Exception):
    """This door does not take such a message."""


class Unidentified(NotAllowed):
    """The request carries no signed context at all."""


def message_body(message: Message) -> bytes:
    """`{"type": <wire type>, "data": {...}}`, straight from pydantic's serializer."""
    data: bytes = message.__pydantic_serializer__.to_json(message)
    return b'{"type":"' + message.address.type.encode() + b'","data":' + data + b"}"


def answered(message: Message) -> Response:
    """200."""
    return Response(message_body(message), media_type=JSON)


def failed(error: BaseException, trace_id: str) -> tuple[str, Response]:
    """The outcome's label and the answer. An error of no known fate is `internal`: its text stays
    in the log, the caller gets the trace id to find it by."""
    match error:
        case Rejected():
            body = message_body(error.rejection)
            return "rejected", Response(body, 422, media_type=JSON)
        case InvalidMessage():
            return "invalid", _typed(400, "invalid", errors=[_field(e) for e in error.errors])
        case NoSuchContract():
            return "unknown", _typed(404, "unknown", message=str(error))
        case Unidentified():
            return "forbidden", _typed(401, "forbidden", message=str(error))
        case NotAllowed():
            return "forbidden", _typed(403, "forbidden", message=str(error))
        case IdempotencyKeyReused():
            return "conflict", _typed(409, "idempotency_key_reused")
        case Conflict():
            return "conflict", _typed(409, "conflict")
        case Unanswered() | TimeoutError():
            return "deadline", _typed(504, "deadline")
        case Unavailable():
            answer = _typed(503, "unavailable")
            seconds = RETRY_AFTER_S if error.retry_after is None else error.retry_after
            answer.headers["retry-after"] = str(max(1, math.ceil(seconds)))
            return "unavailable", answer
        case _:
            return "internal", _typed(500, "internal", trace_id=trace_id)


def _typed(status: int, kind: str, **fields: object) -> Response:
    return Response(orjson.dumps({"type": kind, **fields}), status, media_type=JSON)


def _field(error: FieldError) -> dict[str, str]:
    return {"field": error.field, "rule": error.rule, "message": error.message}
