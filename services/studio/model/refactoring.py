"""What moving, duplicating or deleting an entity makes of a draft."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.errors import Rejected
from contracts.studio.app import (
    BREAKS_MAX,
    Break,
    DeleteEntity,
    DuplicateEntity,
    EntityInUse,
    EntityKind,
    MoveEntity,
)
from services.studio.model.listing import told

if TYPE_CHECKING:
    from services.studio.model import Edited

Refactoring = MoveEntity | DuplicateEntity | DeleteEntity
"""What is done to an entity with all that is inside it; renames are told apart, see `renaming`."""


@dataclass(frozen=True)
class Refactored:
    """`edited`: None in a dry run; of the same content where nothing was to be done. `entity_id`:
    the entity's id afterwards, or the copy's. `entity_ids`: all whose sources went, came or
    changed. `breaks`: all places."""

    edited: "Edited | None"
    entity_id: str
    kind: EntityKind
    name: str
    entity_ids: list[str]
    breaks: list[Break]


def demand_whole(app_id: UUID, wanted: Refactoring, breaks: list[Break]) -> None:
    """Rejected when something would break and nobody said that it may."""
    if not breaks or isinstance(wanted, DuplicateEntity) or wanted.breaking or wanted.dry_run:
        return
    listed = told(breaks, BREAKS_MAX)
    raise Rejected(
        EntityInUse(
            app_id=app_id,
            entity_id=wanted.entity_id,
            breaks=listed,
            more=len(breaks) > len(listed),
        )
    )
