"""Public files of releases: where their bytes are, and who may have them."""

from dataclasses import dataclass
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.blobs import BlobCorrupt, digest_of
from contracts.delivery.environment import Environment
from contracts.delivery.release import ReleaseState, Visibility


@dataclass(frozen=True)
class PublicFile:
    """One file of a release's public part, as a slice of its pack."""

    workspace_id: UUID
    pack_digest: str
    start: int
    size: int
    digest: str
    content_type: str
    for_everybody: bool


class Files:
    """Finds public files. The private part is in no index: no path leads there."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._blobs = resources.blobs

    async def find(
        self, workspace_id: UUID, app_id: UUID, release_id: UUID, path: str
    ) -> PublicFile | None:
        """The file, or None when that release was abandoned, is unknown or has no such file."""
        row = await self._database.fetchrow(
            "SELECT app.state AS app, release.state AS release, file.digest, file.size,"
            " file.start, file.content_type FROM release JOIN app ON app.id = release.app_id"
            " JOIN bundle_file AS file ON file.workspace_id = release.workspace_id"
            " AND file.bundle_digest = release.bundle_digest AND file.path = $4"
            " WHERE release.id = $3 AND release.app_id = $2 AND release.workspace_id = $1",
            workspace_id,
            app_id,
            release_id,
            path,
        )
        if row is None or row["release"]["state"] == ReleaseState.ABANDONED:
            return None
        return PublicFile(
            workspace_id=workspace_id,
            pack_digest=row["release"]["public_digest"],
            start=row["start"],
            size=row["size"],
            digest=row["digest"],
            content_type=row["content_type"],
            for_everybody=(
                row["app"]["visibility"] == Visibility.PUBLIC
                and row["release"]["environment"] == Environment.PRODUCTION
                and row["release"]["state"] in (ReleaseState.LIVE, ReleaseState.SUPERSEDED)
                and Environment.PRODUCTION in row["app"]["pointers"]
            ),
        )

    async def read(self, file: PublicFile) -> bytes:
        """The file's bytes. Raises BlobUnknown, or BlobCorrupt when they are not its digest's."""
        if file.size == 0:
            return b""
        body = await self._blobs.get_slice(
            file.workspace_id, file.pack_digest, file.start, file.size
        )
        if digest_of(body) != file.digest:
            raise BlobCorrupt(file.digest)
        return body
