"""Packs: a section's exact bytes in compressed documents, named by their content.

A section is one read: mostly one pack, in order several when it is larger than PACK_BYTES_MAX. A
pack's digest is taken of what is inside, not of the compressed bytes, so that another version of
the compressor gives no other name.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.studio.appsmith.sections import Section

PACK_BYTES_MAX = 8 * 1024 * 1024
"""Before compression: a document store takes 16 MiB, and text that does not compress fits too."""

LEVEL = 6
_MAGIC = b"BSP1"
_HEADER = struct.Struct("<IQ")


class PackBroken(Exception):
    """Stored packs don't hold what their digests promise."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A document to store: `body` is compressed, `size` is its length before."""

    section: str
    digest: str
    body: bytes
    size: int


def pack_section(section: Section) -> list[Pack]:
    """The packs of a section, in order. The same files give the same digests."""
    plain = _join(section.files)
    pieces = [plain[at : at + PACK_BYTES_MAX] for at in range(0, len(plain), PACK_BYTES_MAX)]
    return [_pack(section.name, piece) for piece in pieces]


def unpack_section(name: str, format_version: int, packs: Iterable[tuple[str, bytes]]) -> Section:
    """A section from its packs, given in order as (digest, body). Raises PackBroken."""
    plain = b"".join(_unpack(digest, body) for digest, body in packs)
    return Section(name, format_version, _split(plain))


def _pack(section: str, plain: bytes) -> Pack:
    digest = hashlib.sha256(plain).hexdigest()
    return Pack(section, digest, zlib.compress(plain, LEVEL), len(plain))


def _unpack(digest: str, body: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(body, PACK_BYTES_MAX + 1)
    except zlib.error as error:
        raise PackBroken(f"pack {digest} can't be unpacked: {error}") from None
    if hashlib.sha256(plain).hexdigest() != digest:
        raise PackBroken(f"pack {digest} holds something else")
    return plain


def _join(files: Mapping[str, bytes]) -> bytes:
    pieces = [_MAGIC]
    for path in sorted(files):
        name, content = path.encode(), files[path]
        pieces += (_HEADER.pack(len(name), len(content)), name, content)
    return b"".join(pieces)


def _split(plain: bytes) -> dict[str, bytes]:
    if plain[: len(_MAGIC)] != _MAGIC:
        raise PackBroken("not the packs of a section")
    files: dict[str, bytes] = {}
    at = len(_MAGIC)
    while at < len(plain):
        if at + _HEADER.size > len(plain):
            raise PackBroken("a section is cut off")
        name_size, size = _HEADER.unpack_from(plain, at)
        name_at = at + _HEADER.size
        content_at = name_at + name_size
        at = content_at + size
        if at > len(plain):
            raise PackBroken("a section is cut off")
        files[plain[name_at:content_at].decode()] = plain[content_at:at]
    return files
