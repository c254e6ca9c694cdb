"""What studio does when it is asked: apps, entities, imports, and its part in sagas."""

from services.studio.handlers import apps, entities, imports, releases, room

HANDLERS = (
    *apps.HANDLERS,
    *entities.HANDLERS,
    *imports.HANDLERS,
    *releases.HANDLERS,
    *room.HANDLERS,
)
