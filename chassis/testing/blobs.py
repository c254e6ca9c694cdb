"""Blobs in memory."""

from collections.abc import AsyncIterable, AsyncIterator
from uuid import UUID

from chassis.stores.blobs import BlobCorrupt, BlobUnknown, digest_of


class MemoryBlobs:
    """Passes the same suite as the folder."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[UUID, str], bytes] = {}

    async def put(self, workspace_id: UUID, body: bytes) -> str:
        digest = digest_of(body)
        self.bodies[workspace_id, digest] = body
        return digest

    async def put_stream(self, workspace_id: UUID, chunks: AsyncIterable[bytes]) -> str:
        return await self.put(workspace_id, b"".join([chunk async for chunk in chunks]))

    async def get(self, workspace_id: UUID, digest: str) -> bytes:
        body = self.bodies.get((workspace_id, digest))
        if body is None:
            raise BlobUnknown(digest)
        if digest_of(body) != digest:
            raise BlobCorrupt(digest)
        return body

    async def get_slice(self, workspace_id: UUID, digest: str, start: int, size: int) -> bytes:
        body = self.bodies.get((workspace_id, digest))
        if body is None:
            raise BlobUnknown(digest)
        return body[start : start + size]

    async def stream(self, workspace_id: UUID, digest: str) -> AsyncIterator[bytes]:
        yield await self.get(workspace_id, digest)

    async def has(self, workspace_id: UUID, digest: str) -> bool:
        return (workspace_id, digest) in self.bodies
