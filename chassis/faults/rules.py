"""Rules: what shall go wrong at a fault point, and which messages it is about."""

import hashlib
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chassis.clock import new_id
from chassis.messaging.envelope import Envelope, Record, read_headers
from chassis.messaging.outbox import Outgoing

EXPIRES_S_MAX = 600

Action = Literal["kill", "error", "unavailable", "delay", "refuse"]
_ANY: frozenset[str] = frozenset(("kill", "error", "unavailable", "delay"))

POINTS: dict[str, frozenset[str]] = {
    "consumer.before_handle": _ANY,  # records are here, nothing is done
    "participant.before_tx": _ANY,  # before inbox and aggregates are read
    "participant.handle": _ANY | {"refuse"},  # right before a message's handler
    "participant.after_tx": _ANY,  # committed; the caller does not know yet
    "outbox.before_commit": _ANY,  # the statement is ready, and not sent to Postgres
    "outbox.after_commit": _ANY,  # committed; an error is a lost acknowledgement
    "relay.before_publish": _ANY,  # rows are in memory, and not given to Kafka
    "relay.after_publish_before_delete": frozenset({"kill"}),  # Kafka has them, so has the table
    "consumer.after_commit_before_ack": _ANY,  # effects are durable, the offset is not
    "saga.before_persist": _ANY,  # decided, not written
    "saga.after_persist_before_send": frozenset({"kill", "delay"}),  # written, commands in memory
    "saga.tick": _ANY,  # due sagas are claimed, and nothing is decided
}
"""Every point, and what may happen there."""


class Rule(BaseModel):
    """What shall go wrong, where, for which messages, how often, and for how long at most.

    Empty filters match everything. `step` is a command's or a compensation's contract name;
    `direction` is `backward` for compensations; `message_type` is a wire type (for `saga.tick` the
    saga's name). `probability` is thrown by `seed`, the same throws for the same seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule_id: UUID = Field(default_factory=new_id)
    point: str
    action: Action
    delay_ms: int = Field(default=0, ge=0, le=60_000, validate_default=True)
    message_type: str = ""
    topic: str = ""
    direction: Literal["", "forward", "backward", "locking"] = ""
    workspace_id: UUID | None = None
    step: str = ""
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    times: int = Field(default=1, ge=1, le=1_000_000)
    expires_in_s: float = Field(default=60, gt=0, le=EXPIRES_S_MAX)

    @field_validator("point")
    @classmethod
    def _known(cls, point: str) -> str:
        if point not in POINTS:
            raise ValueError(f"choose one of {', '.join(POINTS)}")
        return point

    @field_validator("action")
    @classmethod
    def _possible(cls, action: str, given: ValidationInfo) -> str:
        possible = POINTS.get(given.data.get("point", ""))
        if possible is not None and action not in possible:
            raise ValueError(f"at this point only {', '.join(sorted(possible))}")
        return action

    @field_validator("delay_ms")
    @classmethod
    def _long_enough(cls, delay_ms: int, given: ValidationInfo) -> int:
        if (given.data.get("action") == "delay") != (delay_ms > 0):
            raise ValueError("belongs to the action delay, which needs it")
        return delay_ms


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes a point, as far as rules look at it."""

    type: str = ""
    topic: str = ""
    direction: str = ""
    workspace_id: str = ""

    @property
    def step(self) -> str:
        """`ReserveQuota` of `billing.ReserveQuota.v1`."""
        parts = self.type.split(".")
        return parts[1] if len(parts) == 3 else ""

    @classmethod
    def of(cls, item: object) -> "Passage":
        """Of an envelope, a row of the outbox, a record."""
        if isinstance(item, Passage):
            return item
        if isinstance(item, Envelope):
            direction = _direction(item.topic, item.forward_id)
            workspace_id = str(item.workspace_id) if item.workspace_id else ""
            return cls(item.type, item.topic, direction, workspace_id)
        if isinstance(item, Outgoing):
            topic, headers = item.topic, item.headers
        else:
            record: Record = item  # type: ignore[assignment]  # what else a consumer gets
            topic, headers = record.topic, read_headers(record.headers)
        return cls(
            headers.get("ce_type", ""),
            topic,
            _direction(topic, headers.get("ce_forwardid")),
            headers.get("ce_workspaceid", ""),
        )


@dataclass(slots=True)
class Armed:
    """A rule in force. Times are the clock's monotonic seconds."""

    rule: Rule
    until: float
    thrown: int = 0
    fired: int = 0

    def matches(self, point: str, passage: Passage) -> bool:
        """Whether it fires for this one; a throw of its dice."""
        rule = self.rule
        wanted = (
            rule.point == point
            and rule.message_type in ("", passage.type)
            and rule.topic in ("", passage.topic)
            and rule.direction in ("", passage.direction)
            and rule.step in ("", passage.step)
            and (rule.workspace_id is None or str(rule.workspace_id) == passage.workspace_id)
        )
        if not wanted:
            return False
        self.thrown += 1
        return rule.probability >= 1 or _throw(rule.seed, self.thrown) < rule.probability


def _direction(topic: str, forward_id: object) -> str:
    if not topic.startswith("cmd."):
        return ""
    return "backward" if forward_id else "forward"


def _throw(seed: int, number: int) -> float:
    """A number in [0, 1) that follows from the seed and its place in the row of throws."""
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / float(1 << 56)
