"""What an edit changes: entities that differ, what their code says, how many there are."""

from collections.abc import Iterable, Mapping

from services.studio.appsmith import Change, Difference, Kind, Section, diff
from services.studio.references import readings_in, stored
from services.studio.store.contents import entities_of


def only(sections: dict[str, Section], names: set[str]) -> dict[str, Section]:
    """Those of these names."""
    return {name: one for name, one in sections.items() if name in names}


def compared(
    was: dict[str, Section], now: dict[str, Section]
) -> tuple[list[Difference], dict[str, str]]:
    """What differs, and what each entity that is new or changed takes by name."""
    changes = list(diff(entities_of(was), entities_of(now)))
    return changes, readings_of(changes, now)


def readings_of(changes: Iterable[Difference], sections: Mapping[str, Section]) -> dict[str, str]:
    """The stored readings of all that is there afterwards, by id."""
    by_section: dict[str, set[str]] = {}
    for one in changes:
        if one.after is not None:
            by_section.setdefault(one.after.section, set()).add(one.after.entity_id)
    return {
        entity_id: stored(reading)
        for name, entity_ids in by_section.items()
        for entity_id, reading in readings_in(sections[name], entity_ids).items()
    }


def counted(counts: dict[str, int], changes: Iterable[Difference]) -> dict[str, int]:
    """Entities by kind, after some changes."""
    found = {kind.value: counts.get(kind.value, 0) for kind in Kind}
    for one in changes:
        if one.change is not Change.CHANGED:
            found[one.entity.kind.value] += 1 if one.change is Change.ADDED else -1
    return found
