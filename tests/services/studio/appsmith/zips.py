"""Builds zips of which an honest archiver would be ashamed."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

HONEST = {
    "application.json": b'{"pages": [{"id": "Home", "isDefault": true}]}',
    "metadata.json": b'{"fileFormatVersion": 5}',
    "pages/Home/Home.json": b'{"unpublishedPage": {"name": "Home"}}',
}


def a_zip(files: dict[str, bytes], **overrides: int) -> bytes:
    """An ordinary zip; `overrides` sets attributes of every entry (external_attr, ...)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for name, value in overrides.items():
                setattr(entry, name, value)
            archive.writestr(entry, content)
    return buffer.getvalue()


@dataclass
class Raw:
    """One entry, every claim of which may be a lie; None = the truth."""

    name: bytes
    content: bytes = b"{}"
    method: int = 8
    flags: int = 0
    claimed_size: int | None = None
    claimed_crc: int | None = None
    local_name: bytes | None = None
    mode: int = 0o100644
    header_at: int | None = None
    cut: int = 0


def raw_zip(*entries: Raw) -> bytes:
    """A zip written byte by byte."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        packed = _packed(entry)
        crc = zlib.crc32(entry.content) if entry.claimed_crc is None else entry.claimed_crc
        size = len(entry.content) if entry.claimed_size is None else entry.claimed_size
        at = len(body) if entry.header_at is None else entry.header_at
        name = entry.local_name or entry.name
        if entry.header_at is None:
            body += struct.pack(
                "<4s5H3L2H", b"PK\x03\x04", 20, entry.flags, entry.method, 0, 0, crc,
                len(packed), size, len(name), 0,
            )  # fmt: skip
            body += name + packed
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 3 << 8 | 20, 20, entry.flags, entry.method, 0, 0, crc,
            len(packed), size, len(entry.name), 0, 0, 0, 0, entry.mode << 16, at,
        )  # fmt: skip
        directory += entry.name
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries) & 0xFFFF, len(entries) & 0xFFFF,
        len(directory), len(body), 0,
    )  # fmt: skip
    return bytes(body + directory + end)


def _packed(entry: Raw) -> bytes:
    if entry.method != 8:
        return entry.content
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(entry.content) + packer.flush()
    return packed[: len(packed) - entry.cut]
