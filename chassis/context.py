"""Context: who is calling and what the gateway found them allowed to do, signed.

The gateway authenticates and checks the permission once; services accept only its signature
(HMAC-SHA256, so all of them hold the same key) and filter every load by the workspace in it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from chassis.clock import uuid_of_text
from chassis.errors import NotAllowed

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """The caller of one message. `permission` is the one that was checked, "" over Kafka."""

    actor_id: UUID | None
    workspace_id: UUID | None
    permission: str
    expires_at: datetime


def trusted_context(*, actor_id: UUID | None, workspace_id: UUID | None) -> Context:
    """For a message that came over Kafka, where only services can write."""
    return Context(actor_id, workspace_id, "", _NEVER)


_caller: ContextVar[Context | None] = ContextVar("caller", default=None)


@contextmanager
def called_by(context: Context) -> Iterator[None]:
    """Inside, this is whose request is being answered."""
    token = _caller.set(context)
    try:
        yield
    finally:
        _caller.reset(token)


def current_actor_id() -> UUID | None:
    """Who asked, where a request is being answered; None elsewhere."""
    context = _caller.get()
    return context.actor_id if context else None


def sign(context: Context, key: bytes) -> str:
    """The header's value: the fields as JSON, a dot, the signature; both base64url."""
    body = orjson.dumps(
        {
            "a": context.actor_id and str(context.actor_id),
            "w": context.workspace_id and str(context.workspace_id),
            "p": context.permission,
            "x": int(context.expires_at.timestamp() * 1000),
        }
    )
    return f"{_encode(body)}.{_encode(_signature(body, key))}"


def read_context(text: str, key: bytes, now: datetime) -> Context:
    """Check the signature, then the expiry. Raises NotAllowed."""
    try:
        body_text, _, signature_text = text.partition(".")
        body, signature = _decode(body_text), _decode(signature_text)
    except (binascii.Error, ValueError):
        raise NotAllowed("the context cannot be read") from None
    if not hmac.compare_digest(signature, _signature(body, key)):
        raise NotAllowed("the context is not signed by the gateway")
    fields = orjson.loads(body)
    context = Context(
        actor_id=uuid_of_text(fields["a"]) if fields["a"] else None,
        workspace_id=uuid_of_text(fields["w"]) if fields["w"] else None,
        permission=fields["p"],
        expires_at=datetime.fromtimestamp(fields["x"] / 1000, UTC),
    )
    if context.expires_at <= now:
        raise NotAllowed("the context has expired")
    return context


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"basalt-context\x00" + body, hashlib.sha256)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
