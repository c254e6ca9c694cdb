"""Another name for a widget, query or script, with all that refers to it."""

from uuid import UUID

from pydantic import Field

from contracts.base import Command, Event, Reply
from contracts.studio.app.kinds import EntityKind

CHANGES_MAX = 2_000
"""So many places are listed of one rename; all are changed."""


class RenameChange(Reply):
    """A place that a rename changes: in the value at `path` of an entity's JSON (empty: in its
    text), from code point `start` on, `before` becomes `after`."""

    entity_id: str
    path: str
    start: int
    before: str
    after: str


class RenameDoubt(Reply):
    """A place that may mean what is renamed, and stays: only running it would tell. `text`: what
    stands there from code point `start` on, its first 300 characters."""

    entity_id: str
    path: str
    start: int
    text: str


class RenameOutcome(Reply):
    """What a rename made, or in a dry run would make, of the head.

    `entity_id`: the entity's id afterwards; in the newest format it follows the name, as that of
    what is inside it does. `entity_version`: its version from now on. `revision_id`: the new head;
    null in a dry run. `mentions`: texts that a function takes for the name, as in
    `showModal('Dialog')` or `navigateTo('Orders')`, and that stay as they are unless the command
    says otherwise. `unclear`: places that may mean it, and stay. `more`: there are more changes,
    mentions or unclear places than are listed.
    """

    app_id: UUID
    entity_id: str
    name: str
    entity_version: int
    revision_id: UUID | None
    changes: list[RenameChange]
    mentions: list[RenameChange]
    unclear: list[RenameDoubt] = Field(default_factory=list)
    more: bool


class EntityRenamed(Event):
    """An entity has another name, and whoever uses it says so. `previous_entity_id`: the id that it
    had. `entity_ids`: all whose sources changed, by the ids that they had; the first
    2,000, or 400 KB of them."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    previous_entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    entity_ids: list[str]
    revision_id: UUID


class RenameEntity(Command[RenameOutcome], permission="app.edit"):
    """Give a widget, query, script, function of a script or page another name, and its users with
    it: all and only the true references, in one revision. Refused when the name is taken, means
    something else in code already, or would be taken by a variable. `with_mentions`: change texts
    that functions take for the name, too. `dry_run`: answer the same, and change nothing."""

    workspace_id: UUID
    app_id: UUID
    entity_id: str
    expected_version: int
    name: str = Field(min_length=1, max_length=200)
    with_mentions: bool = False
    dry_run: bool = False
