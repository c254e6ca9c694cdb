"""Folders as source trees."""

import os
import socket
from pathlib import Path

import pytest

from services.studio.appsmith import (
    ImportRefused,
    Limits,
    Rule,
    SourceTree,
    read_folder,
    write_folder,
)
from tests.samples.shop import shop


def refusal(folder: Path, limits: Limits | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        read_folder(folder, limits or Limits())
    return refused.value


def test_a_folder_comes_back_byte_for_byte(tmp_path: Path) -> None:
    tree = SourceTree(shop(5))

    write_folder(tree, tmp_path / "app")

    assert read_folder(tmp_path / "app") == tree


def test_gits_own_folder_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("[core]")
    (tmp_path / ".gitignore").write_text("*.log")

    assert list(read_folder(tmp_path)) == [".gitignore"]


def test_a_link_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theme.json").symlink_to("/etc/hostname")

    found = refusal(tmp_path)

    assert (found.rule, found.path) == (Rule.LINK, "theme.json")


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pages").symlink_to(tmp_path)

    assert refusal(tmp_path).rule == Rule.LINK


def test_pipes_and_sockets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipes, sockets = tmp_path / "p", tmp_path / "s"
    pipes.mkdir()
    sockets.mkdir()
    os.mkfifo(pipes / "pipe")
    monkeypatch.chdir(sockets)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

    assert refusal(pipes).rule == Rule.SPECIAL_FILE
    assert refusal(sockets).rule == Rule.SPECIAL_FILE


def test_names_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_text("{}")

    found = refusal(tmp_path)

    assert found.rule == Rule.PATH_INVALID
    found.path.encode()


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(files_max=3), Rule.TOO_MANY_FILES),
        (Limits(entry_bytes_max=100), Rule.ENTRY_TOO_LARGE),
        (Limits(total_bytes_max=2000), Rule.TOTAL_TOO_LARGE),
        (Limits(depth_max=2), Rule.PATH_TOO_DEEP),
    ],
)
def test_limits_hold_for_folders_too(tmp_path: Path, limits: Limits, rule: Rule) -> None:
    write_folder(SourceTree(shop(5, copies=0)), tmp_path / "app")

    assert refusal(tmp_path / "app", limits).rule == rule


def test_nothing_is_written_outside_or_over(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        write_folder(SourceTree({"ok": b"", "../evil": b""}), tmp_path / "app")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("keep")
    with pytest.raises(FileExistsError):
        write_folder(SourceTree({"mine": b"lost"}), tmp_path / "full")

    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "app").exists()
    assert (tmp_path / "full" / "mine").read_text() == "keep"


def test_the_digest_is_blind_to_order_and_sees_every_byte() -> None:
    files = shop(4)

    same = SourceTree(dict(reversed(files.items())))

    assert SourceTree(files).digest == same.digest
    assert SourceTree({**files, "README.md": b"?"}).digest != same.digest
    assert SourceTree({"ab": b"c"}).digest != SourceTree({"a": b"bc"}).digest
