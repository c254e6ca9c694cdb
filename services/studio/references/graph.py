"""The graph of a page: who uses whom. References never leave a page, so pages are graphs apart."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from services.studio.appsmith import Entity, Kind
from services.studio.appsmith.entities import NAMED
from services.studio.references.platform import PLATFORM
from services.studio.references.readings import Reading, Use

MEANT_MAX = 100
RUNNABLE = (Kind.QUERY, Kind.SCRIPT, Kind.SCRIPT_FUNCTION)


@dataclass(frozen=True, slots=True)
class Reference:
    """A use whose name an entity has: ids of both ends."""

    source_id: str
    target_id: str
    use: Use


@dataclass(frozen=True, slots=True)
class Dangling:
    """A use of a name that nobody on the page has. `meant`: a name that may be meant, or empty."""

    source_id: str
    use: Use
    meant: str = ""


class PageGraph:
    """Entities of one page and their readings by entity id, tied together. `given`: names that the
    app's libraries bring."""

    def __init__(
        self,
        entities: Iterable[Entity],
        readings: Mapping[str, Reading],
        given: Container[str] = (),
    ) -> None:
        self.entities = {entity.entity_id: entity for entity in entities}
        self._given = given
        self._named: dict[str, Entity] = {}
        self._functions: dict[tuple[str, str], str] = {}
        self._children: dict[str, list[str]] = defaultdict(list)
        for entity in self.entities.values():
            if entity.parent_id:
                self._children[entity.parent_id].append(entity.entity_id)
            if entity.kind in NAMED:
                self._named.setdefault(entity.name, entity)
            elif entity.kind is Kind.SCRIPT_FUNCTION:
                self._functions[entity.parent_id, entity.name] = entity.entity_id
        self.readings = readings
        self.references: list[Reference] = []
        self._dangling: list[tuple[str, Use]] = []
        for source, reading in readings.items():
            for use in reading.uses:
                self._tie(source, use)
        self.outgoing = self._by(lambda one: one.source_id)
        self.incoming = self._by(lambda one: one.target_id)

    @property
    def missing(self) -> frozenset[str]:
        """Names that are used and that nobody has."""
        return frozenset(use.name for _, use in self._dangling)

    def dangling(self) -> list[Dangling]:
        """Uses of names that nobody has, with the likeliest name (other case, a typo): of the first
        MEANT_MAX missing names, for each is compared with all that there are."""
        names = {name.lower(): name for name in self._named}
        missing = list(dict.fromkeys(use.name for _, use in self._dangling))[:MEANT_MAX]
        meant = {}
        for name in missing:
            close = get_close_matches(name.lower(), names, n=1, cutoff=0.8)
            meant[name] = names[close[0]] if close else ""
        return [Dangling(source, use, meant.get(use.name, "")) for source, use in self._dangling]

    def unused(self) -> list[str]:
        """Queries, scripts and functions that nothing refers to and that no page runs on load.

        A function is used with any use of its script that does not name one, and a script with any
        of its functions."""
        used = {one.target_id for one in self.references if one.source_id != one.target_id}
        used |= {self.entities[i].parent_id for i in used if i in self.entities}
        whole = {
            one.target_id
            for one in self.references
            if not one.use.members and self.entities[one.target_id].kind is Kind.SCRIPT
        }
        return [
            entity.entity_id
            for entity in self.entities.values()
            if entity.kind in RUNNABLE
            and entity.entity_id not in used
            and entity.parent_id not in whole
            and not entity.fields.get("on_load")
        ]

    def reach(self, start: str, *, users: bool, depth: int) -> dict[str, int]:
        """Ids that `start` uses, or that use it (`users`), with their distance, nearest first."""
        ties = self.incoming if users else self.outgoing
        found: dict[str, int] = {}
        border = self._family(start)
        seen = set(border)
        for distance in range(1, depth + 1):
            ring: list[str] = []
            for here in border:
                for one in ties.get(here, ()):
                    there = one.source_id if users else one.target_id
                    if there not in seen:
                        seen.add(there)
                        found[there] = distance
                        ring.append(there)
            border = [other for one in ring for other in self._family(one)]
            seen.update(border)
            if not border:
                break
        return found

    def inside(self, start: str) -> set[str]:
        """Ids of an entity and of what is in it: a container's widgets, a script's functions."""
        found, pending = {start}, [start]
        while pending:
            fresh = [i for i in self._children.get(pending.pop(), ()) if i not in found]
            found.update(fresh)
            pending += fresh
        return found

    def _family(self, entity_id: str) -> list[str]:
        """A script's functions have no uses of their own: their script has them."""
        entity = self.entities.get(entity_id)
        if entity is not None and entity.kind is Kind.SCRIPT_FUNCTION:
            return [entity_id, entity.parent_id]
        return [entity_id]

    def _tie(self, source: str, use: Use) -> None:
        target = self._named.get(use.name)
        if target is None:
            if use.name not in PLATFORM and use.name not in self._given:
                self._dangling.append((source, use))
            return
        function = self._functions.get((target.entity_id, use.members[0])) if use.members else None
        self.references.append(Reference(source, function or target.entity_id, use))

    def _by(self, end: Callable[[Reference], str]) -> dict[str, list[Reference]]:
        found: dict[str, list[Reference]] = defaultdict(list)
        for one in self.references:
            found[end(one)].append(one)
        return dict(found)
