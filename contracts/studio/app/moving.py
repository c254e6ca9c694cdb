"""Another container or page for an entity, with all that is inside it."""

from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event, Reply
from contracts.studio.app.breaking import Break
from contracts.studio.app.kinds import EntityKind


class MoveOutcome(Reply):
    """What a move made, or in a dry run would make, of the head.

    `entity_id`: the entity's id afterwards; it follows the place, as that of what is inside does.
    `entity_version`: its version from now on. `revision_id`: the new head; null in a dry run.
    `breaks`: what means nothing, or something else, from now on; none within a page. `more`: there
    are more than are listed.
    """

    app_id: UUID
    entity_id: str
    entity_version: int
    revision_id: UUID | None
    breaks: list[Break]
    more: bool


class EntityMoved(Event):
    """An entity, with all that is inside it, is somewhere else. `previous_entity_id`: the id that
    it had. `entity_ids`: all whose sources moved or changed, by the ids that they had; the
    first 2,000, or 400 KB of them."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    previous_entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    entity_ids: list[str]
    revision_id: UUID


class MoveEntity(Command[MoveOutcome], permission="app.edit"):
    """Put a widget, with all that is inside it, into another container or on another page; a query,
    or a script with its functions, on another page.

    `page`: the page to move to (its folder); the same page when empty. Of widgets:
    `container_id`, the container (empty = the page's canvas); `canvas_id`, the `widgetId` of one of
    its canvases, as of a tab (empty = its first); `place` among the widgets in there, from 0, where
    the format keeps an order (null = the last).

    Within a page nothing breaks. On another page names mean other things: refused as EntityInUse
    when any would, unless `breaking` says so; and when a name is taken there. `dry_run`: answer
    what breaks, and change nothing.
    """

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int
    page: str = Field(default="", max_length=500)
    container_id: str = Field(default="", max_length=2000)
    canvas_id: str = Field(default="", max_length=200)
    place: int | None = Field(default=None, ge=0)
    breaking: bool = False
    dry_run: bool = False
