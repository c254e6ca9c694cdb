"""Take a source tree out of a zip that a stranger made.

Everything is checked before anything leaves this module: no file is ever written, and no claim of
the archive is believed (sizes, counts, ratios are measured while unpacking, and unpacking stops at
the first broken rule).
"""

import mmap
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.studio.appsmith.limits import DEFAULT_LIMITS, Limits
from services.studio.appsmith.paths import check_no_file_is_a_folder, is_version_control
from services.studio.appsmith.refusals import ImportRefused, Rule
from services.studio.appsmith.tree import SourceTree
from services.studio.appsmith.zip_directory import (
    STORED,
    Entry,
    broken,
    data_range,
    read_directory,
)

ROOT_MARK = "application.json"
PREFIX_LEVELS_MAX = 8
_MAC_JUNK = "__MACOSX/"


def read_zip(archive: Path | bytes, limits: Limits = DEFAULT_LIMITS) -> SourceTree:
    """The files of a zip; a folder around the whole app (`repo-main/`) is taken off.

    Directory entries, git's own data and the Mac archiver's `__MACOSX/` are left out. Raises
    ImportRefused, with the first rule broken and the file that breaks it.
    """
    if isinstance(archive, bytes):
        return _read(memoryview(archive), limits)
    size = archive.stat().st_size
    if size == 0:
        raise broken("", "an empty file")
    _check_archive_size(size, limits)
    with archive.open("rb") as file:
        # Never closed by hand: a refusal's traceback may still hold a view of it.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _read(memoryview(mapped), limits)


def read_changes(
    archive: bytes,
    base: Mapping[str, bytes],
    removed: Iterable[str],
    limits: Limits = DEFAULT_LIMITS,
) -> SourceTree:
    """`base` with a zip's files in place of its own or beside them, and without `removed`.

    The whole keeps the limits as if it had come in one archive. Raises ImportRefused.
    """
    files = dict(base)
    for path in removed:
        if files.pop(path, None) is None:
            detail = "it is to be removed, and is not in the base"
            raise ImportRefused(path=path, rule=Rule.MISSING_FILE, detail=detail)
    files |= _files(memoryview(archive), limits)
    if len(files) > limits.files_max:
        detail = f"more than {limits.files_max} files"
        raise ImportRefused(path="", rule=Rule.TOO_MANY_FILES, detail=detail)
    if sum(map(len, files.values())) > limits.total_bytes_max:
        detail = f"more than {limits.total_bytes_max} bytes in all"
        raise ImportRefused(path="", rule=Rule.TOTAL_TOO_LARGE, detail=detail)
    check_no_file_is_a_folder(files)
    return SourceTree(files)


def strip_prefix(files: dict[str, bytes]) -> dict[str, bytes]:
    """Take off the folders that hold nothing but the app."""
    for _ in range(PREFIX_LEVELS_MAX):
        if ROOT_MARK in files or not files:
            break
        first = next(iter(files)).partition("/")[0] + "/"
        if not all(path.startswith(first) for path in files):
            break
        files = {path[len(first) :]: content for path, content in files.items()}
    return files


def _read(view: memoryview, limits: Limits) -> SourceTree:
    return SourceTree(strip_prefix(_files(view, limits)))


def _files(view: memoryview, limits: Limits) -> dict[str, bytes]:
    _check_archive_size(len(view), limits)
    entries = _checked(read_directory(view, limits), limits)
    ranges = {entry.path: data_range(view, entry) for entry in entries}
    _check_overlap(entries, ranges)
    files: dict[str, bytes] = {}
    left = limits.total_bytes_max
    for entry in entries:
        start, end = ranges[entry.path]
        files[entry.path] = content = _unpack(entry, view[start:end], left, limits)
        left -= len(content)
    return files


