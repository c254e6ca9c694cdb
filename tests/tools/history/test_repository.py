"""Strangers' clones: all commits in order, exact bytes, and nothing in them is ever executed."""

import subprocess
from pathlib import Path

import pytest

from tests.samples.clone import ANN, BOB, Clone, a_clone
from tools.history.repository import NoTree, Repository, Unreadable


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return a_clone(tmp_path / "shop.git")


def bodies(repository: Repository, at: int) -> dict[str, bytes]:
    return {file.path: file.body for file in repository.files(repository.commits()[at])}


def test_every_commit_comes_after_its_parents_and_a_line_of_work_stays_together(
    clone: Clone,
) -> None:
    root = clone.commit({"a": b"1"}, at="1000 +0000")
    left = clone.commit({"a": b"2"}, author=BOB, at="9000 +0700")
    right = clone.commit({"b": b"3"}, parents=[root], branch="side", at="2000 +0000")
    again = clone.commit({"b": b"4"}, branch="side", at="9500 +0000")
    merged = clone.commit({"a": b"2", "b": b"4"}, parents=[left, again], at="10000 +0000")

    repository = Repository(clone.folder)

    names = [commit.name for commit in repository.commits()]
    assert sorted(names) == sorted([root, left, right, again, merged])
    assert (names[0], names[-1]) == (root, merged)
    assert names.index(again) == names.index(right) + 1
    assert repository.name == "shop"
    assert not repository.shallow


def test_files_are_the_bytes_that_were_committed(clone: Clone) -> None:
    files = {"x.bin": bytes(range(256)), "dir/ünï.txt": b"a\r\n", "empty": b"", "twin": b""}
    clone.commit({**files, ".gitattributes": b"* text eol=crlf export-subst export-ignore\n"})
    clone.commit({"x.bin": b"$Id$ $Format:%H$"})

    repository = Repository(clone.folder)

    assert {k: v for k, v in bodies(repository, 0).items() if k != ".gitattributes"} == files
    assert bodies(repository, 1) == {"x.bin": b"$Id$ $Format:%H$"}


def test_a_link_is_told_and_a_submodule_is_no_tree(clone: Clone) -> None:
    clone.commit({"a": b"1"}, links={"b": "../outside"})
    clone.commit({"a": b"1"}, modules=["vendor"])
    repository = Repository(clone.folder)

    linked = repository.files(repository.commits()[0])

    assert [(file.path, file.body, file.link) for file in linked] == [
        ("a", b"1", False),
        ("b", b"../outside", True),
    ]
    with pytest.raises(NoTree, match="vendor: a submodule"):
        repository.files(repository.commits()[1])


def test_a_change_holds_what_differs_and_names_what_went(clone: Clone) -> None:
    app = {"application.json": b"{}", "same": b"1", "other": b"2", "gone": b"3", "was": b"4"}
    clone.commit(app)
    clone.commit({"application.json": b"{}", "same": b"1", "other": b"two", "is": b"4"})
    clone.commit({"application.json": b"{}", "same": b"1", "is": b"4"}, links={"other": "two"})
    repository = Repository(clone.folder)
    first, second, third = repository.commits()

    change = repository.change(first, second)
    linked = repository.change(second, third)
    nothing = repository.change(third, third)

    assert {file.path: file.body for file in change.files} == {"other": b"two", "is": b"4"}
    assert change.removed == ["gone", "was"]
    assert [(file.path, file.link) for file in linked.files] == [("other", True)]
    assert (nothing.files, nothing.removed) == ([], [])


def test_a_change_is_all_files_where_the_app_is_not_at_the_root(clone: Clone) -> None:
    clone.commit({"app/application.json": b"{}", "app/a": b"1"})
    clone.commit({"app/application.json": b"{}", "app/a": b"2"})
    clone.commit({"application.json": b"{}", "a": b"2"})
    repository = Repository(clone.folder)
    first, second, third = repository.commits()

    for before, after, count in ((first, second, 2), (second, third, 2)):
        load = repository.change(before, after)
        assert (len(load.files), load.removed) == (count, None)


