"""Kept in memory: what is immutable, the least used first to go."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Values under names that always mean the same; one process's own."""

    def __init__(self) -> None:
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._size = 0

    def get(self, key: K) -> V | None:
        """None when it is not kept, or not any more."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def peek(self, key: K) -> V | None:
        """The same, and it counts as no use."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, size: int, size_max: int) -> None:
        """Keep it while all that is kept is at most `size_max`, in what unit the caller likes; what
        alone is more is not kept."""
        if key in self._kept or size > size_max:
            return
        self._kept[key] = (value, size)
        self._size += size
        while self._size > size_max:
            _, (_, gone) = self._kept.popitem(last=False)
            self._size -= gone

    def clear(self) -> None:
        """Keep nothing of it: what is asked for next is read from where it is stored."""
        self._kept.clear()
        self._size = 0
