"""Sessions: who is logged in where."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from contracts.identity.session import RevocationReason


@dataclass
class Session:
    """A logged-in client. Of its token there is only a digest: it cannot be shown again."""

    session_id: UUID
    user_id: UUID
    token_digest: str
    client: str
    opened_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None

    def revoke(self, reason: RevocationReason, now: datetime) -> bool:
        """End it. False: it has ended already."""
        if self.revoked_at is not None:
            return False
        self.revoked_at, self.reason = now, reason
        return True


class Sessions(Protocol):
    """Where sessions are kept."""

    async def get(self, session_id: UUID) -> Session | None: ...

    async def open_ones(self, user_id: UUID, now: datetime) -> list[Session]:
        """A user's sessions that are neither revoked nor too old, oldest first."""
        ...

    def save(self, session: Session) -> None: ...


def token_of(secret: bytes) -> str:
    """The text that a client holds."""
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def token_digest(token: str) -> str:
    """What is kept of a token. A plain hash will do: nobody guesses 256 bits."""
    return sha256(token.encode()).hexdigest()


def surplus(sessions: Sequence[Session], sessions_max: int) -> Sequence[Session]:
    """The oldest, that give way to a new one. `sessions` are oldest first."""
    return sessions[: max(0, len(sessions) - sessions_max + 1)]
