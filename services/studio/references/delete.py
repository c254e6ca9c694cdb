"""Take an entity out, and tell what it leaves behind."""

from dataclasses import dataclass

from services.studio.appsmith import App, Entity, Kind, remove_entity
from services.studio.references.breaks import (
    Break,
    breaks_between,
    without_datasource,
    without_library,
    without_page,
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The app afterwards, the entity that it was, the ids of all that went, and what broke."""

    app: App
    entity: Entity
    gone: tuple[str, ...]
    breaks: tuple[Break, ...]


def delete(app: App, entity_id: str) -> Deleted:
    """Remove an entity with what is inside it. Of what uses a page, a datasource or a library is
    told what is in the sections that are here. Raises EditRefused."""
    edited = remove_entity(app, entity_id)
    entity = edited.entity
    gone = edited.removed or (entity_id,)
    found: list[Break] = []
    if entity.kind is Kind.PAGE:
        found = list(without_page(app, entity))
    elif entity.kind is Kind.DATASOURCE:
        found = list(without_datasource(app, entity))
    elif entity.kind is Kind.LIBRARY:
        found = list(without_library(app, entity))
    elif entity.page:
        after = edited.app.sections.get(entity.section)
        found = breaks_between(
            [app.sections[entity.section]], [after] if after else [], app.given, {}
        )
    return Deleted(edited.app, entity, gone, tuple(found))


def needs_all_pages(kind: Kind) -> bool:
    """Whether what uses such an entity may be on any page."""
    return kind in (Kind.PAGE, Kind.DATASOURCE, Kind.LIBRARY)
