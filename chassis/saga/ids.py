"""Ids that follow from others, so that a lost row or reply never loses an id.

A command id is UUIDv7-shaped: its time is the saga's start, so that inbox rows can be pruned by id
range, and its other bits are a hash of (saga, step, direction, round). The round is 0 unless a
command that must succeed was refused: then, and only then, it goes out under a new id, because the
inbox would repeat the old refusal for ever.
"""

from hashlib import blake2b
from uuid import UUID

FORWARD = 0
BACKWARD = 1

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_LOW_62 = (1 << 62) - 1


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


def _derived(saga_id: UUID, what: bytes) -> UUID:
    digest = int.from_bytes(blake2b(saga_id.bytes + what, digest_size=10).digest(), "big")
    time = saga_id.int >> 80 << 80
    middle = (digest >> 62 & 0xFFF) << 64
    return UUID(int=time | _VERSION_7 | middle | _VARIANT | digest & _LOW_62)
