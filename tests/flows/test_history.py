"""The history of a clone through two replicas of everything: each commit a revision, resumed,
compared with its export."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.traveller import Traveller
from tests.samples.clone import ANN, BOB, Clone, a_clone
from tests.samples.shop import shop
from tools.history.__main__ import main
from tools.journey.documents import CHANGE_ENTITY

REVISIONS = """query($id: ID!) { app(id: $id) { name revisions(first: 100) { nodes {
    number message authorName authoredAt commit actorId } } } }"""
WIDGETS = """query($id: ID!) { app(id: $id) { widgets(first: 100) { nodes {
    id version name source } } } }"""
PATH = "pages/Home/queries/List orders"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return a_clone(tmp_path / "history.git")


class Importer:
    """Runs the command as the traveller, and reads what it says."""

    def __init__(
        self, traveller: Traveller, clone: Clone, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.traveller, self.clone, self.capsys = traveller, clone, capsys
        self.app_id = ""

    async def run(self, *words: str) -> tuple[int, str]:
        """Its exit code and output."""
        story = self.traveller.story
        given = ["--gateway", self.traveller.client.gateway, "--workspace", story.workspace_id]
        code = await asyncio.to_thread(main, [str(self.clone.folder), *given, *words])
        captured = self.capsys.readouterr()
        last = captured.out.strip().rpartition("\n")[2].split()
        self.app_id = last[1] if last[:1] == ["app"] else self.app_id
        return code, captured.out + captured.err

    async def history(self) -> list[dict[str, Any]]:
        """The revisions, oldest first."""
        found = await self.traveller.client.ask(REVISIONS, id=self.app_id)
        revisions: list[dict[str, Any]] = found["app"]["revisions"]["nodes"]
        return revisions[::-1]


@pytest.fixture
def importer(
    traveller: Traveller,
    clone: Clone,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Importer:
    monkeypatch.setenv("BASALT_TOKEN", traveller.client.token)
    return Importer(traveller, clone, capsys)


def a_history(clone: Clone) -> list[str]:
    """Commits of all sorts; the hashes of those that hold an app, in order."""
    first = shop(4, copies=1)
    renamed = {path.replace(PATH, f"{PATH} twice"): body for path, body in first.items()}
    clone.commit({"README.md": b"soon"}, message="only a promise")
    root = clone.commit(first, author=BOB, at="1669885250 +0700", message="the app\n\nwith a body")
    side = clone.commit({**first, "side.md": b"1"}, parents=[root], branch="side", author=ANN)
    main_line = clone.commit(renamed, message="rename a query")
    empty = clone.commit(renamed, message="")
    linked = clone.commit(renamed, message="a link", links={"docs/link": "../README.md"})
    both = {**renamed, "side.md": b"1"}
    merged = clone.commit(both, parents=[linked, side], author=BOB, message="merge")
    newer = clone.commit(shop(5, copies=1), message="another format")
    inside = {f"apps/shop/{path}": body for path, body in shop(5, copies=1).items()}
    moved = clone.commit(inside, message="in a folder")
    return [root, side, main_line, empty, merged, newer, moved]


async def test_every_commit_becomes_a_revision_and_exports_as_it_was(
    importer: Importer, clone: Clone
) -> None:
    wanted = a_history(clone)

    code, said = await importer.run("--check")

    assert code == 0, said
    assert "9 commits: 7 imported, 0 there already, 2 skipped" in said
    assert "skipped: application.json: MISSING_FILE" in said
    assert "skipped: docs/link: LINK" in said
    assert "exports: 7 equal to their commits, 0 not" in said
    revisions = await importer.history()
    assert sorted(one["commit"] for one in revisions) == sorted(wanted)
    assert [one["number"] for one in revisions] == list(range(1, 8))
    first, last = revisions[0], revisions[-1]
    assert (first["commit"], last["commit"]) == (wanted[0], wanted[-1])
    assert first["message"] == "the app\n\nwith a body"
    assert (first["authorName"], first["authoredAt"]) == (
        "อนุวัต ช่วยพัฒน์",
        "2022-12-01T16:00:50+07:00",
    )
    assert last["authorName"] == "Ann Ånström"
    assert {one["actorId"] for one in revisions} != {None}


async def test_a_second_run_goes_on_where_the_first_one_ended(
    importer: Importer, clone: Clone
) -> None:
    wanted = a_history(clone)
    _, before = await importer.run("--ref", wanted[2])
    app_id = importer.app_id

    code, said = await importer.run("--check")
    _, again = await importer.run()

    assert "2 imported" in before
    assert code == 0
    assert importer.app_id == app_id
    assert "5 imported, 2 there already, 2 skipped" in said
    assert "0 imported, 7 there already, 2 skipped" in again
    assert len(await importer.history()) == 7


async def test_what_somebody_edited_since_is_not_covered_unasked(
    importer: Importer, clone: Clone
) -> None:
    wanted = a_history(clone)
    await importer.run("--ref", wanted[0])
    client = importer.traveller.client
    found = (await client.ask(WIDGETS, id=importer.app_id))["app"]["widgets"]["nodes"]
    widget = next(one for one in found if one["name"] == "Text1")
    source = json.loads(json.dumps(widget["source"])) | {"text": "mine"}
    edit = {"entityId": widget["id"], "expectedVersion": widget["version"], "source": source}
    await client.done(CHANGE_ENTITY, "EntityChanged", **edit)

    code, said = await importer.run()
    over, told = await importer.run("--over-edits", "--check")

    assert code == 1
    assert "somebody edited it" in said
    assert over == 0
    assert "6 imported, 1 there already" in told
    assert "exports: 7 equal to their commits, 0 not" in told
    assert [one["commit"] != "" for one in await importer.history()] == [True, False] + [True] * 6


async def test_a_clone_without_an_app_makes_none(importer: Importer, clone: Clone) -> None:
    clone.commit({"README.md": b"nothing here"})

    code, said = await importer.run()

    assert code == 1
    assert "no commit holds an app" in said


async def test_a_folder_that_is_no_clone_is_told(importer: Importer, tmp_path: Path) -> None:
    importer.clone = Clone(tmp_path)

    code, said = await importer.run()

    assert code == 1
    assert said.startswith("import-history: ")
