"""Global ids: opaque to clients, and complete: each carries its tenant and all its parents.

An id is base64url of ``Kind:part:part``, such as ``App:<workspace>:<app>``. Decoding one gives the
contract fields that it stands for, so that a mutation on an app needs no workspace argument, and
two ids that belong to different workspaces contradict each other instead of being believed.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

ID_LENGTH_MAX = 1024

PARTS: dict[str, tuple[str, ...]] = {
    "User": ("user_id",),
    "Session": ("session_id",),
    "Workspace": ("workspace_id",),
    "Member": ("workspace_id", "user_id"),
    "Invitation": ("workspace_id", "invitation_id"),
    "App": ("workspace_id", "app_id"),
    "Entity": ("workspace_id", "app_id", "entity_id"),
    "Revision": ("workspace_id", "app_id", "revision_id"),
    "Release": ("workspace_id", "app_id", "release_id"),
    "Operation": ("workspace_id", "owner", "operation_id"),
}
"""The contract fields that an id of each kind carries, outermost first."""

TEXT_PARTS = {"entity_id", "owner"}
"""The parts that are not UUIDs. Only a last part may contain a colon."""

KIND_OF_FIELD: dict[str, str] = {
    **{parts[-1]: kind for kind, parts in PARTS.items() if kind != "Member"},
    "owner_id": "User",
    "actor_id": "User",
    "inviter_id": "User",
    "invited_by": "User",
    "published_by": "User",
    "previous_entity_id": "Entity",
    "original_entity_id": "Entity",
    "container_id": "Entity",
    "parent_id": "Entity",
    "head_revision_id": "Revision",
    "expected_head_revision_id": "Revision",
    "base_revision_id": "Revision",
    "restored_revision_id": "Revision",
    "revision_base": "Revision",
    "revision_theirs": "Revision",
    "revision_before": "Revision",
    "revision_after": "Revision",
    "previous_release_id": "Release",
    "live_release_id": "Release",
    "to_release_id": "Release",
    "expected_live_release_id": "Release",
}
"""What a contract field of this name refers to. Fields not listed are plain values."""


class InvalidId(ValueError):
    """The text is not a global id of the wanted kind."""


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A decoded id: its kind and the contract fields that it carries."""

    kind: str
    fields: Mapping[str, UUID | str]

    @property
    def workspace_id(self) -> UUID | None:
        """The tenant; None for users and sessions, which belong to none."""
        value = self.fields.get("workspace_id")
        return value if isinstance(value, UUID) else None


def encode(kind: str, *parts: UUID | str) -> str:
    """The global id of a thing; parts outermost first, as PARTS names them."""
    assert len(parts) == len(PARTS[kind]), f"{kind} ids have the parts {PARTS[kind]}"
    text = ":".join((kind, *map(str, parts)))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(text: str, *kinds: str) -> GlobalId:
    """Read an id, of one of the given kinds if any are given. InvalidId otherwise."""
    if len(text) > ID_LENGTH_MAX:
        raise InvalidId("is too long")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        kind, _, rest = raw.decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidId("is not a global id") from error
    names = PARTS.get(kind)
    if names is None or (kinds and kind not in kinds):
        raise InvalidId(f"is not the id of a {' or '.join(kinds) or 'known kind'}")
    values = rest.split(":", len(names) - 1)
    if len(values) != len(names) or not all(values):
        raise InvalidId("is not a global id")
    return GlobalId(
        kind, {name: _part(name, value) for name, value in zip(names, values, strict=True)}
    )


def _part(name: str, value: str) -> UUID | str:
    if name in TEXT_PARTS:
        return value
    try:
        return UUID(value)
    except ValueError as error:
        raise InvalidId("is not a global id") from error
