"""Drafts: edits of heads. New bodies go to MongoDB before the chunk's SQL; the index is SQL.

An edit reads the sections that it is about, gives them to the format library, and writes what
differs: new packs, a manifest, and the index rows of the entities that changed.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from chassis.errors import Rejected
from chassis.resources import Resources
from chassis.stores.chunks import ChunkStore
from chassis.stores.postgres import Statement
from contracts.base import Rejection
from contracts.studio.app import (
    DuplicateEntity,
    EntityKind,
    EntityNameTaken,
    EntityUnknown,
    SourceInvalid,
    VersionConflict,
)
from services.studio.appsmith import (
    APP_SECTION,
    PAGE_PREFIX,
    Change,
    EditRefused,
    EditRule,
    ImportRefused,
    Kind,
    Manifest,
    add_entity,
    changed_sections,
    diff,
    new_app,
    pack_app,
    replace_entity,
)
from services.studio.appsmith import App as Source
from services.studio.appsmith import Edited as SourceEdit
from services.studio.model import Addition, Adopted, App, Content, Edited
from services.studio.model.refactoring import Refactored, Refactoring, demand_whole
from services.studio.model.renaming import Renamable, Renaming
from services.studio.references.section_readings import read_section
from services.studio.store.bodies import Bodies, differing
from services.studio.store.changes import compared, counted, only
from services.studio.store.contents import Contents, section_of
from services.studio.store.graphs import Graphs
from services.studio.store.index import EntityIndex
from services.studio.store.refactoring import carried_out, sections_for
from services.studio.store.renaming import after_rename, doubted, rename_in, told

T = TypeVar("T")


class SqlDrafts(ChunkStore):
    """Fulfils the model's Drafts."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._contents = Contents(resources)
        self._index = EntityIndex(resources)
        self._graphs = Graphs(resources)
        self._bodies = Bodies(self._contents, self._graphs)

    # --- what handlers see

    async def start(self, app_id: UUID, workspace_id: UUID, app_name: str) -> Content:
        """A new app with one page."""
        source = new_app(app_name)
        packed = pack_app(source)
        read = {name: read_section(section) for name, section in source.sections.items()}
        self._bodies.keep(workspace_id, packed.packs, packed.manifest, read)
        self._index.apply(workspace_id, app_id, diff([], source))
        return Content(packed.manifest.digest, source.counts)

    async def add(self, app: App, addition: Addition) -> Edited:
        """Add an entity to the head."""
        names = [APP_SECTION]
        names += [PAGE_PREFIX + addition.page] if addition.page else []
        manifest = await self._manifest(app)
        if addition.kind is EntityKind.PAGE:
            names += [one.name for one in manifest.sections if one.name.startswith(PAGE_PREFIX)]
        source = await self._source(app, manifest, names)
        return await self._edit(
            app,
            manifest,
            source,
            lambda: add_entity(
                source,
                Kind(addition.kind.value),
                name=addition.name,
                page=addition.page,
                parent_id=addition.parent_id,
                value=addition.source,
                text=addition.text,
            ),
        )

    async def change(
        self,
        app: App,
        entity_id: str,
        expected_version: int,
        source: dict[str, Any] | None,  # the entity's own JSON
        text: str | None,
    ) -> Edited:
        """Change an entity of the head."""
        manifest, held = await self._found(app, entity_id, expected_version)
        return await self._edit(
            app, manifest, held, lambda: replace_entity(held, entity_id, value=source, text=text)
        )

    async def rename(self, app: App, wanted: Renamable) -> Renaming:
        """Rename an entity of the head, with all that refers to it."""
        manifest, held = await self._found(app, wanted.entity_id, wanted.expected_version)
        if wanted.entity_id.startswith(f"{Kind.PAGE}:"):  # any page may name it
            names = [one.name for one in manifest.sections if one.name.startswith(PAGE_PREFIX)]
            held = await self._source(app, manifest, [APP_SECTION, *names])
        renamed = await self._tried(
            app,
            lambda: rename_in(
                held, wanted.entity_id, wanted.name, with_mentions=wanted.with_mentions
            ),
        )
        edited = None
        if not wanted.dry_run:
            done = after_rename(held, wanted.entity_id, renamed)
            edited = await self._kept(app, manifest, held, done)
        changes, mentions = told(renamed.changes), told(renamed.mentions)
        return Renaming(edited, renamed.entity_id, changes, mentions, doubted(renamed.unclear))

    async def refactor(self, app: App, wanted: Refactoring) -> Refactored:
        """Move, duplicate or delete an entity of the head."""
        manifest, held = await self._found(app, wanted.entity_id, wanted.expected_version)
        if names := sections_for(wanted, held, manifest):
            held = await self._source(app, manifest, {*held.sections, *names})
        done = await self._tried(app, lambda: carried_out(held, wanted))
        demand_whole(app.app_id, wanted, done.breaks)
        entity, edited = done.edited.entity, None
        if isinstance(wanted, DuplicateEntity) or not wanted.dry_run:
            edited = await self._kept(app, manifest, held, done.edited)
        kind = EntityKind(entity.kind.value)
        ids = list(done.entity_ids)
        return Refactored(edited, entity.entity_id, kind, entity.name, ids, done.breaks)

    async def adopt(
        self, app: App | None, app_id: UUID, workspace_id: UUID, digest: str
    ) -> Adopted:
        """Make a written content the head's. Only sections that differ are read."""
        after = await self._bodies.manifest(workspace_id, digest)
        before = await self._manifest(app) if app else None
        names = changed_sections(before, after) if before else None
        was = await self._contents.sections(workspace_id, before, names) if before else {}
        now = await self._contents.sections(workspace_id, after, names)
        changes = await asyncio.to_thread(compared, was, now)
        await self._graphs.readings(workspace_id, after, names)
        self._index.apply(workspace_id, app_id, changes)
        counts = counted(app.counts if app else {}, changes)
        kinds = [one.change for one in changes]
        return Adopted(
            Content(digest, counts),
            added=kinds.count(Change.ADDED),
            changed=kinds.count(Change.CHANGED),
            removed=kinds.count(Change.REMOVED),
        )

    def drop(self, app_id: UUID) -> None:
        """Forget the index of a deleted app. Bodies stay: nothing collects them yet."""
        self._index.drop(app_id)

    # --- what the chunk calls

    def snapshot(self) -> object:
        return self._bodies.snapshot(), self._index.snapshot()

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, tuple), "what snapshot() gave"
        bodies, index = snapshot
        self._bodies.restore(bodies)
        self._index.restore(index)

    async def before_flush(self) -> None:
        await self._bodies.write()

    def flush(self, statement: Statement) -> None:
        self._index.flush(statement)

    # --- private

    async def _manifest(self, app: App) -> Manifest:
        return await self._bodies.manifest(app.workspace_id, app.head_digest)

    async def _source(self, app: App, manifest: Manifest, names: Iterable[str]) -> Source:
        sections = await self._contents.sections(app.workspace_id, manifest, names)
        return Source(manifest.format_version, sections)

    async def _found(
        self, app: App, entity_id: str, expected_version: int
    ) -> tuple[Manifest, Source]:
        """The sections around an entity, if its version is the one that the client saw."""
        found = await self._index.find(app.app_id, entity_id)
        if found is None:
            raise Rejected(EntityUnknown(app_id=app.app_id, entity_id=entity_id))
        page, path, version = found
        if version != expected_version:
            conflict = VersionConflict(
                entity_id=entity_id, expected_version=expected_version, current_version=version
            )
            raise Rejected(conflict)
        manifest = await self._manifest(app)
        names = {APP_SECTION, section_of(manifest, page, path)}
        return manifest, await self._source(app, manifest, names)

    async def _edit(
        self, app: App, manifest: Manifest, source: Source, edit: Callable[[], SourceEdit]
    ) -> Edited:
        return await self._kept(app, manifest, source, await self._tried(app, edit))

    async def _tried(self, app: App, edit: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(edit)
        except EditRefused as refusal:
            raise Rejected(_refusal(app, refusal)) from None
        except ImportRefused as broken:  # what it would make could not be read again
            rule = f"{broken.rule}: {broken.detail}"
            raise Rejected(SourceInvalid(field=broken.path, rule=rule)) from None

    async def _kept(
        self, app: App, manifest: Manifest, source: Source, edited: SourceEdit
    ) -> Edited:
        before, after = dict(source.sections), dict(edited.app.sections)
        touched = differing(before, after)
        changes = await asyncio.to_thread(compared, only(before, touched), only(after, touched))
        digest = await self._bodies.advance(app.workspace_id, manifest, before, after)
        content = Content(digest, counted(app.counts, changes))
        self._index.apply(app.workspace_id, app.app_id, changes)
        found = await self._index.find(app.app_id, edited.entity.entity_id)
        return Edited(
            entity_id=edited.entity.entity_id,
            kind=EntityKind(edited.entity.kind.value),
            name=edited.entity.name,
            entity_version=found[2] if found else 0,
            content=content,
        )


def _refusal(app: App, refusal: EditRefused) -> Rejection:
    if refusal.rule is EditRule.UNKNOWN_ENTITY:
        return EntityUnknown(app_id=app.app_id, entity_id=refusal.detail)
    if refusal.rule in (EditRule.NAME_TAKEN, EditRule.NAMES_TAKEN):
        return EntityNameTaken(app_id=app.app_id, name=refusal.detail)
    return SourceInvalid(field=refusal.field, rule=f"{refusal.rule}: {refusal.detail}")
