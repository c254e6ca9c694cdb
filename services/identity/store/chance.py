"""Chance from the machine: ids and secrets."""

import secrets
from uuid import UUID

from chassis.clock import new_id
from chassis.resources import Resources

SECRET_BYTES = 32


class SystemMint:
    """See services.identity.model.passwords.Mint."""

    def __init__(self, resources: Resources) -> None:
        pass

    def id(self) -> UUID:
        """A UUIDv7."""
        return new_id()

    def secret(self) -> bytes:
        """256 bits that nobody can guess."""
        return secrets.token_bytes(SECRET_BYTES)
