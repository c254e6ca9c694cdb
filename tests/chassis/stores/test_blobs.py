"""One suite for every adapter of Blobs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.clock import new_id
from chassis.stores.blobs import BlobCorrupt, Blobs, BlobUnknown, FolderBlobs, digest_of
from chassis.testing.blobs import MemoryBlobs
from chassis.testing.simulation.stores import SimBlobs

WORKSPACE, OTHER = new_id(), new_id()


@pytest.fixture(params=["folder", "memory", "simulated"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "simulated":
        return SimBlobs({})
    return FolderBlobs(tmp_path) if request.param == "folder" else MemoryBlobs()


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, digest: str) -> bytes:
    return b"".join([piece async for piece in blobs.stream(WORKSPACE, digest)])


class TestBlobs:
    async def test_what_was_put_is_read_back(self, blobs: Blobs) -> None:
        digest = await blobs.put(WORKSPACE, b"hello")

        assert digest == digest_of(b"hello")
        assert await blobs.get(WORKSPACE, digest) == b"hello"
        assert await read(blobs, digest) == b"hello"
        assert await blobs.get_slice(WORKSPACE, digest, 1, 3) == b"ell"
        assert await blobs.has(WORKSPACE, digest)

    async def test_the_same_bytes_may_be_put_again(self, blobs: Blobs) -> None:
        digests = {await blobs.put(WORKSPACE, b"same") for _ in range(2)}
        digests.add(await blobs.put_stream(WORKSPACE, pieces(b"sa", b"me")))

        assert digests == {digest_of(b"same")}

    async def test_a_stream_is_kept_whole(self, blobs: Blobs) -> None:
        body = b"x" * 3_000_000

        digest = await blobs.put_stream(WORKSPACE, pieces(body[:5], body[5:]))

        assert await read(blobs, digest) == body

    async def test_workspaces_do_not_share(self, blobs: Blobs) -> None:
        digest = await blobs.put(WORKSPACE, b"private")

        assert not await blobs.has(OTHER, digest)
        with pytest.raises(BlobUnknown):
            await blobs.get(OTHER, digest)

    @pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", ""])
    async def test_what_is_not_there_is_unknown(self, blobs: Blobs, digest: str) -> None:
        assert not await blobs.has(WORKSPACE, digest)
        with pytest.raises(BlobUnknown):
            await blobs.get(WORKSPACE, digest)
        with pytest.raises(BlobUnknown):
            await read(blobs, digest)
        with pytest.raises(BlobUnknown):
            await blobs.get_slice(WORKSPACE, digest, 0, 1)


class TestFolderBlobs:
    async def test_changed_bytes_are_noticed(self, tmp_path: Path) -> None:
        blobs = FolderBlobs(tmp_path)
        digest = await blobs.put(WORKSPACE, b"honest")
        (tmp_path / str(WORKSPACE) / digest).write_bytes(b"forged")

        with pytest.raises(BlobCorrupt):
            await blobs.get(WORKSPACE, digest)
        with pytest.raises(BlobCorrupt):
            await read(blobs, digest)

    async def test_a_broken_stream_leaves_nothing(self, tmp_path: Path) -> None:
        async def breaks() -> AsyncIterator[bytes]:
            yield b"half"
            raise ConnectionError

        with pytest.raises(ConnectionError):
            await FolderBlobs(tmp_path).put_stream(WORKSPACE, breaks())

        assert list((tmp_path / str(WORKSPACE)).iterdir()) == []
