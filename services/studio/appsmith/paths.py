"""Which relative paths are safe to take from strangers, and to write to a folder later.

Case twins, spaces, emoji, colons and the rest of Unicode are legitimate file names and pass.
"""

import re
from collections.abc import Container, Iterable

from services.studio.appsmith.limits import Limits
from services.studio.appsmith.refusals import ImportRefused, Rule

NAME_BYTES_MAX = 255
_DRIVE = re.compile(r"^[A-Za-z]:(/|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_path(path: str, limits: Limits) -> None:
    """Raise ImportRefused when `path` could leave its root or can't be a file's name."""
    _check_escape(path)
    if _CONTROL.search(path):
        raise _refused(path, Rule.PATH_INVALID, "a control character in the name")
    parts = path.split("/")
    if any(part in ("", ".") for part in parts):
        raise _refused(path, Rule.PATH_INVALID, "an empty or '.' part")
    if len(parts) > limits.depth_max:
        raise _refused(path, Rule.PATH_TOO_DEEP, f"more than {limits.depth_max} levels")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise _refused(path, Rule.PATH_INVALID, "the name is not UTF-8") from None
    if size > limits.path_length_max:
        raise _refused(path, Rule.PATH_TOO_LONG, f"more than {limits.path_length_max} bytes")
    if size > NAME_BYTES_MAX and any(len(p.encode()) > NAME_BYTES_MAX for p in parts):
        raise _refused(path, Rule.PATH_TOO_LONG, f"a part of more than {NAME_BYTES_MAX} bytes")


def check_no_file_is_a_folder(paths: Iterable[str]) -> None:
    """Raise ImportRefused when one path is both a file and the folder of another."""
    files = set(paths)
    folders: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    for path in sorted(files & folders):
        raise _refused(path, Rule.DUPLICATE_FILE, "both a file and a folder")


def is_version_control(path: str) -> bool:
    """Whether the path belongs to git's own data, which is no part of the tree."""
    return path.startswith(".git/") or "/.git/" in path or path == ".git" or path.endswith("/.git")


def file_name(name: str) -> str:
    """A file name for something called `name`: readable, safe, at most 200 bytes.

    >>> file_name("Orders / Returns")
    'Orders _ Returns'
    """
    clean = re.sub(r"[/\\\x00-\x1f\x7f]", "_", name).encode("utf-8", "replace").decode()
    while len(clean.encode()) > 200:
        clean = clean[:-1]
    return f"_{clean}" if clean in ("", ".", "..", ".git") else clean


def occupied(paths: Iterable[str]) -> set[str]:
    """Files and the folders that they are in."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return found


def free_path(used: Container[str], folder: str, stem: str, suffix: str) -> str:
    """A path in a folder that nothing has; `used`: as `occupied` tells."""
    start, count = folder + file_name(stem), 1
    path = start + suffix
    while path in used:
        count += 1
        path = f"{start}~{count}{suffix}"
    return path


def _check_escape(path: str) -> None:
    if "\\" in path:
        raise _refused(path, Rule.PATH_ESCAPE, "a backslash in the name")
    if path.startswith("/") or _DRIVE.match(path):
        raise _refused(path, Rule.PATH_ESCAPE, "an absolute path")
    if ".." in path.split("/"):
        raise _refused(path, Rule.PATH_ESCAPE, "a '..' part")


def _refused(path: str, rule: Rule, detail: str) -> ImportRefused:
    return ImportRefused(path=path, rule=rule, detail=detail)
