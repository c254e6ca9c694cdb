"""Graphs of contents: who uses whom in any revision, as stored with it.

What a section's code says is a body in MongoDB, as immutable as the section and named by it, so
revisions share it. It is written before the head that needs it; where there is none (written by an
older reader), it is read from the source and kept.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import structlog

from chassis.resources import Resources
from chassis.stores.mongo import Document
from services.studio.appsmith import (
    APP_SECTION,
    PAGE_PREFIX,
    Entity,
    Manifest,
)
from services.studio.appsmith.app_level import names_given
from services.studio.references import PageGraph, Reading
from services.studio.references.section_readings import (
    ReadingsBroken,
    SectionReadings,
    decode,
    encode,
    key_of,
    read_section,
)
from services.studio.store.cache import Cache
from services.studio.store.contents import Contents

log = structlog.get_logger()

READINGS = "readings"
READINGS_CHARS_MAX = 16 * 1024 * 1024
"""Kept in memory, as they are stored; as objects they take about five times as much."""

GRAPHS_PARTS_MAX = 250_000
"""Of graphs kept in memory: entities and uses of names, all together."""

Key = tuple[UUID, str]
Tie = tuple[UUID, tuple[str, ...], frozenset[str]]
"""What a graph is made of: the keys of its readings, and the names that libraries bring."""

READING_CACHE: Cache[Key, SectionReadings] = Cache()
GRAPH_CACHE: Cache[Tie, PageGraph] = Cache()


class Graphs:
    """Reads and writes what contents say. Raises Unavailable when MongoDB cannot answer."""

    def __init__(self, resources: Resources) -> None:
        self._documents = resources.mongo
        self._contents = Contents(resources)

    async def page(self, workspace_id: UUID, digest: str, page: str) -> PageGraph | None:
        """The graph of one page of a content, by its folder; empty: of the app level."""
        return (await self.pages(workspace_id, digest, [page])).get(page)

    async def pages(
        self, workspace_id: UUID, digest: str, pages: Collection[str] | None = None
    ) -> dict[str, PageGraph]:
        """The graphs of a content's pages, or of some, by folder; empty: of the app level."""
        manifest = await self._contents.manifest(workspace_id, digest)
        folders = {one.name: _folder(one.name) for one in manifest.sections}
        names = {n for n, page in folders.items() if pages is None or page in pages}
        keys = keys_of(workspace_id, manifest, names)
        found = await self.readings(workspace_id, manifest, {*names, APP_SECTION})
        libraries = names_given(found[APP_SECTION].entities.values())
        graphs = {}
        for page in sorted({folders[name] for name in names}):
            own = sorted(name for name in names if folders[name] == page)
            tie = (workspace_id, tuple(keys[name][1] for name in own), libraries)
            graph = GRAPH_CACHE.get(tie)
            if graph is None:
                graph = await asyncio.to_thread(_tied, [found[name] for name in own], libraries)
                GRAPH_CACHE.put(tie, graph, _parts(graph), GRAPHS_PARTS_MAX)
            graphs[page] = graph
        return graphs

    async def readings(
        self, workspace_id: UUID, manifest: Manifest, names: Collection[str] | None = None
    ) -> dict[str, SectionReadings]:
        """What the code of sections says, by the sections' names: of all of them, or of some. What
        is missing is made, and kept."""
        keys = keys_of(workspace_id, manifest, names)
        found = {name: kept for name, key in keys.items() if (kept := READING_CACHE.get(key))}
        unread = {name: key for name, key in keys.items() if name not in found}
        for name, read in (await self._stored(unread)).items():
            found[name] = self.remember(keys[name], read)
        missing = keys.keys() - found.keys()
        if missing:
            sections = await self._contents.sections(workspace_id, manifest, missing)
            for name, section in sections.items():
                read = await asyncio.to_thread(read_section, section)
                await self.keep([(keys[name], read)])
                found[name] = self.remember(keys[name], read)
        return found

    async def keep(
        self, read: Iterable[tuple[Key, SectionReadings]], *, anew: bool = False
    ) -> None:
        """Write what was read. Idempotent: what is there already stays, unless it is to be written
        anew. The first part last: what is found is whole."""
        for (workspace_id, key), one in read:
            first, *more = await asyncio.to_thread(encode, one)
            name = f"{workspace_id}:{key}"
            for n, body in enumerate(more, 1):
                await self._write({"_id": f"{name}:{n}", "body": body}, anew=anew)
            document = {"_id": name, "body": first, "parts": 1 + len(more)}
            await self._write(document, anew=anew)

    def remember(self, key: Key, read: SectionReadings) -> SectionReadings:
        """Keep in memory what was just read."""
        READING_CACHE.put(key, read, read.size, READINGS_CHARS_MAX)
        return read

    async def _write(self, document: Mapping[str, object], *, anew: bool) -> None:
        if anew:
            await self._documents.replace(READINGS, document)
        else:
            await self._documents.insert_many_ignoring_duplicates(READINGS, [document])

    async def _stored(self, keys: Mapping[str, Key]) -> dict[str, SectionReadings]:
        names = [f"{workspace_id}:{key}" for workspace_id, key in keys.values()]
        documents = await self._documents.get_many(READINGS, names)
        found = {}
        for section, name, document in zip(keys, names, documents, strict=True):
            try:
                if document is not None:
                    found[section] = await self._decoded(name, document)
            except (ReadingsBroken, KeyError, TypeError) as broken:
                log.error("readings_broken", name=name, reason=repr(broken))  # the auditor mends it
        return found

    async def _decoded(self, name: str, first: Document) -> SectionReadings:
        rest = [f"{name}:{n}" for n in range(1, first["parts"])]
        parts = [first, *await self._documents.get_many(READINGS, rest)]
        bodies = [bytes(one["body"]) for one in parts if one is not None]
        return await asyncio.to_thread(decode, bodies)


def keys_of(
    workspace_id: UUID, manifest: Manifest, names: Collection[str] | None = None
) -> dict[str, Key]:
    """Where the readings of a content's sections are, by the sections' names: of all of them, or of
    some."""
    version = manifest.format_version
    return {
        one.name: (workspace_id, key_of(one.name, version, one.packs))
        for one in manifest.sections
        if names is None or one.name in names
    }


def _folder(section: str) -> str:
    """The page that a section is; all others together are the app level."""
    return section.removeprefix(PAGE_PREFIX) if section.startswith(PAGE_PREFIX) else ""


def _parts(graph: PageGraph) -> int:
    """What it takes room for; a page without code has its entities all the same."""
    return 1 + len(graph.entities) + sum(len(one.uses) for one in graph.readings.values())


def _tied(read: list[SectionReadings], libraries: frozenset[str]) -> PageGraph:
    entities: list[Entity] = []
    readings: dict[str, Reading] = {}
    for one in read:
        entities += one.entities.values()
        readings |= one.readings
    return PageGraph(entities, readings, libraries)