def _checked(found: Iterable[Entry], limits: Limits) -> list[Entry]:
    entries: dict[str, Entry] = {}
    total = packed = 0
    for entry in found:
        if entry.is_folder or is_version_control(entry.path) or entry.path.startswith(_MAC_JUNK):
            continue
        if entry.path in entries:
            raise _refused(entry, Rule.DUPLICATE_FILE, "the name occurs twice")
        if len(entries) >= limits.files_max:
            raise _refused(entry, Rule.TOO_MANY_FILES, f"more than {limits.files_max} files")
        _check_claim(entry, limits)
        total, packed = total + entry.unpacked, packed + entry.packed
        if total > limits.total_bytes_max:
            detail = f"more than {limits.total_bytes_max} bytes in all"
            raise _refused(entry, Rule.TOTAL_TOO_LARGE, detail)
        entries[entry.path] = entry
    if total > max(limits.whole_ratio_floor_bytes, packed * limits.ratio_max):
        detail = f"{packed} bytes that claim to be {total} in all"
        raise ImportRefused(path="", rule=Rule.BOMB, detail=detail)
    check_no_file_is_a_folder(entries)
    return list(entries.values())


def _check_claim(entry: Entry, limits: Limits) -> None:
    """Refuse on the archive's own word when that is already too much."""
    if entry.unpacked > limits.entry_bytes_max:
        detail = f"{entry.unpacked} bytes; at most {limits.entry_bytes_max}"
        raise _refused(entry, Rule.ENTRY_TOO_LARGE, detail)
    if entry.unpacked > _ratio_cap(entry.packed, limits):
        detail = f"{entry.packed} bytes that claim to be {entry.unpacked}"
        raise _refused(entry, Rule.BOMB, detail)


def _check_overlap(entries: list[Entry], ranges: dict[str, tuple[int, int]]) -> None:
    """Entries that share bytes make a bomb of a small archive."""
    last_end, last_path = 0, ""
    for entry in sorted(entries, key=lambda entry: entry.header_at):
        if entry.header_at < last_end:
            raise _refused(entry, Rule.BOMB, f"shares its bytes with {last_path!r}")
        last_end, last_path = ranges[entry.path][1], entry.path


def _unpack(entry: Entry, packed: memoryview, left: int, limits: Limits) -> bytes:
    content = bytes(packed) if entry.method == STORED else _inflate(entry, packed, left, limits)
    if len(content) != entry.unpacked:
        raise broken(entry.path, f"{len(content)} bytes where {entry.unpacked} were claimed")
    if zlib.crc32(content) != entry.crc:
        raise broken(entry.path, "its checksum is wrong")
    return content


def _inflate(entry: Entry, packed: memoryview, left: int, limits: Limits) -> bytes:
    """Unpack at most one byte more than allowed, whatever the archive claims."""
    cap = min(limits.entry_bytes_max, left, _ratio_cap(len(packed), limits))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, min(entry.unpacked, cap) + 1)
    except zlib.error:
        raise broken(entry.path, "its bytes can't be unpacked") from None
    if len(content) > cap:
        rule = Rule.ENTRY_TOO_LARGE if len(content) > limits.entry_bytes_max else Rule.BOMB
        raise _refused(entry, rule, f"more than {cap} bytes come out of {len(packed)}")
    if len(content) > entry.unpacked:
        raise _refused(entry, Rule.BOMB, f"more comes out than the {entry.unpacked} bytes claimed")
    if not stream.eof:
        raise broken(entry.path, "its bytes end too early")
    return content


def _ratio_cap(packed: int, limits: Limits) -> int:
    return max(limits.ratio_floor_bytes, packed * limits.ratio_max)


def _check_archive_size(size: int, limits: Limits) -> None:
    if size > limits.archive_bytes_max:
        detail = f"an archive of {size} bytes; at most {limits.archive_bytes_max}"
        raise ImportRefused(path="", rule=Rule.TOTAL_TOO_LARGE, detail=detail)


def _refused(entry: Entry, rule: Rule, detail: str) -> ImportRefused:
    return ImportRefused(path=entry.path, rule=rule, detail=detail)
