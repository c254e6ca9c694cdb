"""Heads move: whatever edits an app ends with a revision of what it made."""

from chassis.clock import Clock, new_id
from chassis.context import Context
from services.studio.model import App, Apps, Content, Revisions
from services.studio.model.past import Past


def advance_head(
    app: App,
    content: Content,
    message: str,
    apps: Apps,
    revisions: Revisions,
    clock: Clock,
    context: Context,
    past: Past | None = None,
) -> bool:
    """Whether there is a new revision: with the content that the head has, there is none. `past`:
    where it is not the head's."""
    if content.digest == app.head_digest:
        return False
    revision = app.advance(new_id(), content, message, context.actor_id, clock.now(), past)
    revisions.save(revision)
    apps.save(app)
    return True
