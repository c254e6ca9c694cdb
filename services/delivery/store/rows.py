"""Apps, releases and the index of public files, in Postgres."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from chassis.resources import Resources
from chassis.stores.aggregates import AggregateStore
from chassis.stores.postgres import ChunkStore, Reading, Statement
from contracts.delivery.bundle import BundleFile
from services.delivery.model.app import App, Release

Columns = Mapping[str, tuple[str, Callable[[Release], object]]]


class SqlApps(AggregateStore[App]):
    """Apps; their `version` numbers the events of delivery.release."""

    table = "app"
    aggregate = App
    announces = "release"

    @staticmethod
    def key(app: App) -> UUID:
        return app.app_id


class SqlReleases(AggregateStore[Release]):
    """Releases, one row each: an app's history may be long."""

    table = "release"
    aggregate = Release
    key_field = "release_id"
    columns: ClassVar[Columns] = {
        "app_id": ("uuid", lambda release: release.app_id),
        "environment": ("text", lambda release: release.environment.value),
        "number": ("int", lambda release: release.number),
        "standing": ("text", lambda release: release.state.value),
        "bundle_digest": ("text", lambda release: release.bundle_digest),
    }

    @staticmethod
    def key(release: Release) -> UUID:
        return release.release_id

    def reads(self, reading: Reading, keys: Sequence[str]) -> None:
        """The releases themselves, and the live ones that they may replace."""
        super().reads(reading, keys)
        reading.add(
            "SELECT live.id::text, live.revision, live.version, NULL::text, live.state::text"
            " FROM release AS live WHERE live.standing = 'live' AND live.app_id IN"
            " (SELECT app_id FROM release WHERE id = ANY({}::uuid[]))",
            list(keys),
            into=self._load,
        )


class SqlBundleIndex(ChunkStore):
    """The public files of each bundle: immutable, so a bundle that is known stays as it is."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._added: list[tuple[UUID, str, Sequence[BundleFile]]] = []

    def add(self, workspace_id: UUID, bundle_digest: str, files: Sequence[BundleFile]) -> None:
        """List a bundle's public files at the flush."""
        self._added.append((workspace_id, bundle_digest, files))

    def snapshot(self) -> object:
        return len(self._added)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, int), "snapshot() made it"
        del self._added[snapshot:]

    def flush(self, statement: Statement) -> None:
        bundles = {(workspace, digest): files for workspace, digest, files in self._added}
        rows = [
            (workspace, digest, file.path, file.digest, file.size, file.offset, file.content_type)
            for (workspace, digest), files in bundles.items()
            for file in files
        ]
        if rows:
            statement.add(
                "INSERT INTO bundle_file"
                " (workspace_id, bundle_digest, path, digest, size, start, content_type)"
                " SELECT * FROM unnest({}::uuid[], {}::text[], {}::text[], {}::text[],"
                " {}::bigint[], {}::bigint[], {}::text[]) ON CONFLICT DO NOTHING",
                *(list(column) for column in zip(*rows, strict=True)),
            )
