"""The messages of a small world, and who handled them: for Kafka, inboxes and feed."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

Fields = dict[str, Any]  # a message's body

ANSWERED_BY = {
    "cmd.billing.v1": "billing",
    "cmd.studio.v1": "studio",
    "cmd.delivery.v1": "delivery",
}
INTERESTED = {"billing.EntitlementsChanged.v1": ("identity", "studio")}


def named(*name: object) -> UUID:
    """The same name is the same id, in every run."""
    digest = hashlib.blake2b(repr(name).encode(), digest_size=16).digest()
    return UUID(bytes=digest, version=4)


@dataclass(frozen=True)
class Message:
    """One record. `answer`: what its handler answered (commands)."""

    topic: str
    type: str
    key: str
    data: Fields
    id: UUID
    ws: UUID | None = None
    version: int | None = None
    cause: UUID | None = None
    corr: UUID | None = None
    reply_to: str = ""
    answer: str = ""

    @property
    def body(self) -> bytes:
        return json.dumps(self.data, default=str).encode()

    def headers(self) -> dict[str, str]:
        """As the platform writes them."""
        about = {
            "ce_id": self.id,
            "ce_type": self.type,
            "ce_workspaceid": self.ws,
            "ce_aggregateversion": self.version,
            "ce_correlationid": self.corr,
            "ce_causationid": self.cause,
            "ce_replyto": self.reply_to or None,
        }
        return {name: str(value) for name, value in about.items() if value is not None}

    @property
    def is_fact(self) -> bool:
        return self.version is not None

    def handled_by(self) -> list[tuple[str, str | None]]:
        """(group of the inbox, answer) of everybody who handled it."""
        if self.is_fact:
            return [(group, None) for group in ("activity", *INTERESTED.get(self.type, ()))]
        if self.topic.startswith("cmd."):
            return [(ANSWERED_BY[self.topic], self.answer)]
        return [("orchestrator", None)]


@dataclass
class Script:
    """What happened, in order. Damage is done to it before it is written."""

    messages: list[Message] = field(default_factory=list)

    def fact(
        self, wire_type: str, topic: str, key: UUID, version: int, ws: UUID | None, **data: Any
    ) -> None:
        """A public fact, caused by a message of its own."""
        body = {"workspace_id": ws, **data} if ws else data
        name = named(wire_type, key, version)
        self.messages.append(
            Message(topic, wire_type, str(key), body, name, ws, version, named("cause", name))
        )

    def find(self, wire_type: str, key: object = None) -> Message:
        """The one message of this type (and key)."""
        found = [
            m for m in self.messages if m.type == wire_type and key in (None, m.key, UUID(m.key))
        ]
        assert len(found) == 1, f"{len(found)} of {wire_type} {key}"
        return found[0]

    def drop(self, message: Message) -> None:
        """It never happened."""
        self.messages.remove(message)

    def change(self, message: Message, **changes: Any) -> None:
        """It was written otherwise."""
        self.messages[self.messages.index(message)] = replace(message, **changes)
