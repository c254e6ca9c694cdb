"""What an edit changes: entities that differ, and how many there are."""

from collections.abc import Iterable

from services.studio.appsmith import Change, Difference, Kind, Section, diff
from services.studio.store.contents import entities_of


def only(sections: dict[str, Section], names: set[str]) -> dict[str, Section]:
    """Those of these names."""
    return {name: one for name, one in sections.items() if name in names}


def compared(was: dict[str, Section], now: dict[str, Section]) -> list[Difference]:
    """What differs."""
    return list(diff(entities_of(was), entities_of(now)))


def counted(counts: dict[str, int], changes: Iterable[Difference]) -> dict[str, int]:
    """Entities by kind, after some changes."""
    found = {kind.value: counts.get(kind.value, 0) for kind in Kind}
    for one in changes:
        if one.change is not Change.CHANGED:
            found[one.entity.kind.value] += 1 if one.change is Change.ADDED else -1
    return found
