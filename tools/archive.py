"""Archives of apps: a folder as a zip, and what a zip holds, to be compared by value."""

import io
import json
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

SKIPPED = {".git"}
EPOCH = (1980, 1, 1, 0, 0, 0)


def zip_of(path: Path) -> bytes:
    """The bytes of a zip, or a folder's files zipped. OSError when it is neither."""
    if path.is_file():
        return path.read_bytes()
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is neither a folder nor a zip")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files_of(path):
            info = zipfile.ZipInfo(file.relative_to(path).as_posix(), EPOCH)
            archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def zip_of_files(files: Iterable[tuple[str, bytes, bool]]) -> bytes:
    """The zip of (path, body, whether it is a link), in order of path: the same files give the
    same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, body, link in sorted(files):
            info = zipfile.ZipInfo(path, EPOCH)
            info.external_attr = (stat.S_IFLNK | 0o777 if link else stat.S_IFREG | 0o644) << 16
            archive.writestr(info, body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def files_of(folder: Path) -> list[Path]:
    """Its files in order of path; links and version control's own folder are left out."""
    found = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sorted(f for f in found if not SKIPPED & set(f.relative_to(folder).parts))


def contents(archive: bytes) -> dict[str, object]:
    """What a zip holds, by path below its one outer folder if it has one: JSON as its value, the
    rest as bytes."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
        outer = {name.partition("/")[0] for name in names if "/" in name}
        below = len(outer) == 1 and all("/" in name for name in names)
        start = len(outer.pop()) + 1 if below else 0
        return {name[start:]: _value(name, opened.read(name)) for name in names}


def _value(name: str, body: bytes) -> object:
    if name.endswith(".json"):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body
