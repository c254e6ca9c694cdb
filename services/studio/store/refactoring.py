"""Moves, copies and deletions, between the format's library and the draft."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.studio.app import Break as Told
from contracts.studio.app import BreakKind, DeleteEntity, DuplicateEntity, MoveEntity
from services.studio.appsmith import PAGE_PREFIX, App, Edited, Manifest
from services.studio.appsmith.compare import path_text
from services.studio.appsmith.edit import entity_of
from services.studio.model.refactoring import Refactoring
from services.studio.references.breaks import Break
from services.studio.references.delete import delete, needs_all_pages
from services.studio.references.duplicate import duplicate
from services.studio.references.move import Target, move


@dataclass(frozen=True, slots=True)
class Done:
    """The app and the entity afterwards; ids of what went, came or changed; what broke."""

    edited: Edited
    entity_ids: tuple[str, ...]
    breaks: list[Told] = field(default_factory=list)


def sections_for(wanted: Refactoring, app: App, manifest: Manifest) -> list[str]:
    """Sections that it is about, besides those around the entity."""
    there = [one.name for one in manifest.sections if one.name.startswith(PAGE_PREFIX)]
    if isinstance(wanted, MoveEntity):
        return [name for name in there if name == PAGE_PREFIX + wanted.page]
    return there if needs_all_pages(entity_of(app, wanted.entity_id).kind) else []


def carried_out(app: App, wanted: Refactoring) -> Done:
    """Raises EditRefused."""
    match wanted:
        case DeleteEntity():
            gone = delete(app, wanted.entity_id)
            return Done(Edited(gone.app, gone.entity), gone.gone, told(gone.breaks))
        case DuplicateEntity():
            copied = duplicate(app, wanted.entity_id, wanted.name)
            return Done(Edited(copied.app, copied.entity), copied.added)
        case MoveEntity():
            target = Target(wanted.page, wanted.container_id, wanted.canvas_id, wanted.place)
            moved = move(app, wanted.entity_id, target)
            return Done(Edited(moved.app, moved.entity), moved.changed, told(moved.breaks))


def told(breaks: Iterable[Break]) -> list[Told]:
    """Places, as the contract has them."""
    return [
        Told(
            kind=BreakKind(one.effect.value),
            entity_id=one.entity_id,
            name=one.name,
            path=path_text(one.path),
            start=one.start,
            end=one.end,
        )
        for one in breaks
    ]
