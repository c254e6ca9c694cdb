"""The ids of a saga's commands, computed a second time from their definition (DECISIONS 7).

A UUIDv7-shaped value: the first 48 bits are the saga's (its start time), the others are a hash of
saga, step, direction and round.
"""

from hashlib import blake2b
from uuid import UUID

FORWARD, BACKWARD = 0, 1


def command_id(saga_id: UUID, step: int, direction: int, rounds: int) -> UUID:
    """The id of a step's command (FORWARD) or of its compensation (BACKWARD)."""
    what = f"c{step}.{direction}.{rounds}".encode()
    digest = blake2b(saga_id.bytes + what, digest_size=10).digest()
    number = int.from_bytes(saga_id.bytes[:6] + digest, "big")
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return UUID(int=number)
