"""What a sound bundle is: every byte is the one that its digest promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from contracts.delivery.bundle import FORMAT_NEWEST, Bundle, BundleFile, BundlePart, decode

PATH_BYTES_MAX = 2_048
"""What an index entry of PostgreSQL can hold beside the rest of its key."""


@dataclass
class BundleBroken(Exception):
    """A bundle is not what it should be: which file (or part), and the rule that it broke."""

    path: str
    rule: str


@dataclass(frozen=True)
class BundleLimits:
    """What a bundle may be at most."""

    files_max: int
    pack_bytes_max: int
    document_bytes_max: int


class BundleIndex(Protocol):
    """Where the public files of bundles are listed, once for each bundle of a workspace."""

    def add(self, workspace_id: UUID, bundle_digest: str, files: Sequence[BundleFile]) -> None: ...


def check_document(document: bytes, digest: str, limits: BundleLimits) -> Bundle:
    """Read a bundle document. BundleBroken when it is not the one, or not sound."""
    bundle = _read(document, digest, limits)
    for name, part in (("public", bundle.public), ("private", bundle.private)):
        _check_layout(name, part, limits)
    if bundle.entry and bundle.entry not in {file.path for file in bundle.public.files}:
        raise BundleBroken(bundle.entry, "entry_is_public")
    return bundle


def check_pack(name: str, part: BundlePart, pack: bytes) -> None:
    """Compare a pack file by file. BundleBroken names the first that differs.

    The files fill the pack, so every byte is compared; `part` comes from a checked document.
    """
    if len(pack) != part.size:
        raise BundleBroken(name, "size")
    view = memoryview(pack)
    for file in part.files:
        if sha256(view[file.offset : file.offset + file.size]).hexdigest() != file.digest:
            raise BundleBroken(file.path, "digest")


def _read(document: bytes, digest: str, limits: BundleLimits) -> Bundle:
    if len(document) > limits.document_bytes_max:
        raise BundleBroken("bundle", "document_bytes_max")
    if sha256(document).hexdigest() != digest:
        raise BundleBroken("bundle", "digest")
    try:
        bundle = decode(document)
    except ValueError as error:
        raise BundleBroken("bundle", "shape") from error
    if bundle.format > FORMAT_NEWEST:
        raise BundleBroken("bundle", "format")
    return bundle


def _check_layout(name: str, part: BundlePart, limits: BundleLimits) -> None:
    """Paths are safe and sorted, and the files fill the pack without gaps."""
    if len(part.files) > limits.files_max:
        raise BundleBroken(name, "files_max")
    if part.size > limits.pack_bytes_max:
        raise BundleBroken(name, "pack_bytes_max")
    end, before = 0, ""
    for file in part.files:
        if len(file.path.encode()) > PATH_BYTES_MAX or not _is_safe(file.path):
            raise BundleBroken(file.path, "path")
        if file.path <= before:
            raise BundleBroken(file.path, "sorted")
        if file.offset != end:
            raise BundleBroken(file.path, "offset")
        end, before = end + file.size, file.path
    if end != part.size:
        raise BundleBroken(name, "size")


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    controls = any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in path)
    return not controls and all(part not in ("", ".", "..") for part in parts)
