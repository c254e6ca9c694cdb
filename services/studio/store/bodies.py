"""Bodies that a chunk has yet to write: new packs, what their code says, manifests."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.studio.appsmith import Manifest, Pack, Section, pack_section, section_packs
from services.studio.references.section_readings import SectionReadings, read_section
from services.studio.store.contents import Contents
from services.studio.store.graphs import Graphs, Key, keys_of


@dataclass(frozen=True)
class Unwritten:
    """Replaced whole, so that a snapshot is a reference."""

    packs: Mapping[tuple[UUID, str], Pack]
    manifests: Mapping[tuple[UUID, str], Manifest]
    readings: Mapping[Key, SectionReadings]


class Bodies:
    """The bodies of a chunk's new heads; they are written before its SQL."""

    def __init__(self, contents: Contents, graphs: Graphs) -> None:
        self._contents, self._graphs = contents, graphs
        self._unwritten = Unwritten({}, {}, {})

    def snapshot(self) -> Unwritten:
        return self._unwritten

    def restore(self, snapshot: Unwritten) -> None:
        self._unwritten = snapshot

    async def manifest(self, workspace_id: UUID, digest: str) -> Manifest:
        """One that is written, or is to be."""
        pending = self._unwritten.manifests.get((workspace_id, digest))
        return pending or await self._contents.manifest(workspace_id, digest)

    async def advance(
        self,
        workspace_id: UUID,
        manifest: Manifest,
        before: Mapping[str, Section],
        after: Mapping[str, Section],
    ) -> str:
        """Keep what an edit made of some sections of a content; the new content's digest."""
        touched = differing(before, after)
        if not touched:
            return manifest.digest
        known = await self._graphs.readings(workspace_id, manifest, touched & before.keys())
        packs, changed, read = [], [], {}
        for name in sorted(touched & after.keys()):
            own = pack_section(after[name])
            packs += own
            changed.append(section_packs(name, own, len(after[name].files)))
            self._contents.remember(workspace_id, changed[-1].packs, after[name])
            read[name] = await asyncio.to_thread(read_section, after[name], known.get(name))
        following = manifest.with_sections(changed, before.keys() - after.keys())
        self.keep(workspace_id, packs, following, read)
        return following.digest

    def keep(
        self,
        workspace_id: UUID,
        packs: Iterable[Pack],
        manifest: Manifest,
        read: Mapping[str, SectionReadings],
    ) -> None:
        """To be written: a content's new packs, and what those sections say, by name."""
        keys = keys_of(workspace_id, manifest, read)
        readings = {keys[name]: self._graphs.remember(keys[name], read[name]) for name in read}
        digest = manifest.digest
        self._contents.remember_manifest(workspace_id, digest, manifest)
        now = self._unwritten
        self._unwritten = Unwritten(
            {**now.packs, **{(workspace_id, pack.digest): pack for pack in packs}},
            {**now.manifests, (workspace_id, digest): manifest},
            {**now.readings, **readings},
        )

    async def write(self) -> None:
        """Idempotent. What names others comes after them."""
        by_workspace: dict[UUID, list[Pack]] = {}
        for (workspace_id, _), pack in self._unwritten.packs.items():
            by_workspace.setdefault(workspace_id, []).append(pack)
        for workspace_id, packs in by_workspace.items():
            await self._contents.write_packs(workspace_id, packs)
        await self._graphs.keep(self._unwritten.readings.items())
        for (workspace_id, _), manifest in self._unwritten.manifests.items():
            await self._contents.write_manifests(workspace_id, [manifest])


def differing(before: Mapping[str, Section], after: Mapping[str, Section]) -> set[str]:
    """Names of sections that an edit changed, made or removed."""
    gone_or_changed = {name for name in before if after.get(name) is not before[name]}
    return gone_or_changed | (after.keys() - before.keys())
