"""What is live, and what was released before."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.errors import Rejected
from chassis.stores.postgres import Database
from contracts.delivery.environment import Environment
from contracts.delivery.live import (
    AppDeliveries,
    AppDelivery,
    GetAppDeliveries,
    GetManifest,
    LivePointer,
    Manifest,
)
from contracts.delivery.release import (
    CursorInvalid,
    GetReleases,
    ListReleases,
    NothingLive,
    Release,
    ReleasePage,
    Releases,
    Visibility,
)
from services.delivery.store.manifests import Manifests

State = Mapping[str, Any]  # an aggregate as JSON


async def get_app_deliveries(query: GetAppDeliveries, database: Database) -> AppDeliveries:
    """Two queries, however many apps."""
    rows = await database.fetch(
        "SELECT id, version, state FROM app WHERE workspace_id = $1 AND id = ANY($2::uuid[])",
        query.workspace_id,
        query.app_ids,
    )
    apps = {row["id"]: row for row in rows}
    live = await database.fetch(
        "SELECT state FROM release WHERE workspace_id = $1 AND app_id = ANY($2::uuid[])"
        " AND standing = 'live'",
        query.workspace_id,
        query.app_ids,
    )
    releases = [_release(row["state"]) for row in live]
    pointers = {(release.app_id, release.environment): release for release in releases}
    return AppDeliveries(
        apps=[
            AppDelivery(
                workspace_id=query.workspace_id,
                app_id=app_id,
                visibility=row["state"]["visibility"] if row else Visibility.MEMBERS,
                version=row["version"] if row else 0,
                pointers=[
                    LivePointer(
                        environment=environment,
                        release=pointers.get((app_id, environment)),
                        path=manifest_path(query.workspace_id, app_id, environment),
                    )
                    for environment in Environment
                ],
            )
            for app_id in query.app_ids
            for row in (apps.get(app_id),)
        ]
    )


async def get_releases(query: GetReleases, database: Database) -> Releases:
    """Those of the ids that this workspace has."""
    rows = await database.fetch(
        "SELECT state FROM release WHERE workspace_id = $1 AND id = ANY($2::uuid[])",
        query.workspace_id,
        query.release_ids,
    )
    return Releases(releases=[_release(row["state"]) for row in rows])


async def list_releases(query: ListReleases, database: Database) -> ReleasePage:
    """Newest first; the cursor is the number of the last release that was seen."""
    rows = await database.fetch(
        "SELECT state FROM release WHERE workspace_id = $1 AND app_id = $2"
        " AND ($3::text IS NULL OR environment = $3) AND number < $4"
        " ORDER BY number DESC LIMIT $5",
        query.workspace_id,
        query.app_id,
        query.environment,
        _number(query.cursor),
        query.limit + 1,
    )
    releases = [_release(row["state"]) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return ReleasePage(
        releases=releases, cursor_next=str(releases[-1].release_number) if more else ""
    )


async def get_manifest(query: GetManifest, manifests: Manifests) -> Manifest:
    """The very manifest that browsers get."""
    live = await manifests.live(query.workspace_id, query.app_id, query.environment)
    if live is None:
        raise Rejected(NothingLive(app_id=query.app_id, environment=query.environment))
    return Manifest.model_validate_json(live.body)


def manifest_path(workspace_id: UUID, app_id: UUID, environment: Environment) -> str:
    """Where the gateway serves what is live."""
    return f"/live/{workspace_id}/{app_id}/{environment}/manifest.json"


def _release(state: State) -> Release:
    return Release.model_validate({**state, "release_number": state["number"]})


def _number(cursor: str) -> int:
    """Releases are older than this number. Rejected with CursorInvalid."""
    if not cursor:
        return 2**31 - 1
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Rejected(CursorInvalid(cursor=cursor[:100]))
    return int(cursor)
