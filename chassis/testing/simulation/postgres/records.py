"""Records: rows that answer to a place and to a name, as asyncpg's do."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar


class Record(tuple[Any, ...]):  # a row holds anything
    """One row of a result."""

    places: ClassVar[dict[str, int]] = {}
    __slots__ = ()

    def __getitem__(self, place: Any) -> Any:  # a place, a slice or a name
        if type(place) is str:
            return tuple.__getitem__(self, self.places[place])
        return tuple.__getitem__(self, place)

    def keys(self) -> Iterator[str]:
        return iter(self.places)

    def values(self) -> Iterator[Any]:
        return iter(self)

    def items(self) -> Iterator[tuple[str, Any]]:
        return zip(self.places, self, strict=True)

    def get(self, name: str, default: Any = None) -> Any:  # whatever the column holds
        return self[name] if name in self.places else default


@lru_cache(maxsize=1024)
def record_type(names: tuple[str, ...]) -> type[Record]:
    """The records of a result with these columns."""
    places = {name: place for place, name in enumerate(names)}
    return type("Record", (Record,), {"places": places, "__slots__": ()})
