"""The central directory of a zip, read with suspicion: counts and sizes are only claims.

The standard library's reader builds every entry before one can count them and accepts entries
that share bytes; this one stops at the first broken rule.
"""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from services.studio.appsmith.limits import Limits
from services.studio.appsmith.paths import check_path
from services.studio.appsmith.refusals import ImportRefused, Rule

STORED, DEFLATED = 0, 8
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_MAX = 65_535
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
_UTF8_FLAG = 0x0800
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory claims of one file. Sizes in bytes."""

    path: str
    raw_name: bytes
    method: int
    crc: int
    packed: int
    unpacked: int
    header_at: int
    is_folder: bool


def read_directory(archive: bytes | memoryview, limits: Limits) -> Iterator[Entry]:
    """Each entry in order, its name and kind checked. Raises ImportRefused."""
    view = memoryview(archive)
    start, size = _find_directory(view)
    at, end, count = start, start + size, 0
    while at < end:
        if at + _CENTRAL.size > end:
            raise broken("", "the directory is cut off")
        fields = _CENTRAL.unpack_from(view, at)
        if fields[0] != b"PK\x01\x02":
            raise broken("", "the directory is damaged")
        name_at = at + _CENTRAL.size
        extra_at = name_at + fields[10]
        at = extra_at + fields[11] + fields[12]
        if at > end:
            raise broken("", "the directory is cut off")
        count += 1
        if count > limits.files_max * 2:
            raise _too_many(limits)
        yield _entry(fields, bytes(view[name_at:extra_at]), view[extra_at:at], limits)


def data_range(archive: memoryview, entry: Entry) -> tuple[int, int]:
    """Where the entry's packed bytes are; its local header has to tell the same story."""
    at = entry.header_at
    if at + _LOCAL.size > len(archive):
        raise broken(entry.path, "its header is beyond the end")
    fields = _LOCAL.unpack_from(archive, at)
    name_at = at + _LOCAL.size
    start = name_at + fields[9] + fields[10]
    if fields[0] != b"PK\x03\x04" or archive[name_at : name_at + fields[9]] != entry.raw_name:
        raise broken(entry.path, "its header disagrees with the directory")
    if fields[2] & _ENCRYPTED_FLAGS:
        raise ImportRefused(path=entry.path, rule=Rule.ENCRYPTED, detail="the entry is encrypted")
    if start + entry.packed > len(archive):
        raise broken(entry.path, "its bytes are beyond the end")
    return start, start + entry.packed


def broken(path: str, detail: str) -> ImportRefused:
    return ImportRefused(path=path, rule=Rule.BROKEN_ARCHIVE, detail=detail)


def _find_directory(view: memoryview) -> tuple[int, int]:
    tail_at = max(0, len(view) - _COMMENT_MAX - _END.size)
    tail = bytes(view[tail_at:])
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise broken("", "not a zip archive, or cut off")
    end_at = tail_at + found
    _, disk, _, _, count, size, start, _ = _END.unpack_from(view, end_at)
    if disk not in (0, _FULL16):
        raise broken("", "an archive in several parts")
    if count == _FULL16 or size == _FULL32 or start == _FULL32:
        size, start, end_at = _find_directory64(view, end_at, size, start)
    if start + size > end_at:
        raise broken("", "the directory is not where it claims to be")
    return start, size


def _find_directory64(view: memoryview, end_at: int, size: int, start: int) -> tuple[int, int, int]:
    locator_at = end_at - _LOCATOR.size
    if locator_at < 0 or bytes(view[locator_at : locator_at + 4]) != b"PK\x06\x07":
        return size, start, end_at
    end64_at = _LOCATOR.unpack_from(view, locator_at)[2]
    if end64_at + _END64.size > locator_at or bytes(view[end64_at : end64_at + 4]) != b"PK\x06\x06":
        raise broken("", "the zip64 directory is not where it claims to be")
    fields = _END64.unpack_from(view, end64_at)
    return fields[8], fields[9], end64_at


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: memoryview, limits: Limits) -> Entry:
    system, flags, method, crc = fields[1] >> 8, fields[3], fields[4], fields[7]
    path = _decode(raw_name, flags)
    is_folder = path.endswith("/")
    check_path(path[:-1] if is_folder else path, limits)
    _check_kind(path, system, fields[15] >> 16, is_folder)
    if flags & _ENCRYPTED_FLAGS:
        raise ImportRefused(path=path, rule=Rule.ENCRYPTED, detail="the entry is encrypted")
    if method not in (STORED, DEFLATED) and not is_folder:
        detail = f"compression method {method}; only stored and deflated are read"
        raise ImportRefused(path=path, rule=Rule.UNSUPPORTED_COMPRESSION, detail=detail)
    packed, unpacked, header_at = _sizes(path, fields[8], fields[9], fields[16], extra)
    return Entry(path, raw_name, method, crc, packed, unpacked, header_at, is_folder)


def _decode(raw_name: bytes, flags: int) -> str:
    """Names without the flag are code page 437 by the book, but mostly UTF-8 in real life."""
    try:
        return raw_name.decode()
    except UnicodeDecodeError:
        if flags & _UTF8_FLAG:
            path = raw_name.decode("utf-8", "replace")
            raise ImportRefused(
                path=path, rule=Rule.PATH_INVALID, detail="the name is not UTF-8"
            ) from None
        return raw_name.decode("cp437")


def _check_kind(path: str, system: int, mode: int, is_folder: bool) -> None:
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        raise ImportRefused(path=path, rule=Rule.LINK, detail="a symbolic link")
    plain = (0, stat.S_IFDIR) if is_folder else (0, stat.S_IFREG)
    if system == _UNIX and kind not in plain:
        raise ImportRefused(path=path, rule=Rule.SPECIAL_FILE, detail="not a plain file")


def _sizes(
    path: str, packed: int, unpacked: int, header_at: int, extra: memoryview
) -> tuple[int, int, int]:
    values = [unpacked, packed, header_at]
    missing = [i for i, value in enumerate(values) if value == _FULL32]
    at = 0
    while missing and at + 4 <= len(extra):
        tag, size = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            if size < 8 * len(missing) or at + 4 + size > len(extra):
                raise broken(path, "its zip64 sizes are damaged")
            for order, i in enumerate(missing):
                values[i] = struct.unpack_from("<Q", extra, at + 4 + 8 * order)[0]
            break
        at += 4 + size
    return values[1], values[0], values[2]


def _too_many(limits: Limits) -> ImportRefused:
    return ImportRefused(
        path="", rule=Rule.TOO_MANY_FILES, detail=f"more than {limits.files_max} files"
    )