def test_a_change_that_removes_too_much_to_be_named_is_all_files(clone: Clone) -> None:
    clone.commit({"application.json": b"{}", **{f"f{i}": b"" for i in range(1001)}})
    clone.commit({"application.json": b"{}"})
    repository = Repository(clone.folder)

    load = repository.change(*repository.commits())

    assert ([file.path for file in load.files], load.removed) == (["application.json"], None)


def test_a_branch_may_be_named_and_an_unknown_one_is_told(clone: Clone) -> None:
    clone.commit({"a": b"1"})
    clone.commit({"a": b"2"}, branch="side")

    assert len(Repository(clone.folder, "side").commits()) == 1
    with pytest.raises(Unreadable):
        Repository(clone.folder, "nowhere")
    with pytest.raises(Unreadable):
        Repository(clone.folder, "--all")


def test_a_folder_that_is_no_clone_is_refused_even_inside_of_one(clone: Clone) -> None:
    clone.commit({"a": b"1"})
    (clone.folder / "inside").mkdir()

    for folder in (clone.folder / "inside", clone.folder / "nowhere"):
        with pytest.raises(Unreadable):
            Repository(folder)


def test_a_shallow_clone_is_read_as_far_as_it_goes(clone: Clone, tmp_path: Path) -> None:
    clone.commit({"a": b"1"})
    clone.commit({"a": b"2"})
    clone.git("clone", "-q", "--depth=1", f"file://{clone.folder}", str(tmp_path / "shallow"))

    repository = Repository(tmp_path / "shallow")

    assert repository.shallow
    assert [file.body for file in repository.files(*repository.commits())] == [b"2"]


def test_nothing_of_the_clones_configuration_or_hooks_is_run(clone: Clone, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    commit = clone.commit({"a.txt": b"1", ".gitattributes": b"* filter=evil diff=evil\n"})
    evil = f"sh -c 'touch {mark}'"
    clone.git("config", "--local", "extensions.partialClone", "evil")
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "remote.evil.url": str(clone.folder),
        "remote.evil.promisor": "true",
        "remote.evil.uploadpack": evil,
        "core.fsmonitor": evil,
        "core.pager": evil,
        "core.sshCommand": evil,
        "core.alternateRefsCommand": evil,
        "filter.evil.smudge": evil,
        "diff.evil.textconv": evil,
        "gpg.program": evil,
        "log.showSignature": "true",
    }.items():
        clone.git("config", "--local", key, value)
    blob = clone.git("rev-parse", f"{commit}:a.txt").strip()
    clone.git("unpack-objects", "-q", given=_pack(clone))
    for packed in (clone.folder / "objects/pack").glob("*"):
        packed.unlink()
    (clone.folder / "objects" / blob[:2] / blob[2:]).unlink(missing_ok=True)  # a promised one

    repository = Repository(clone.folder)

    with pytest.raises(Unreadable, match=f"{blob} is missing: is it a partial clone"):
        repository.files(*repository.commits())
    assert not mark.exists()
    with pytest.raises(subprocess.CalledProcessError):
        clone.git("cat-file", "-p", blob)
    assert mark.exists(), "the trap is none: git as anybody runs it was not caught"


def test_replaced_objects_have_no_say(clone: Clone) -> None:
    real = clone.commit({"a": b"real"}, author=ANN)
    fake = clone.commit({"a": b"fake"}, author=BOB, branch="side", parents=[""])
    clone.git("replace", real, fake)

    repository = Repository(clone.folder)

    assert bodies(repository, 0) == {"a": b"real"}


def _pack(clone: Clone) -> bytes:
    """All objects as a pack, to be unpacked into loose ones: one of them can then be lost."""
    done = subprocess.run(
        ["git", f"--git-dir={clone.folder}", "pack-objects", "--stdout", "--all", "-q"],
        input=b"",
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout
