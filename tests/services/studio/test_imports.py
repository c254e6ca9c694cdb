"""Imports on real stores: nothing lost, nothing half-imported, only what changed is new."""

import io
import os
import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.delivery import bundle as wire
from contracts.studio.app import (
    FreezeRevision,
    GetApps,
    ImportRefused,
    RevisionFrozen,
    RevisionTagged,
    RevisionUnfrozen,
    RevisionUnknown,
    TagRevision,
    UnfreezeRevision,
)
from services.studio.appsmith import export, read_folder, read_zip, zip_bytes
from services.studio.views.queries import get_apps
from tests.samples.shop import query_bodies, shop
from tests.services.studio.desk import Desk


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as a zip."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


async def exported(desk: Desk, app_id: UUID) -> dict[str, bytes]:
    """The head's source tree."""
    query = GetApps(workspace_id=desk.workspace_id, app_ids=[app_id])
    (app,) = (await get_apps(query, desk.database)).apps
    digest = await desk.database.fetchval(
        "SELECT state->>'digest' FROM app_revision WHERE id = $1", app.head_revision_id
    )
    manifest = await desk.contents.manifest(desk.workspace_id, digest)
    return dict(export(await desk.contents.app(desk.workspace_id, manifest)).files)


@pytest.mark.parametrize("format_version", [2, 3, 4, 5])
async def test_what_was_imported_is_exported_byte_for_byte(desk: Desk, format_version: int) -> None:
    files = shop(format_version)

    imported = await desk.imported(zipped(files), new_id())

    assert imported.files == len(files)
    assert await exported(desk, imported.app_id) == files
    entities = await desk.entities(imported.app_id)
    assert len(entities) == sum(imported.counts.values())


async def test_the_same_again_is_no_new_revision(desk: Desk) -> None:
    first = await desk.imported(zipped(shop()), new_id())
    facts = await desk.studio.facts()

    again = await desk.imported(zipped(shop()), first.app_id)

    assert again.revision_id == first.revision_id
    assert (again.entities_added, again.entities_changed, again.entities_removed) == (0, 0, 0)
    assert await desk.studio.facts() == facts


async def test_a_second_import_changes_only_what_differs(desk: Desk) -> None:
    files = shop()
    first = await desk.imported(zipped(files), new_id())
    before = {one.entity_id: one for one in await desk.entities(first.app_id)}
    path = next(path for path in sorted(files) if path.endswith(".txt") and "queries" in path)

    again = await desk.imported(zipped({**files, path: b"SELECT 2"}), first.app_id)

    assert again.revision_id != first.revision_id
    assert (again.entities_added, again.entities_changed, again.entities_removed) == (0, 1, 0)
    after = {one.entity_id: one for one in await desk.entities(first.app_id)}
    (changed,) = [one for one in after.values() if one != before[one.entity_id]]
    assert (changed.entity_version, before[changed.entity_id].entity_version) == (2, 1)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ({"../outside.txt": b"x"}, "PATH_ESCAPE"),
        ({"pages/Home/Home.json": b"{ broken"}, "BROKEN_JSON"),
        ({"metadata.json": b'{"fileFormatVersion": 99}'}, "UNSUPPORTED_FORMAT"),
    ],
)
async def test_a_hostile_archive_is_refused_by_name_and_leaves_nothing(
    desk: Desk, spoil: dict[str, bytes], rule: str
) -> None:
    app_id = new_id()

    with pytest.raises(Rejected) as refusal:
        await desk.imported(zipped({**shop(), **spoil}), app_id)

    assert isinstance(refusal.value.rejection, ImportRefused)
    assert refusal.value.rejection.rule == rule
    assert Path(next(iter(spoil))).name in refusal.value.rejection.path
    assert await desk.entities(app_id) == []


async def test_a_frozen_revision_is_a_bundle_whose_public_part_has_no_query_bodies(
    desk: Desk,
) -> None:
    files = shop()
    imported = await desk.imported(zipped(files), new_id())
    ids = {"workspace_id": desk.workspace_id, "app_id": imported.app_id}
    freeze = FreezeRevision(**ids, revision_id=imported.revision_id, release_id=new_id())

    frozen = await desk.studio.send(freeze)

    assert isinstance(frozen, RevisionFrozen)
    document = wire.decode(await desk.blobs.get(desk.workspace_id, frozen.bundle_digest))
    public = await desk.blobs.get(desk.workspace_id, document.public.digest)
    private = await desk.blobs.get(desk.workspace_id, document.private.digest)
    assert frozen.files == len(document.public.files) + len(document.private.files)
    for body in query_bodies(files):
        assert body.encode() not in public
    assert len(private) == document.private.size > 0


async def test_freezing_again_gives_the_same_bundle_and_unfreezing_lets_go(desk: Desk) -> None:
    app = await desk.app()
    ids = {"workspace_id": desk.workspace_id, "app_id": app.app_id, "release_id": new_id()}
    freeze = FreezeRevision(**ids, revision_id=app.revision_id)

    first, again = await desk.studio.send(freeze), await desk.studio.send(freeze)
    undone = await desk.studio.send(UnfreezeRevision(**ids, revision_id=app.revision_id))
    nothing = await desk.studio.send(UnfreezeRevision(**ids, revision_id=app.revision_id))

    assert first == again
    assert undone == nothing == RevisionUnfrozen(**ids, revision_id=app.revision_id)
    names = [name for name, _ in await desk.studio.facts()]
    assert names.count("studio.RevisionFrozen.v1") == 1
    assert names.count("studio.RevisionUnfrozen.v1") == 1


async def test_an_unknown_revision_is_refused(desk: Desk) -> None:
    app = await desk.app()
    ids = {"workspace_id": desk.workspace_id, "app_id": app.app_id, "release_id": new_id()}
    missing = new_id()

    with pytest.raises(Rejected) as refusal:
        await desk.studio.send(FreezeRevision(**ids, revision_id=missing))

    assert refusal.value.rejection == RevisionUnknown(app_id=app.app_id, revision_id=missing)


async def test_tagging_lets_go_of_the_revision_and_shows_in_the_history(desk: Desk) -> None:
    app = await desk.app()
    ids = {"workspace_id": desk.workspace_id, "app_id": app.app_id, "release_id": new_id()}
    await desk.studio.send(FreezeRevision(**ids, revision_id=app.revision_id))

    tag = TagRevision(**ids, revision_id=app.revision_id, environment="production")
    tagged = await desk.studio.send(tag)

    assert isinstance(tagged, RevisionTagged)
    state = await desk.database.fetchval("SELECT state FROM app WHERE id = $1", app.app_id)
    assert state["freezes"] == {}


@pytest.mark.skipif("BASALT_REAL_APPS" not in os.environ, reason="BASALT_REAL_APPS names none")
async def test_real_apps_survive_the_round_trip(desk: Desk) -> None:
    for folder in os.environ["BASALT_REAL_APPS"].split(":"):
        tree = read_folder(Path(folder))

        imported = await desk.imported(zip_bytes(tree), new_id())

        assert await exported(desk, imported.app_id) == dict(read_zip(zip_bytes(tree)).files)
