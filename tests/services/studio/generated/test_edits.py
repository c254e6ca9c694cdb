"""Whatever is done to an app through the studio: what is stored of it is what its documents say."""

from random import Random

import pytest

from chassis.clock import new_id
from contracts.studio.app import ArchiveApp, DeleteApp
from services.studio.appsmith import APP_SECTION, PAGE_PREFIX, Entity, Manifest, parse
from services.studio.references import PageGraph
from services.studio.references.section_readings import encode, read_section
from services.studio.store import graphs as kept
from services.studio.store.contents import MANIFEST_CACHE, SECTION_CACHE
from tests.services.studio.desk import Desk
from tests.services.studio.generated.edits import Editor
from tests.services.studio.test_imports import exported, zipped

EDITS = 48
EXPORTS_EVERY = 8


@pytest.mark.parametrize(("version", "seed"), [(2, 1), (3, 2), (4, 3), (5, 4)])
async def test_what_is_stored_is_what_the_documents_say(
    desk: Desk, version: int, seed: int
) -> None:
    dice = Random(seed)
    editor = Editor(desk, dice, version)
    await editor.begin()

    for number in range(EDITS):
        await editor.edit()
        told = f"seed {seed}, format {version}, after {editor.done[-3:]}"
        revisions = await editor.revisions()
        head = await assert_stored_as_computed(desk, revisions[-1][1], told)
        await assert_indexed(desk, editor, head, told)
        await assert_stored_as_computed(desk, dice.choice(revisions)[1], told)
        if number % EXPORTS_EVERY == 0:
            await assert_imports_again(desk, editor, revisions[-1][1])

    assert len(editor.done) > EDITS / 2, editor.refused
    assert {"add", "change", "rename", "remove", "restore", "merge"} <= {*editor.done}
    assert {"move", "duplicate", "delete"} <= {*editor.done}, editor.refused


async def assert_stored_as_computed(desk: Desk, digest: str, told: str) -> list[Entity]:
    """Readings to the byte, each written with its revision; graphs by their references. All of it
    from the stores, not from memory. The content's entities."""
    forget()
    manifest = await desk.contents.manifest(desk.workspace_id, digest)
    sections = await desk.contents.sections(desk.workspace_id, manifest)
    computed = {name: read_section(one) for name, one in sections.items()}
    await assert_written(desk, manifest, told)
    stored = await desk.graphs.readings(desk.workspace_id, manifest)
    assert stored.keys() == computed.keys()
    for name, read in computed.items():
        assert encode(stored[name]) == encode(read), f"{told}: {name}"
    libraries = {e.name for e in computed[APP_SECTION].entities.values() if e.kind == "library"}
    for page, graph in (await desk.graphs.pages(desk.workspace_id, digest)).items():
        if page:
            read = computed[PAGE_PREFIX + page]
            same = PageGraph(read.entities.values(), read.readings, libraries)
            assert graph.references == same.references, f"{told}: {page}"
            assert graph.dangling() == same.dangling(), f"{told}: {page}"
    assert parse({p: c for one in sections.values() for p, c in one.files.items()})
    return [entity for section in sections.values() for entity in section.entities]


async def assert_written(desk: Desk, manifest: Manifest, told: str) -> None:
    for name, (_, key) in kept.keys_of(desk.workspace_id, manifest).items():
        identity = f"{desk.workspace_id}:{key}"
        assert await desk.studio.resources.mongo.get(kept.READINGS, identity), f"{told}: {name}"


async def assert_indexed(desk: Desk, editor: Editor, head: list[Entity], told: str) -> None:
    """The rows that lists are made of."""
    indexed = {
        (one.entity_id, one.kind.value, one.name, one.page, one.parent_id, one.path, one.digest)
        for one in await desk.entities(editor.app_id)
    }
    assert indexed == {
        (one.entity_id, one.kind.value, one.name, one.page, one.parent_id, one.path, one.digest)
        for one in head
    }, told


async def assert_imports_again(desk: Desk, editor: Editor, digest: str) -> None:
    """As another app, with the same content."""
    other = new_id()
    await desk.imported(zipped(await exported(desk, editor.app_id)), other)
    found = await desk.database.fetchval(
        "SELECT state->>'head_digest' FROM app WHERE id = $1", other
    )
    assert found == digest
    for command in (ArchiveApp, DeleteApp):
        await desk.studio.send(command(workspace_id=desk.workspace_id, app_id=other))


def forget() -> None:
    """All that this process keeps of what is stored."""
    for cache in (kept.READING_CACHE, kept.GRAPH_CACHE, SECTION_CACHE, MANIFEST_CACHE):
        cache.clear()
