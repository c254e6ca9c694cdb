"""The drafts of a simulated platform are whole: what a head names is read again, and the index of
its entities says what is in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.testing.simulation.checker import Violation, json_of
from services.studio.appsmith import (
    App,
    ImportRefused,
    Manifest,
    PackBroken,
    export,
    parse,
    unpack_section,
)
from services.studio.appsmith.merge.safety import faults

if TYPE_CHECKING:
    from tests.simulation.real.world import RealWorld

Indexed = tuple[str, str, str]
"""An entity's id, digest and what it is inside of."""


def broken_drafts(world: "RealWorld") -> Iterator[Violation]:
    """Every app's head against its content and its index."""
    indexed: dict[UUID, set[Indexed]] = {}
    for row in world.rows("studio", "entity"):
        found = indexed.setdefault(row["app_id"], set())
        found.add((row["entity_id"], row["digest"], row["parent_id"]))
    documents = world.outlives.documents["studio"]
    for row in world.rows("studio", "app"):
        state = json_of(row["state"])
        where = f"{row['workspace_id']}:{state['head_digest']}"
        if state["state"] == "deleted" or where not in documents["revisions"]:
            continue  # lost contents are another invariant's
        try:
            head = _content(documents, str(row["workspace_id"]), where)
            found = {(e.entity_id, e.digest, e.parent_id) for e in parse(export(head))}
        except (ImportRefused, PackBroken, KeyError) as broken:
            yield Violation("draft_broken", f"app {row['id']}: {broken!r}")
            continue
        odd = found ^ indexed.get(row["id"], set())
        if odd:
            yield Violation("draft_index", f"app {row['id']}: {min(odd)}")
        for section in head.sections.values():
            for fault in sorted(faults(section)):
                yield Violation("draft_broken", f"app {row['id']}: {fault}")


def _content(documents: Any, workspace: str, where: str) -> App:  # collections by name
    manifest = Manifest.model_validate_json(bytes(documents["revisions"][where]["body"]))
    version = manifest.format_version
    sections = {}
    for one in manifest.sections:
        packs = [(d, bytes(documents["packs"][f"{workspace}:{d}"]["body"])) for d in one.packs]
        sections[one.name] = unpack_section(one.name, version, packs)
    return App(version, sections)
