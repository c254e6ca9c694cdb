"""SourceTree: an app's files as relative POSIX path -> exact bytes, and folders of them."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.studio.appsmith.limits import DEFAULT_LIMITS, Limits
from services.studio.appsmith.paths import (
    check_no_file_is_a_folder,
    check_path,
    is_version_control,
)
from services.studio.appsmith.refusals import ImportRefused, Rule


@dataclass(frozen=True, slots=True)
class SourceTree(Mapping[str, bytes]):
    """Files by path, iterated in order of path (by code point)."""

    files: Mapping[str, bytes]

    def __getitem__(self, path: str) -> bytes:
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.files))

    def __len__(self) -> int:
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.files.values()))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all paths and bytes."""
        return files_digest(self.files)


def files_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) of paths and bytes; the same for the same files in any order."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.encode() + b"\0")
        whole.update(hashlib.sha256(files[path]).digest())
    return whole.hexdigest()


def read_folder(root: Path, limits: Limits = DEFAULT_LIMITS) -> SourceTree:
    """Read a folder; git's own data is left out. Links are never followed.

    Raises ImportRefused for links, special files, unsafe names and broken limits.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path, entry in _walk(root, "", limits):
        if len(files) >= limits.files_max:
            raise _refused(path, Rule.TOO_MANY_FILES, f"more than {limits.files_max} files")
        files[path] = content = _read_file(path, entry, limits)
        total += len(content)
        if total > limits.total_bytes_max:
            raise _refused(path, Rule.TOTAL_TOO_LARGE, f"more than {limits.total_bytes_max} bytes")
    return SourceTree(files)


def write_folder(tree: SourceTree, root: Path) -> None:
    """Write every file below `root`, which must not exist or be empty (FileExistsError)."""
    for path in tree:
        check_path(path, DEFAULT_LIMITS)
    check_no_file_is_a_folder(tree)
    root.mkdir(parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise FileExistsError(f"{root} is not empty")
    for path, content in tree.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)


def _walk(root: Path, prefix: str, limits: Limits) -> Iterator[tuple[str, os.DirEntry[str]]]:
    pending = [(str(root), prefix)]
    while pending:
        folder, prefix = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = prefix + entry.name
                if is_version_control(path):
                    continue
                check_path(path, limits)
                if entry.is_symlink():
                    raise _refused(path, Rule.LINK, "a symbolic link")
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, path + "/"))
                else:
                    yield path, entry


def _read_file(path: str, entry: os.DirEntry[str], limits: Limits) -> bytes:
    if not entry.is_file(follow_symlinks=False):
        raise _refused(path, Rule.SPECIAL_FILE, "not a plain file")
    # O_NOFOLLOW and O_NONBLOCK: the entry may have been swapped since it was looked at.
    handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _refused(path, Rule.SPECIAL_FILE, "not a plain file")
        if status.st_size > limits.entry_bytes_max:
            detail = f"{status.st_size} bytes; at most {limits.entry_bytes_max}"
            raise _refused(path, Rule.ENTRY_TOO_LARGE, detail)
        content = file.readall()
    if len(content) > limits.entry_bytes_max:
        raise _refused(path, Rule.ENTRY_TOO_LARGE, f"at most {limits.entry_bytes_max} bytes")
    return content


def _refused(path: str, rule: Rule, detail: str) -> ImportRefused:
    return ImportRefused(path=path, rule=rule, detail=detail)
