"""Apps, their revisions, and how many of them a workspace may have: the rules."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from chassis.errors import Rejected
from contracts.studio.app import (
    AppIsArchived,
    AppNotArchived,
    AppNotPublishable,
    AppUnknown,
    EntityKind,
    HeadMoved,
    RevisionUnknown,
)
from services.studio.model.past import Past
from services.studio.model.refactoring import Refactored, Refactoring
from services.studio.model.renaming import Renamable, Renaming
from services.studio.model.revision import Revision

ACTIVE, ARCHIVED = "active", "archived"


@dataclass
class App:
    """A draft: its name, whether it can be edited, and where its head stands."""

    app_id: UUID
    workspace_id: UUID
    app_name: str
    created_at: datetime
    updated_at: datetime
    head_revision_id: UUID
    head_digest: str
    revisions: int = 0
    state: str = ACTIVE
    counts: dict[str, int] = field(default_factory=dict)
    freezes: dict[UUID, UUID] = field(default_factory=dict)
    """What releases under way hold: release_id -> revision_id."""

    past: Past | None = None

    @property
    def made_of(self) -> Past:
        """The head's; see Revision's."""
        return Past([self.head_digest]) if self.past is None else self.past

    def advance(
        self,
        revision_id: UUID,
        content: "Content",
        message: str,
        actor: UUID | None,
        at: datetime,
        past: Past | None = None,
    ) -> Revision:
        """Move the head to a new revision of `content`; `past` where it is not the head's."""
        self.past = past or self.made_of
        self.revisions += 1
        self.head_revision_id, self.head_digest = revision_id, content.digest
        self.counts, self.updated_at = content.counts, at
        return Revision(
            revision_id=revision_id,
            workspace_id=self.workspace_id,
            app_id=self.app_id,
            number=self.revisions,
            digest=content.digest,
            message=message,
            created_at=at,
            actor_id=actor,
            past=self.past,
        )

    def demand_editable(self) -> None:
        """Rejected when it is in the archive."""
        if self.state == ARCHIVED:
            raise Rejected(AppIsArchived(app_id=self.app_id))

    def demand_head(self, expected: UUID | None) -> None:
        """Rejected when the head is another than the caller saw; None = they do not mind."""
        if expected is not None and expected != self.head_revision_id:
            moved = HeadMoved(
                app_id=self.app_id,
                expected_head_revision_id=expected,
                head_revision_id=self.head_revision_id,
            )
            raise Rejected(moved)

    def demand_archived(self) -> None:
        """Rejected when it is not in the archive."""
        if self.state != ARCHIVED:
            raise Rejected(AppNotArchived(app_id=self.app_id))

    def freeze(self, release_id: UUID, revision: Revision | None, revision_id: UUID) -> bool:
        """Hold a revision for a release; False when it is held already."""
        if self.state == ARCHIVED:
            raise Rejected(AppNotPublishable(app_id=self.app_id, reason="the app is archived"))
        if revision is None or revision.app_id != self.app_id:
            raise Rejected(RevisionUnknown(app_id=self.app_id, revision_id=revision_id))
        if self.freezes.get(release_id) == revision_id:
            return False
        self.freezes[release_id] = revision_id
        return True

    def unfreeze(self, release_id: UUID) -> bool:
        """Let go of what a release held; False when it held nothing."""
        return self.freezes.pop(release_id, None) is not None


@dataclass(frozen=True)
class Content:
    """What a revision holds, by its digest, with the number of entities of each kind."""

    digest: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Edited:
    """An entity after an edit, and the content that it is part of now."""

    entity_id: str
    kind: EntityKind
    name: str
    entity_version: int
    content: Content


@dataclass(frozen=True)
class Adopted:
    """What an imported content changes in the draft that it replaces."""

    content: Content
    added: int
    changed: int
    removed: int


@dataclass(frozen=True)
class Addition:
    """A new entity as the client describes it; see AddEntity."""

    kind: EntityKind
    page: str
    parent_id: str
    name: str
    source: dict[str, Any]  # the entity's own JSON
    text: str | None


class Apps(Protocol):
    """The apps' rows."""

    async def get(self, app_id: UUID) -> App | None: ...
    def save(self, app: App) -> None: ...
    def delete(self, app: App) -> None: ...


class Revisions(Protocol):
    """The revisions' rows."""

    async def get(self, revision_id: UUID) -> Revision | None: ...
    def save(self, revision: Revision) -> None: ...


class Drafts(Protocol):
    """The content of heads: bodies by digest, and the index of their entities.

    Refusals of the content (EntityUnknown, EntityNameTaken, VersionConflict, SourceInvalid) are
    raised here: they need what is inside.
    """

    async def start(self, app_id: UUID, workspace_id: UUID, app_name: str) -> Content:
        """A new app with one page."""
        ...

    async def add(self, app: App, addition: Addition) -> Edited: ...

    async def change(
        self,
        app: App,
        entity_id: str,
        expected_version: int,
        source: dict[str, Any] | None,  # the entity's own JSON
        text: str | None,
    ) -> Edited: ...

    async def rename(self, app: App, wanted: Renamable) -> Renaming: ...

    async def refactor(self, app: App, wanted: Refactoring) -> Refactored:
        """Move, duplicate or delete an entity; EntityInUse when that breaks what it may not."""
        ...

    async def adopt(
        self, app: App | None, app_id: UUID, workspace_id: UUID, digest: str
    ) -> Adopted:
        """Make a content that is written already the head's: its index replaces the old one."""
        ...

    def drop(self, app_id: UUID) -> None:
        """Forget the index of a deleted app."""
        ...


class NamesApp(Protocol):
    """A command that makes an app."""

    @property
    def workspace_id(self) -> UUID: ...
    @property
    def app_id(self) -> UUID: ...


def new_app(
    command: NamesApp,
    name: str,
    content: Content,
    revision_id: UUID,
    actor: UUID | None,
    at: datetime,
    past: Past | None = None,
) -> tuple[App, Revision]:
    """An app that begins with `content`, and its first revision. `past`: if it was imported."""
    app = App(
        app_id=command.app_id,
        workspace_id=command.workspace_id,
        app_name=name,
        created_at=at,
        updated_at=at,
        head_revision_id=revision_id,
        head_digest=content.digest,
    )
    return app, app.advance(revision_id, content, "create", actor, at, past or Past())


async def app_of(apps: Apps, workspace_id: UUID, app_id: UUID) -> App:
    """The app; Rejected when this workspace has none of that id."""
    app = await apps.get(app_id)
    if app is None or app.workspace_id != workspace_id:
        raise Rejected(AppUnknown(app_id=app_id))
    return app
