"""Ids that follow from others, so that a lost row or reply never loses an id.

A command id is UUIDv7-shaped: its time is the saga's start, so that inbox rows can be pruned by id
range, and its other bits are a hash of (saga, step, direction, round). The round is 0 unless a
command that must succeed was refused: then, and only then, it goes out under a new id, because the
inbox would repeat the old refusal for ever.
"""

from hashlib import blake2b
from uuid import UUID

from chassis.clock import uuid_of_bytes, uuid_of_text

FORWARD = 0
BACKWARD = 1


def command_id(saga_id: UUID, step: int, direction: int, rounds: int = 0) -> UUID:
    """The id of a step's command (FORWARD) or compensation (BACKWARD); constant over retries."""
    return _derived(saga_id, b"c%d.%d.%d" % (step, direction, rounds))


def minted_id(saga_id: UUID, name: str) -> UUID:
    """The id that the saga mints under this name."""
    return _derived(saga_id, b"m" + name.encode())


def event_id(saga_id: UUID, number: int) -> UUID:
    """The id of the saga's own `number`-th public event."""
    return _derived(saga_id, b"e%d" % number)


def spread(command: UUID) -> float:
    """0..1, even over commands: spreads retries in time, yet is the same on every replay."""
    return (command.int & 0xFFFF) / 0xFFFF


def parsed(text: bytes) -> UUID:
    """The UUID in a header. Raises ValueError."""
    if len(text) != 36:
        raise ValueError("a UUID has 36 characters")
    return uuid_of_text(text.decode("ascii"))


def _derived(saga_id: UUID, what: bytes) -> UUID:
    own = saga_id.bytes
    shaped = bytearray(own[:6] + blake2b(own + what, digest_size=10).digest())
    shaped[6] = shaped[6] & 0x0F | 0x70  # version 7
    shaped[8] = shaped[8] & 0x3F | 0x80  # variant 10
    return uuid_of_bytes(bytes(shaped))
