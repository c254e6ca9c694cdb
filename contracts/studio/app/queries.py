"""What one may ask about apps, and the answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.base import Query, Reply
from contracts.studio.app.comparing import LineDifference, PropertyDifference
from contracts.studio.app.kinds import EntityKind


class App(Reply):
    """An app as lists show it. `state`: active or archived."""

    app_id: UUID
    workspace_id: UUID
    app_name: str
    state: str
    version: int
    head_revision_id: UUID
    counts: dict[str, int]
    created_at: datetime
    updated_at: datetime


class Apps(Reply):
    """Some apps; `cursor_next` is empty on the last page."""

    apps: list[App]
    cursor_next: str = ""


class ListApps(Query[Apps], permission="workspace.read"):
    """A workspace's apps, newest first."""

    workspace_id: UUID
    archived: bool = False
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = ""


class GetApps(Query[Apps], permission="workspace.read"):
    """Apps by id; the unknown ones are left out."""

    workspace_id: UUID
    app_ids: list[UUID] = Field(max_length=200)


class Entity(Reply):
    """An entity of the head. `source` and `text` are there only when asked for."""

    app_id: UUID
    entity_id: str
    kind: EntityKind
    name: str
    page: str
    parent_id: str
    path: str
    digest: str
    entity_version: int
    fields: dict[str, Any]  # small searchable fields, by kind
    source: dict[str, Any] | None = None  # the entity's own JSON
    text: str | None = None


class Entities(Reply):
    """Some entities, in order of (app, page, path); `cursor_next` is empty on the last page."""

    entities: list[Entity]
    cursor_next: str = ""


class ListEntities(Query[Entities], permission="workspace.read"):
    """Entities of one or several apps; empty lists mean all kinds and all pages.

    With several apps or pages, `limit` counts for each (app, page) apart, so that one query
    serves a batch; `cursor` then has to be empty.
    """

    workspace_id: UUID
    app_ids: list[UUID] = Field(max_length=200)
    kinds: list[EntityKind] = Field(default_factory=list)
    pages: list[str] = Field(default_factory=list)
    name: str = ""
    limit: int = Field(default=200, ge=1, le=1000)
    cursor: str = ""


class GetEntities(Query[Entities], permission="workspace.read"):
    """Entities by id, with their source."""

    workspace_id: UUID
    app_id: UUID
    entity_ids: list[str] = Field(max_length=200)


class Revision(Reply):
    """An immutable state of an app. `tags`: the environments that it went live in.

    Of a commit that was imported: its author, when they made it, and its name there; `actor_id` and
    `created_at` are the import's.
    """

    app_id: UUID
    revision_id: UUID
    number: int
    digest: str
    actor_id: UUID | None
    message: str
    created_at: datetime
    tags: list[str] = Field(default_factory=list)
    author_name: str = ""
    authored_at: datetime | None = None
    commit: str = ""


class Revisions(Reply):
    """Newest first; `cursor_next` is empty on the last page."""

    revisions: list[Revision]
    cursor_next: str = ""


class ListRevisions(Query[Revisions], permission="workspace.read"):
    """The history of an app."""

    workspace_id: UUID
    app_id: UUID
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = ""


class EntityDifference(Reply):
    """`change`: added, removed or changed; digests are empty where there is no such side. What
    was renamed or moved is changed: `previous_entity_id` is the id that it had, if another one.

    The rest is there only when asked for. `properties`: its JSON, by path; of format 4 a page's
    path `children.<widget>` is the order of what is inside a widget. `lines`: its text. `more`:
    there are more differences than are listed. `unlisted`: why none is, `layout` (the same JSON,
    written otherwise), `binary`, `place` (inside of something else, or in another file), or empty.
    """

    entity_id: str
    kind: EntityKind
    name: str
    page: str
    change: str
    digest_before: str = ""
    digest_after: str = ""
    previous_entity_id: str = ""
    properties: list[PropertyDifference] = Field(default_factory=list)
    lines: list[LineDifference] = Field(default_factory=list)
    more: bool = False
    unlisted: str = ""


class RevisionDifference(Reply):
    """What differs between two revisions, by entity."""

    app_id: UUID
    revision_before: UUID
    revision_after: UUID
    differences: list[EntityDifference]


class DiffRevisions(Query[RevisionDifference], permission="workspace.read"):
    """Compare two revisions by their entities' digests, and with `detailed` by property and line.

    `entity_ids`: only these; empty = all. What is listed in detail is bounded: ask for entities
    that came with `more` by their ids.
    """

    workspace_id: UUID
    app_id: UUID
    revision_before: UUID
    revision_after: UUID
    detailed: bool = False
    entity_ids: list[str] = Field(default_factory=list, max_length=200)
