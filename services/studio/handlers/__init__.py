"""What studio does when it is asked: apps, entities, imports, and its part in sagas."""

from services.studio.handlers import (
    apps,
    entities,
    imports,
    refactorings,
    releases,
    renames,
    revisions,
    room,
)

HANDLERS = (
    *apps.HANDLERS,
    *entities.HANDLERS,
    *imports.HANDLERS,
    *refactorings.HANDLERS,
    *releases.HANDLERS,
    *renames.HANDLERS,
    *revisions.HANDLERS,
    *room.HANDLERS,
)
