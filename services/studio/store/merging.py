"""Merges of contents. What comes out is immutable and named by its content, as all contents are:
it is written before the head knows of it, and an attempt that dies leaves nothing half done."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from chassis.resources import Resources
from contracts.studio.app import EntityKind, MergeClash, MergeConflict, MergeDangling, MergeSide
from services.studio.appsmith import (
    APP_SECTION,
    App,
    Change,
    Manifest,
    Pack,
    changed_sections,
    pack_section,
    section_packs,
)
from services.studio.appsmith.compare import MISSING, path_text
from services.studio.appsmith.entities import FIELD_LENGTH_MAX
from services.studio.appsmith.match import matched_diff
from services.studio.appsmith.merge import Conflict, Merged, Side, merge
from services.studio.appsmith.merge.values import TEXT
from services.studio.appsmith.shown import SHOWN_CHARS_MAX, cut, shown_value
from services.studio.model.merging import MergedContent
from services.studio.store.contents import Contents

Digests = tuple[str, str, str]


@dataclass(frozen=True)
class _Made:
    """A merge, and what it takes to store it."""

    merged: Merged
    packs: list[Pack]
    manifest: Manifest
    changes: list[Change]


class ContentMerges:
    """Fulfils the model's Merges."""

    def __init__(self, resources: Resources) -> None:
        self._contents = Contents(resources)

    async def merge(
        self,
        workspace_id: UUID,
        digests: Digests,
        choices: Mapping[str, MergeSide],
        *,
        write: bool,
    ) -> MergedContent:
        """Only sections in which the three differ are read."""
        base, ours, theirs = [await self._contents.manifest(workspace_id, d) for d in digests]
        differing = {*changed_sections(base, ours), *changed_sections(base, theirs), APP_SECTION}
        sides = [
            App(one.format_version, await self._contents.sections(workspace_id, one, differing))
            for one in (base, ours, theirs)
        ]
        wanted = {conflict: Side(side.value) for conflict, side in choices.items()}
        made = await asyncio.to_thread(_make, sides[0], sides[1], sides[2], ours, wanted)
        if write and not made.merged.unknown:
            await self._contents.write_packs(workspace_id, made.packs)
            await self._contents.write_manifests(workspace_id, [made.manifest])
        return MergedContent(
            digest=made.manifest.digest,
            conflicts=list(_conflicts(made.merged.conflicts)),
            more=made.merged.more,
            unknown=list(made.merged.unknown),
            added=made.changes.count(Change.ADDED),
            changed=made.changes.count(Change.CHANGED),
            removed=made.changes.count(Change.REMOVED),
            dangling=[
                MergeDangling(
                    entity_id=one.entity_id,
                    path=path_text(one.path),
                    start=one.start,
                    name=one.name,
                )
                for one in made.merged.loose
            ],
        )


def _make(
    base: App, ours: App, theirs: App, manifest: Manifest, choices: Mapping[str, Side]
) -> _Made:
    merged = merge(base, ours, theirs, choices)
    packs: list[Pack] = []
    changed = []
    for name, section in merged.app.sections.items():
        if name in ours.sections and ours.sections[name].files == section.files:
            continue
        own = pack_section(section)
        packs += own
        changed.append(section_packs(name, own, len(section.files)))
    following = manifest.with_sections(changed, ours.sections.keys() - merged.app.sections.keys())
    version = merged.app.format_version
    following = following.model_copy(update={"format_version": version})
    changes = [one.change for one in matched_diff(ours.sections, merged.app.sections)]
    return _Made(merged, packs, following, changes)


def _conflicts(found: tuple[Conflict, ...]) -> Iterator[MergeConflict]:
    left = SHOWN_CHARS_MAX
    for one in found:
        values = [_shown(one, value) for value in (one.base, one.ours, one.theirs)]
        path = path_text(one.path)
        if left <= 0:
            values = [(None if text is None else "", True) for text, _ in values]
            path = path[:FIELD_LENGTH_MAX]
        left -= len(path) + sum(len(text or "") for text, _ in values)
        yield MergeConflict(
            conflict_id=one.conflict_id,
            entity_id=one.entity.entity_id,
            kind=EntityKind(one.entity.kind.value),
            name=one.entity.name,
            page=one.entity.page,
            path=path,
            line=one.line,
            clash=MergeClash(one.clash.value),
            base=values[0][0],
            ours=values[1][0],
            theirs=values[2][0],
            cut=any(was_cut for _, was_cut in values),
            side=MergeSide(one.side.value),
        )


def _shown(one: Conflict, value: object) -> tuple[str | None, bool]:
    if one.path == TEXT and one.line and isinstance(value, str):
        return cut(value)
    return (None, False) if value is MISSING else shown_value(value)
