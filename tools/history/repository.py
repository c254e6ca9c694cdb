"""Read a stranger's clone with git's plumbing: nothing in it is executed, nothing is fetched.

Its objects are looked at from an empty repository of our own, so that its configuration (filters,
promisor remotes, replaced objects), hooks and attributes have no say; blobs come as they are.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.history.commits import Commit, parse_commit

GIT_TIMEOUT_S = 120.0
COMMITS_AT_ONCE = 500
TREE_BYTES_MAX = 512 * 1024 * 1024
ROOT_MARK = "application.json"
REMOVED_MAX = 1000
"""Named in a request of bounded size; with more, a commit is sent whole."""

LINK, SUBMODULE = "120000", "160000"


class Unreadable(Exception):
    """Git can't read it; the text is for a terminal."""


class NoTree(Exception):
    """This commit's files can't be an archive, others' may; the text says why."""


@dataclass(frozen=True)
class Load:
    """What is sent of a commit: all its files, or with `removed` what differs from another."""

    files: list["File"]
    removed: list[str] | None = None


@dataclass(frozen=True)
class File:
    """A file of a tree. A link's body is where it leads."""

    path: str
    body: bytes
    link: bool


class Repository:
    """A clone, bare or not. `name`: its folder's; `tip`: what the ref stands for; `shallow`: the
    history before a point is not here."""

    def __init__(self, path: Path, ref: str = "HEAD") -> None:
        inside = path.resolve().name == ".git"
        self.name = (path.resolve().parent if inside else path.resolve()).name.removesuffix(".git")
        self._folder = tempfile.TemporaryDirectory(prefix="basalt-history-")
        self._view = Path(self._folder.name) / "view"
        self._blobs: dict[str, bytes] = {}
        try:
            self._open(path.resolve(), ref)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the view; the clone is as it was."""
        self._folder.cleanup()

    def commits(self) -> list[Commit]:
        """All that the ref reaches, parents first. One line of work follows another, as it was
        done, rather than by the clock: then neighbours differ by what somebody changed."""
        listed = self._git("rev-list", "--reverse", "--topo-order", self.tip)
        names = listed.decode().split()
        found: list[Commit] = []
        for at in range(0, len(names), COMMITS_AT_ONCE):
            some = names[at : at + COMMITS_AT_ONCE]
            bodies = self._objects(some)
            found += [parse_commit(name, bodies[name]) for name in some]
        return found

    def files(self, commit: Commit) -> list[File]:
        """The commit's files by path, exact bytes. Raises NoTree."""
        entries = list(self._entries(commit.tree))
        wanted = {blob for _, blob, _ in entries}
        kept = {blob: body for blob, body in self._blobs.items() if blob in wanted}
        self._blobs = kept | self._objects([blob for blob in sorted(wanted) if blob not in kept])
        return [File(path, self._blobs[blob], mode == LINK) for mode, blob, path in entries]

    def change(self, before: Commit, after: Commit) -> Load:
        """What a commit changed since another, which need not be its parent. All its files when
        the app is not at the root of both: then its paths are not those of its export. Raises
        NoTree or Unreadable."""
        old = {path: (mode == LINK, blob) for mode, blob, path in self._entries(before.tree)}
        new = {path: (mode == LINK, blob) for mode, blob, path in self._entries(after.tree)}
        removed = sorted(old.keys() - new.keys())
        if ROOT_MARK not in old or ROOT_MARK not in new or len(removed) > REMOVED_MAX:
            return Load(self.files(after))
        changed = {path: entry for path, entry in new.items() if old.get(path) != entry}
        bodies = self._objects(sorted({blob for _, blob in changed.values()}))
        files = [File(path, bodies[blob], link) for path, (link, blob) in changed.items()]
        return Load(files, removed)

    # --- private

    def _open(self, path: Path, ref: str) -> None:
        if not path.is_dir():
            raise Unreadable(f"{path} is no folder")
        ask = ("-C", str(path), "-c", "safe.directory=*", "rev-parse")
        ceiling = {"GIT_CEILING_DIRECTORIES": str(path.parent)}
        self.tip = _run([*ask, "--verify", "--end-of-options", f"{ref}^{{commit}}"], ceiling)
        shape = _run([*ask, "--show-object-format"], ceiling)
        objects = path / _run([*ask, "--git-path", "objects"], ceiling)
        shallow = path / _run([*ask, "--git-path", "shallow"], ceiling)
        _run(["init", "--bare", "--template=", f"--object-format={shape}", str(self._view)], {})
        (self._view / "objects/info").mkdir(parents=True, exist_ok=True)
        (self._view / "objects/info/alternates").write_text(f"{objects}\n")
        self.shallow = shallow.is_file()
        if self.shallow:
            (self._view / "shallow").write_bytes(shallow.read_bytes())

    def _entries(self, tree: str) -> Iterator[tuple[str, str, str]]:
        """(mode, blob, path) of each file. Raises NoTree or Unreadable."""
        total = 0
        for entry in self._git("ls-tree", "-r", "-z", "-l", "--full-tree", tree).split(b"\0")[:-1]:
            about, _, raw_path = entry.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            path = raw_path.decode("utf-8", "backslashreplace")
            if path.encode() != raw_path:
                raise NoTree(f"{path}: a name that is not UTF-8")
            if mode == SUBMODULE:
                raise NoTree(f"{path}: a submodule, whose files are elsewhere")
            if not size.isdigit():
                raise Unreadable(f"object {blob} is missing: is it a partial clone?")
            total += int(size)
            if total > TREE_BYTES_MAX:
                raise NoTree(f"{path}: more than {TREE_BYTES_MAX} bytes in all")
            yield mode, blob, path

    def _objects(self, names: Sequence[str]) -> dict[str, bytes]:
        """The bodies of objects. Raises Unreadable when one is not here."""
        given = "".join(f"{name}\n" for name in names).encode()
        answer = memoryview(self._git("cat-file", "--batch", given=given) if names else b"")
        found: dict[str, bytes] = {}
        at = 0
        for name in names:
            end = at + bytes(answer[at : at + 200]).index(b"\n")
            _, kind, *size = bytes(answer[at:end]).decode().split()
            if not size:
                raise Unreadable(f"object {name} is {kind}: is it a partial clone?")
            at = end + 1 + int(size[0])
            found[name] = bytes(answer[end + 1 : at])
            at += 1
        return found

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        return _call(arguments, {"GIT_DIR": str(self._view)}, given)


def _run(arguments: Sequence[str], more: Mapping[str, str]) -> str:
    return os.fsdecode(_call(arguments, more)).removesuffix("\n")


def _call(arguments: Sequence[str], more: Mapping[str, str], given: bytes = b"") -> bytes:
    """Git without anybody's configuration, prompts, replaced objects, or network."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        **more,
    }
    command = ["git", "--no-pager", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  # git, with arguments of our own
            command, input=given, capture_output=True, env=environment, timeout=GIT_TIMEOUT_S
        )
    except FileNotFoundError:
        raise Unreadable("git is missing: install it") from None
    except subprocess.TimeoutExpired:
        raise Unreadable(f"git {arguments[0]} took more than {GIT_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unreadable(said[-1] if said else f"git {arguments[0]} ended with {done.returncode}")
    return done.stdout
