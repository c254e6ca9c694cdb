"""Manifest: a revision as the ordered list of its packs. Its digest names the revision."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson
from pydantic import BaseModel, ConfigDict

from services.studio.appsmith.app import App
from services.studio.appsmith.entities import Entity
from services.studio.appsmith.packs import Pack, pack_section


class SectionPacks(BaseModel):
    """Where a section's bytes are: pack digests in order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    packs: tuple[str, ...]
    files: int


class Manifest(BaseModel):
    """What a revision is made of; sections are sorted by name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = 1
    format_version: int
    sections: tuple[SectionPacks, ...]

    def encode(self) -> bytes:
        """The bytes of which the digest is taken."""
        return orjson.dumps(self.model_dump())

    @property
    def digest(self) -> str:
        """The revision's content digest (SHA-256, hex)."""
        return hashlib.sha256(self.encode()).hexdigest()

    @property
    def files(self) -> int:
        return sum(section.files for section in self.sections)

    def packs_of(self, section: str) -> tuple[str, ...]:
        """A section's pack digests; none when the revision has no such section."""
        return next((found.packs for found in self.sections if found.name == section), ())

    def with_sections(
        self, changed: Iterable[SectionPacks], gone: Iterable[str] = ()
    ) -> "Manifest":
        """The next revision's manifest, where only some sections differ."""
        kept = {section.name: section for section in self.sections}
        kept |= {section.name: section for section in changed}
        for name in gone:
            kept.pop(name, None)
        sections = tuple(kept[name] for name in sorted(kept))
        return Manifest(format_version=self.format_version, sections=sections)


@dataclass(frozen=True, slots=True)
class PackedApp:
    """A revision ready to be stored."""

    manifest: Manifest
    packs: tuple[Pack, ...]


def pack_app(app: App) -> PackedApp:
    """All packs of an app, and the manifest that names them."""
    packs: list[Pack] = []
    sections: list[SectionPacks] = []
    for section in app.sections.values():
        own = pack_section(section)
        packs += own
        sections.append(section_packs(section.name, own, len(section.files)))
    sections.sort(key=lambda section: section.name)
    manifest = Manifest(format_version=app.format_version, sections=tuple(sections))
    return PackedApp(manifest, tuple(packs))


def section_packs(name: str, packs: Iterable[Pack], files: int) -> SectionPacks:
    return SectionPacks(name=name, packs=tuple(pack.digest for pack in packs), files=files)


class Change(StrEnum):
    """What became of an entity."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """An entity that is not the same in two revisions; None where it is not there."""

    change: Change
    before: Entity | None
    after: Entity | None

    @property
    def entity(self) -> Entity:
        """The newer of the two."""
        found = self.after or self.before
        assert found is not None, "a difference has at least one side"
        return found


def changed_sections(before: Manifest, after: Manifest) -> list[str]:
    """Names of the sections whose packs differ: only these need to be read to tell more. In another
    format the same files may mean something else: then it is all of them."""
    old = {section.name: section.packs for section in before.sections}
    new = {section.name: section.packs for section in after.sections}
    if before.format_version != after.format_version:
        return sorted(old.keys() | new.keys())
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def diff(before: Iterable[Entity], after: Iterable[Entity]) -> Iterator[Difference]:
    """Compare entities by digest, in order of id. Equal ones are left out; between two formats a
    file may move and stay the same, and what is around an entity may get another id.

    Give both sides the entities of the same sections: what is not there counts as not existing.
    """
    old: Mapping[str, Entity] = {entity.entity_id: entity for entity in before}
    new: Mapping[str, Entity] = {entity.entity_id: entity for entity in after}
    for entity_id in sorted(old.keys() | new.keys()):
        was, now = old.get(entity_id), new.get(entity_id)
        if was is None:
            yield Difference(Change.ADDED, None, now)
        elif now is None:
            yield Difference(Change.REMOVED, was, None)
        elif (was.digest, was.path, was.parent_id) != (now.digest, now.path, now.parent_id):
            yield Difference(Change.CHANGED, was, now)
