"""Commits on real stores: each one a revision, by its author; only what changed is new."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from chassis.clock import new_id
from chassis.errors import Rejected
from contracts.studio.app import (
    ImportApp,
    ImportRefused,
    ListRevisions,
    Revision,
    RevisionUnknown,
)
from services.studio.appsmith import export, parse
from services.studio.store.contents import MANIFESTS, PACKS
from services.studio.views.queries import list_revisions
from tests.samples.shop import shop
from tests.services.studio.desk import Desk
from tests.services.studio.test_imports import exported, zipped

BANGKOK = timezone(timedelta(hours=7))


def a_commit(name: str, **said: Any) -> dict[str, Any]:
    """What a commit says of itself."""
    return {
        "author_name": "Phennapa",
        "authored_at": datetime(2022, 12, 1, 14, 47, 30, tzinfo=BANGKOK),
        "message": "login",
        "commit": name * 40,
        **said,
    }


def a_change(files: dict[str, bytes]) -> dict[str, bytes]:
    """The app with another body of one query."""
    path = next(path for path in sorted(files) if path.endswith(".txt") and "queries" in path)
    return {**files, path: files[path] + b"\n-- another"}


async def history(desk: Desk, app_id: UUID) -> list[Revision]:
    """Oldest first."""
    query = ListRevisions(workspace_id=desk.workspace_id, app_id=app_id)
    return (await list_revisions(query, desk.database)).revisions[::-1]


async def written(desk: Desk, collection: str) -> set[str]:
    """The ids of what is stored."""
    found = await desk.studio.resources.mongo.find(collection, {}, limit=10_000, fields=["_id"])
    return {str(one["_id"]) for one in found}


async def test_commits_become_revisions_by_their_authors_in_order(desk: Desk) -> None:
    app_id, files = new_id(), shop()
    again = a_commit("b", author_name="อนุวัต", message="two\n\n\tlines")

    await desk.imported(zipped(files), app_id, **a_commit("a"))
    await desk.imported(zipped(a_change(files)), app_id, **again)

    first, second = await history(desk, app_id)
    assert (first.number, first.author_name, first.message) == (1, "Phennapa", "login")
    assert first.authored_at == datetime(2022, 12, 1, 7, 47, 30, tzinfo=UTC)
    assert first.authored_at.utcoffset() == timedelta(hours=7)
    assert (second.number, second.author_name, second.message) == (2, "อนุวัต", "two\n\n\tlines")
    assert [first.commit, second.commit] == ["a" * 40, "b" * 40]
    assert first.created_at > first.authored_at


async def test_the_export_of_each_revision_is_its_commit(desk: Desk) -> None:
    app_id, trees = new_id(), [shop(), a_change(shop()), shop()]

    for name, files in zip("abc", trees, strict=True):
        await desk.imported(zipped(files), app_id, **a_commit(name))

    exported = []
    for revision in await history(desk, app_id):
        manifest = await desk.contents.manifest(desk.workspace_id, revision.digest)
        exported.append(dict(export(await desk.contents.app(desk.workspace_id, manifest)).files))
    assert exported == trees


async def test_a_commit_that_changes_nothing_is_a_revision_and_stores_nothing(desk: Desk) -> None:
    app_id, archive = new_id(), zipped(shop())
    first = await desk.imported(archive, app_id, **a_commit("a"))
    before = await written(desk, PACKS), await written(desk, MANIFESTS)

    empty = await desk.imported(archive, app_id, **a_commit("b", message=""))

    assert empty.revision_id != first.revision_id
    assert (empty.entities_added, empty.entities_changed, empty.entities_removed) == (0, 0, 0)
    assert empty.counts == first.counts
    assert (await written(desk, PACKS), await written(desk, MANIFESTS)) == before
    assert [one.message for one in await history(desk, app_id)] == ["login", ""]


async def test_a_commit_stores_only_what_it_changed(desk: Desk) -> None:
    app_id, files = new_id(), shop()
    await desk.imported(zipped(files), app_id, **a_commit("a"))
    packs, manifests = await written(desk, PACKS), await written(desk, MANIFESTS)
    offered: list[str] = []
    write = desk.contents.write_packs

    async def counted(workspace_id: UUID, batch: Any) -> None:
        offered.extend(pack.digest for pack in batch)
        await write(workspace_id, batch)

    desk.contents.write_packs = counted  # type: ignore[method-assign]  # the same, counted
    await desk.imported(zipped(a_change(files)), app_id, **a_commit("b"))

    assert len(packs) > 2
    assert len(await written(desk, PACKS) - packs) == 1
    assert len(await written(desk, MANIFESTS) - manifests) == 1
    assert len(offered) == 1


@pytest.mark.parametrize("versions", [(2, 3), (3, 4), (4, 5), (5, 2)])
async def test_a_commit_may_be_of_another_format(desk: Desk, versions: tuple[int, int]) -> None:
    app_id, fresh = new_id(), new_id()
    # A page of the same bytes, in which a file is a query in the old formats alone.
    bare = {"pages/Bare/canvas.json": b"{}", "pages/Bare/queries/Stray.json": b"{}"}
    before, after = (shop(version) | bare for version in versions)

    await desk.imported(zipped(before), app_id, **a_commit("a"))
    changed = await desk.imported(zipped(after), app_id, **a_commit("b"))
    await desk.imported(zipped(after), fresh)

    assert changed.counts == parse(after).counts
    changing = {"app_id", "entity_version"}
    found, wanted = [
        [one.model_dump(exclude=changing) for one in await desk.entities(app)]
        for app in (app_id, fresh)
    ]
    assert found == wanted


async def test_a_change_of_a_revision_is_the_whole_app_again(desk: Desk) -> None:
    app_id, files = new_id(), shop()
    first = await desk.imported(zipped(files), app_id, **a_commit("a"))
    await desk.imported(zipped(a_change(files)), app_id, **a_commit("b"))
    gone = sorted(path for path in files if path.startswith("jslibs/"))
    new = {"theme.json": b"{}", "docs/new.md": b"new"}

    changed = await desk.imported(
        zipped(new), app_id, **a_commit("c"), base_revision_id=first.revision_id, removed=gone
    )
    nothing = await desk.imported(
        zipped({}), app_id, **a_commit("d"), base_revision_id=changed.revision_id
    )

    wanted = {path: body for path, body in files.items() if path not in gone} | new
    assert gone
    assert await exported(desk, app_id) == wanted
    assert changed.files == nothing.files == len(wanted)
    *_, third, fourth = await history(desk, app_id)
    assert third.digest == fourth.digest


@pytest.mark.parametrize(
    ("files", "removed", "rule", "path"),
    [
        ({}, ["nowhere.md"], "MISSING_FILE", "nowhere.md"),
        ({}, ["application.json"], "MISSING_FILE", "application.json"),
        ({"README.md/inside": b""}, [], "DUPLICATE_FILE", "README.md"),
        ({"../outside": b""}, [], "PATH_ESCAPE", "../outside"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused(
    desk: Desk, files: dict[str, bytes], removed: list[str], rule: str, path: str
) -> None:
    first = await desk.imported(zipped(shop()), new_id())
    base = {"base_revision_id": first.revision_id, "removed": removed}

    with pytest.raises(Rejected) as refusal:
        await desk.imported(zipped(files), first.app_id, **base)

    assert isinstance(refusal.value.rejection, ImportRefused)
    assert (refusal.value.rejection.rule, refusal.value.rejection.path) == (rule, path)


async def test_a_change_of_another_apps_revision_is_refused(desk: Desk) -> None:
    mine = await desk.imported(zipped(shop()), new_id())
    other = await desk.imported(zipped(shop()), new_id())

    with pytest.raises(Rejected) as refusal:
        await desk.imported(zipped({}), mine.app_id, base_revision_id=other.revision_id)

    unknown = RevisionUnknown(app_id=mine.app_id, revision_id=other.revision_id)
    assert refusal.value.rejection == unknown


async def test_the_whole_of_a_change_keeps_the_limits(desk: Desk) -> None:
    first = await desk.imported(zipped(shop()), new_id())
    desk.settings = desk.settings.model_copy(update={"archive_files_max": first.files})
    one_more = {"base_revision_id": first.revision_id}

    with pytest.raises(Rejected) as refusal:
        await desk.imported(zipped({"one.md": b"more"}), first.app_id, **one_more)

    assert isinstance(refusal.value.rejection, ImportRefused)
    assert refusal.value.rejection.rule == "TOO_MANY_FILES"


async def test_the_commit_that_is_the_head_is_not_imported_twice(desk: Desk) -> None:
    app_id, archive = new_id(), zipped(shop())
    first = await desk.imported(archive, app_id, **a_commit("a"))
    facts = await desk.studio.facts()

    again = await desk.imported(archive, app_id, **a_commit("a"))

    assert again.revision_id == first.revision_id
    assert len(await history(desk, app_id)) == 1
    assert await desk.studio.facts() == facts


async def test_an_import_may_carry_a_message_and_is_no_commit_for_that(desk: Desk) -> None:
    app_id, files = new_id(), shop()

    await desk.imported(zipped(files), app_id)
    await desk.imported(zipped(a_change(files)), app_id, message="from the old server")
    await desk.imported(zipped(a_change(files)), app_id, message="once more")

    revisions = await history(desk, app_id)
    assert [one.message for one in revisions] == ["create", "from the old server"]
    assert [one.authored_at for one in revisions] == [None, None]


@pytest.mark.parametrize(
    "said",
    [
        {"author_name": "two\nlines"},
        {"author_name": "x" * 201},
        {"message": "a bell \x07"},
        {"message": "nothing \x00"},
        {"message": "x" * 10_001},
        {"commit": "a b"},
        {"authored_at": datetime(2022, 12, 1)},  # no zone
    ],
)
def test_what_a_commit_says_is_bounded_and_plain(said: dict[str, Any]) -> None:
    ids = {name: new_id() for name in ("workspace_id", "app_id", "operation_id")}

    with pytest.raises(ValidationError):
        ImportApp(**ids, archive_digest="0" * 64, **said)
