"""Blobs: immutable bytes under the digest of their content, tenant first.

A blob's key is `<workspace_id>/<digest>`; the digest is SHA-256 in hex, so that what is read can
be proven to be what was written.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import IO, Protocol
from uuid import UUID

from chassis.clock import new_id

READ_BYTES = 1 << 20


class BlobUnknown(Exception):
    """No blob of this digest in this workspace."""


class BlobCorrupt(Exception):
    """The bytes found are not those of the digest."""


class Blobs(Protocol):
    """Where bundles and archives lie. Writing the same bytes again is free and harmless."""

    async def put(self, workspace_id: UUID, body: bytes) -> str:
        """Keep `body` durably; its digest."""
        ...

    async def put_stream(self, workspace_id: UUID, chunks: AsyncIterable[bytes]) -> str:
        """Keep a body that does not fit in memory; its digest."""
        ...

    async def get(self, workspace_id: UUID, digest: str) -> bytes:
        """The whole body, verified. Raises BlobUnknown or BlobCorrupt."""
        ...

    async def get_slice(self, workspace_id: UUID, digest: str, start: int, size: int) -> bytes:
        """`size` bytes from `start`, fewer at the end; NOT verified: the caller has a digest of
        the slice. Raises BlobUnknown."""
        ...

    def stream(self, workspace_id: UUID, digest: str) -> AsyncIterator[bytes]:
        """The body in pieces. BlobCorrupt comes at the end, when the digest is known."""
        ...

    async def has(self, workspace_id: UUID, digest: str) -> bool:
        """Whether it is there (not whether it is whole)."""
        ...


def digest_of(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def _checked(digest: str) -> str:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise BlobUnknown(digest)
    return digest


class FolderBlobs:
    """Blobs as files: written beside their place, made durable, then renamed into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, workspace_id: UUID, body: bytes) -> str:
        digest = digest_of(body)
        if not await self.has(workspace_id, digest):
            await asyncio.to_thread(self._write, workspace_id, digest, body)
        return digest

    async def put_stream(self, workspace_id: UUID, chunks: AsyncIterable[bytes]) -> str:
        hasher = hashlib.sha256()
        draft = await asyncio.to_thread(self._draft, workspace_id)
        try:
            with await asyncio.to_thread(draft.open, "wb") as file:
                async for chunk in chunks:
                    hasher.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_make_durable, file)
            digest = hasher.hexdigest()
            await asyncio.to_thread(_place, draft, self._path(workspace_id, digest))
            return digest
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def get(self, workspace_id: UUID, digest: str) -> bytes:
        try:
            body = await asyncio.to_thread(self._path(workspace_id, digest).read_bytes)
        except FileNotFoundError as missing:
            raise BlobUnknown(digest) from missing
        if digest_of(body) != digest:
            raise BlobCorrupt(digest)
        return body

    async def get_slice(self, workspace_id: UUID, digest: str, start: int, size: int) -> bytes:
        return await asyncio.to_thread(_slice, self._path(workspace_id, digest), start, size)

    async def stream(self, workspace_id: UUID, digest: str) -> AsyncIterator[bytes]:
        hasher = hashlib.sha256()
        try:
            file = await asyncio.to_thread(self._path(workspace_id, digest).open, "rb")
        except FileNotFoundError as missing:
            raise BlobUnknown(digest) from missing
        with file:
            while chunk := await asyncio.to_thread(file.read, READ_BYTES):
                hasher.update(chunk)
                yield chunk
        if hasher.hexdigest() != digest:
            raise BlobCorrupt(digest)

    async def has(self, workspace_id: UUID, digest: str) -> bool:
        try:
            path = self._path(workspace_id, digest)
        except BlobUnknown:
            return False
        return await asyncio.to_thread(path.is_file)

    def _path(self, workspace_id: UUID, digest: str) -> Path:
        return self._folder / str(workspace_id) / _checked(digest)

    def _draft(self, workspace_id: UUID) -> Path:
        home = self._folder / str(workspace_id)
        home.mkdir(parents=True, exist_ok=True)
        return home / f".draft-{new_id()}"

    def _write(self, workspace_id: UUID, digest: str, body: bytes) -> None:
        draft = self._draft(workspace_id)
        try:
            with draft.open("wb") as file:
                file.write(body)
                _make_durable(file)
            _place(draft, self._path(workspace_id, digest))
        finally:
            draft.unlink(missing_ok=True)


def _slice(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)
    except FileNotFoundError as missing:
        raise BlobUnknown(path.name) from missing


def _make_durable(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _place(draft: Path, place: Path) -> None:
    """Rename, and make the rename durable."""
    draft.rename(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
