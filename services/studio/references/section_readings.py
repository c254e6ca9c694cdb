"""What the code of a section says, as one body to be stored beside the section's own.

It is made of the section's source alone, so it is as immutable as that; and in an order of its own,
so that what is stored and what is read anew are the same to the byte, or something is wrong.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import orjson

from services.studio.appsmith import Entity, Kind, Section
from services.studio.references.readings import (
    Reading,
    in_order,
    reading_from,
    readings_in,
    stored,
)

READER = 4
"""Raise it when the same source is read to something else than before: then all is read anew."""

PART_BYTES_MAX = 8 * 1024 * 1024
_LEVEL = 1


class ReadingsBroken(Exception):
    """A stored body is none that `encode` made."""


@dataclass(frozen=True, slots=True)
class SectionReadings:
    """The entities of a section, and what the code of each says, by id in the section's order.
    `lines`: the readings as they are stored. The entities' own files are not told."""

    entities: Mapping[str, Entity]
    readings: Mapping[str, Reading]
    lines: Mapping[str, str]

    @property
    def size(self) -> int:
        """In characters, about."""
        return sum(map(len, self.lines.values())) + 300 * len(self.entities)


def key_of(name: str, format_version: int, packs: Iterable[str]) -> str:
    """The name of a section's readings, made of all that they are made of (SHA-256, hex)."""
    made_of = "\n".join([str(READER), name, str(format_version), *packs])
    return hashlib.sha256(made_of.encode("utf-8", "surrogatepass")).hexdigest()


def read_section(section: Section, before: SectionReadings | None = None) -> SectionReadings:
    """Read a section's code. What is the same in `before` is not read again."""
    known = before.entities if before else {}
    entities = {one.entity_id: replace(one, paths=()) for one in section.entities}
    fresh = {i for i, e in entities.items() if i not in known or known[i].digest != e.digest}
    read = {i: in_order(reading) for i, reading in readings_in(section, fresh).items()}
    readings, lines = {}, {}
    for entity_id in entities:
        if before is not None and entity_id not in read:
            readings[entity_id] = before.readings[entity_id]
            lines[entity_id] = before.lines[entity_id]
        else:
            readings[entity_id] = read[entity_id]
            lines[entity_id] = stored(read[entity_id])
    return SectionReadings(entities, readings, lines)


def encode(found: SectionReadings) -> list[bytes]:
    """Its body, in parts that a document store takes: what `decode` reads."""
    header = orjson.dumps([_told(one) for one in found.entities.values()]).decode()
    packed = zlib.compress("\n".join([header, *found.lines.values()]).encode(), _LEVEL)
    return [packed[at : at + PART_BYTES_MAX] for at in range(0, len(packed), PART_BYTES_MAX)]


def decode(parts: Iterable[bytes]) -> SectionReadings:
    """What `encode` was given. Raises ReadingsBroken."""
    try:
        header, *lines = zlib.decompress(b"".join(parts)).decode().split("\n")
        entities = [_entity(*told) for told in orjson.loads(header)]
        ids = [one.entity_id for one in entities]
        read = map(reading_from, json.loads(f"[{','.join(lines)}]"))
        return SectionReadings(
            dict(zip(ids, entities, strict=True)),
            dict(zip(ids, read, strict=True)),
            dict(zip(ids, lines, strict=True)),
        )
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise ReadingsBroken(type(error).__name__) from error


def _told(one: Entity) -> tuple[object, ...]:
    place = (one.section, one.page, one.path)
    return one.entity_id, one.kind, one.name, place, one.digest, one.parent_id, dict(one.fields)


def _entity(
    entity_id: str,
    kind: str,
    name: str,
    place: tuple[str, str, str],
    digest: str,
    parent_id: str,
    fields: dict[str, str | int | bool],
) -> Entity:
    section, page, path = place
    return Entity(
        entity_id, Kind(kind), name, section, page, path, digest, parent_id, fields=fields
    )
