"""Where two sides of a merge disagree, and who decides."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from services.studio.appsmith.compare import Path, path_text
from services.studio.appsmith.entities import Kind

CONFLICTS_MAX = 2_000
"""As many are listed; the rest keep ours and can't be chosen."""


Values = tuple[object, object, object]
"""Base's, ours, theirs; MISSING where there is none."""


class Side(StrEnum):
    """Whose way it goes."""

    OURS = "ours"
    THEIRS = "theirs"


class Clash(StrEnum):
    """How two sides disagree. Codes are stable: clients and tests rely on them."""

    CHANGED = "CHANGED"  # both changed the value
    REMOVED = "REMOVED"  # one removed what the other changed, or put something into
    ADDED = "ADDED"  # both added it, and not the same
    NAME_TAKEN = "NAME_TAKEN"  # both added something of this name
    PLACE = "PLACE"  # both moved it, to different places
    ORDER = "ORDER"  # both changed the order
    STRUCTURE = "STRUCTURE"  # each side is whole, the two together would not be
    FORMAT = "FORMAT"  # the sides are of different formats


class Named(Protocol):
    """An entity, or something that stands for one."""

    @property
    def entity_id(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def name(self) -> str: ...
    @property
    def page(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A page, or the app, where there is no entity of it to name."""

    entity_id: str
    kind: Kind
    name: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two changes of which only one can be. `conflict_id` is the same in every repeat of the same
    merge. `path`: where in the entity's JSON, empty for all of it; `line`: where in the base's
    text, from 1, else 0. The values are MISSING where a side has none. `side`: whose way it went.
    """

    conflict_id: str
    entity: Named
    path: Path
    line: int
    clash: Clash
    base: object
    ours: object
    theirs: object
    side: Side


@dataclass
class Referee:
    """Takes conflicts down and decides them: as was chosen, else ours. `was`: the ids that things
    had before the sides were turned to one another, which a choice may change."""

    choices: Mapping[str, Side]
    conflicts: list[Conflict] = field(default_factory=list)
    more: bool = False
    was: Mapping[str, str] = field(default_factory=dict)

    def decide(
        self,
        entity: Named,
        path: Path,
        clash: Clash,
        values: Values,
        line: int = 0,
    ) -> Side:
        """Whose way it goes."""
        if len(self.conflicts) >= CONFLICTS_MAX:
            self.more = True
            return Side.OURS
        entity_id = self.was.get(entity.entity_id, entity.entity_id)
        conflict_id = _id(entity_id, path_text(path), clash, str(line))
        side = self.choices.get(conflict_id, Side.OURS)
        conflict = Conflict(conflict_id, entity, path, line, clash, *values, side)
        self.conflicts.append(conflict)
        return side

    def apart(self) -> "Referee":
        """Another one with the same choices, whose conflicts may yet be dropped."""
        return Referee(self.choices, was=self.was)

    def take(self, other: "Referee") -> None:
        """Take over what another took down."""
        room = CONFLICTS_MAX - len(self.conflicts)
        self.conflicts += other.conflicts[:room]
        self.more |= other.more or len(other.conflicts) > room


class Decide(Protocol):
    """A referee, for one entity."""

    def __call__(self, path: Path, clash: Clash, values: Values, line: int = 0) -> Side: ...


def about(referee: Referee, entity: Named) -> Decide:
    """The referee, for this entity."""

    def decide(path: Path, clash: Clash, values: Values, line: int = 0) -> Side:
        return referee.decide(entity, path, clash, values, line)

    return decide


def pick(side: Side, ours: object, theirs: object) -> object:
    """The value of the side."""
    return ours if side is Side.OURS else theirs


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
