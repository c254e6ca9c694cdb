"""Contents: immutable bodies in MongoDB under workspace and digest, with a cache in front.

A revision's content is a manifest (`revisions`) that names packs (`packs`); a section of an app,
mostly a page, is one pack and one read. What a digest names never changes, so a cache of sections
never goes stale; it is bounded by bytes and kept per process.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chassis.resources import Resources
from services.studio.appsmith import (
    APP_SECTION,
    PAGE_PREFIX,
    App,
    Entity,
    Manifest,
    Pack,
    Section,
    changed_sections,
    read_source,
    unpack_section,
)
from services.studio.store.cache import Cache

MANIFESTS, PACKS = "revisions", "packs"
WRITE_DOCUMENTS_MAX = 16
_HEAD = "SELECT state->>'head_digest' FROM app WHERE id = $1 AND workspace_id = $2"

SectionKey = tuple[UUID, int, str, tuple[str, ...]]


MANIFEST_SECTIONS_MAX = 20_000
"""Of manifests kept in memory, all together."""

SECTION_CACHE: Cache[SectionKey, Section] = Cache()
MANIFEST_CACHE: Cache[tuple[UUID, str], Manifest] = Cache()


class ContentLost(Exception):
    """A body that a revision names is not in MongoDB: the data of the two stores do not match."""


class Contents:
    """Reads and writes contents. Raises Unavailable when MongoDB cannot answer."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._documents = resources.mongo
        self._bytes_max: int = resources.settings.bodies_in_memory_bytes_max

    async def manifest(self, workspace_id: UUID, digest: str) -> Manifest:
        """What a revision is made of."""
        if kept := MANIFEST_CACHE.get((workspace_id, digest)):
            return kept
        found = await self._documents.get(MANIFESTS, f"{workspace_id}:{digest}")
        if found is None:
            raise ContentLost(f"revision {digest}")
        manifest = Manifest.model_validate_json(bytes(found["body"]))
        self.remember_manifest(workspace_id, digest, manifest)
        return manifest

    async def sections(
        self, workspace_id: UUID, manifest: Manifest, names: Iterable[str] | None = None
    ) -> dict[str, Section]:
        """Sections by name, all of them unless `names` says which; unknown names are left out."""
        wanted = None if names is None else set(names)
        found: dict[str, Section] = {}
        missing = []
        for section in manifest.sections:
            if wanted is not None and section.name not in wanted:
                continue
            key = (workspace_id, manifest.format_version, section.name, section.packs)
            kept = SECTION_CACHE.get(key)
            if kept is None:
                missing.append(section)
            else:
                found[section.name] = kept
        digests = [digest for section in missing for digest in section.packs]
        identities = [f"{workspace_id}:{digest}" for digest in digests]
        bodies = dict(zip(digests, await self._documents.get_many(PACKS, identities), strict=True))
        lost = [digest for digest, document in bodies.items() if document is None]
        if lost:
            raise ContentLost(f"pack {lost[0]}")
        for section in missing:
            packs = [(digest, bytes(_body(bodies[digest]))) for digest in section.packs]
            read = await asyncio.to_thread(
                unpack_section, section.name, manifest.format_version, packs
            )
            self.remember(workspace_id, section.packs, read)
            found[section.name] = read
        return found

    async def app(self, workspace_id: UUID, manifest: Manifest) -> App:
        """The whole of it."""
        return App(manifest.format_version, await self.sections(workspace_id, manifest))

    def remember(self, workspace_id: UUID, packs: Sequence[str], section: Section) -> None:
        """Keep a section that was just read or made."""
        key = (workspace_id, section.format_version, section.name, tuple(packs))
        SECTION_CACHE.put(key, section, sum(map(len, section.files.values())), self._bytes_max)

    def remember_manifest(self, workspace_id: UUID, digest: str, manifest: Manifest) -> None:
        """Keep a manifest that was just read or made."""
        size = 1 + len(manifest.sections)
        MANIFEST_CACHE.put((workspace_id, digest), manifest, size, MANIFEST_SECTIONS_MAX)

    async def unwritten(
        self, workspace_id: UUID, app_id: UUID, packs: Sequence[Pack]
    ) -> list[Pack]:
        """Those that the app's head does not name: what it names is written already."""
        head = await self._resources.database.fetchval(_HEAD, app_id, workspace_id)
        if head is None:
            return list(packs)
        manifest = await self.manifest(workspace_id, head)
        named = {digest for section in manifest.sections for digest in section.packs}
        return [pack for pack in packs if pack.digest not in named]

    async def write_packs(self, workspace_id: UUID, packs: Sequence[Pack]) -> None:
        """Idempotent: what is there already stays."""
        for at in range(0, len(packs), WRITE_DOCUMENTS_MAX):
            await self._documents.insert_many_ignoring_duplicates(
                PACKS,
                [
                    {"_id": f"{workspace_id}:{pack.digest}", "body": pack.body}
                    for pack in packs[at : at + WRITE_DOCUMENTS_MAX]
                ],
            )

    async def write_manifests(self, workspace_id: UUID, manifests: Iterable[Manifest]) -> None:
        """After its packs: a manifest that is there is whole."""
        documents = [
            {"_id": f"{workspace_id}:{manifest.digest}", "body": manifest.encode()}
            for manifest in manifests
        ]
        await self._documents.insert_many_ignoring_duplicates(MANIFESTS, documents)

    async def sources(
        self, workspace_id: UUID, digest: str, entities: Sequence[tuple[str, str, str]]
    ) -> list[tuple[dict[str, Any] | None, str | None]]:  # JSON, as strangers wrote it
        """JSON and text of entities, each given as (entity_id, page, path)."""
        if not entities:
            return []
        manifest = await self.manifest(workspace_id, digest)
        names = {section_of(manifest, page, path) for _, page, path in entities}
        sections = await self.sections(workspace_id, manifest, names)
        found: list[tuple[dict[str, Any] | None, str | None]] = []
        for entity_id, page, path in entities:
            section = sections.get(section_of(manifest, page, path))
            entity = section.by_id.get(entity_id) if section else None
            if section is None or entity is None:  # changed since the index was read
                found.append((None, None))
                continue
            source = read_source(section, entity)
            found.append((source.value, source.text))
        return found

    async def differing(
        self, workspace_id: UUID, before: str, after: str
    ) -> tuple[dict[str, Section], dict[str, Section]]:
        """The sections of two contents whose packs differ; only these are read."""
        old, new = await asyncio.gather(
            self.manifest(workspace_id, before), self.manifest(workspace_id, after)
        )
        names = changed_sections(old, new)
        was = await self.sections(workspace_id, old, names)
        now = await self.sections(workspace_id, new, names)
        return was, now


def section_of(manifest: Manifest, page: str, path: str) -> str:
    """The section that an entity's source is in."""
    if page:
        return PAGE_PREFIX + page
    large = f"file:{path}"
    return large if manifest.packs_of(large) else APP_SECTION


def entities_of(sections: dict[str, Section]) -> list[Entity]:
    """All entities of some sections."""
    return [entity for section in sections.values() for entity in section.entities]


def _body(document: dict[str, Any] | None) -> bytes:  # as it came from MongoDB
    assert document is not None, "lost packs were refused before"
    return bytes(document["body"])
