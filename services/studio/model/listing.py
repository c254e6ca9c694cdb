"""How much of a long list a message may hold: Kafka takes 1 MiB, whatever strangers' names are."""

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from contracts.base import Message
from contracts.studio.app import CHANGES_MAX

T = TypeVar("T")
M = TypeVar("M", bound=Message)

LIST_BYTES_MAX = 400_000
"""So much of one list is told; with what else is in a message it is well below Kafka's limit."""

ANSWER_BYTES_MAX = 2_000_000
"""And so much of one that is answered at the door alone."""


def ids_told(entity_ids: Iterable[str]) -> list[str]:
    """The first of them: ids are made of paths, and 2,000 may be 2 MB."""
    return listed(entity_ids, CHANGES_MAX, _json_size)


def told(messages: Iterable[M], at_most: int, bytes_max: int = ANSWER_BYTES_MAX) -> list[M]:
    """The first of them, as many as there is room for."""
    return listed(messages, at_most, lambda one: len(one.model_dump_json().encode()), bytes_max)


def listed(
    values: Iterable[T], at_most: int, size_of: Callable[[T], int], bytes_max: int = LIST_BYTES_MAX
) -> list[T]:
    """The first `at_most`, as far as they are small enough together."""
    told: list[T] = []
    left = bytes_max
    for value in values:
        left -= size_of(value) + 1
        if left < 0 or len(told) == at_most:
            break
        told.append(value)
    return told


def _json_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))
