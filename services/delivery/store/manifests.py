"""Live manifests: built from Postgres, cached in Redis under the pointer's own version.

A switch changes the version, so it needs no invalidation and nothing stale can be read; what the
old version left behind expires. A cache that is empty or down costs time, never correctness.
"""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import UUID

from redis.exceptions import RedisError

from chassis.resources import Resources
from contracts.delivery.environment import Environment
from contracts.delivery.live import Manifest, ManifestFile
from contracts.delivery.release import Visibility

_DIGEST_BYTES = 64


@dataclass(frozen=True)
class LiveManifest:
    """A manifest as it is sent, and who may have it."""

    visibility: Visibility
    digest: str
    body: bytes


class Manifests:
    """Finds what is live. Raises Unavailable when Postgres cannot answer."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._redis = resources.redis
        self._settings = resources.settings

    async def live(
        self, workspace_id: UUID, app_id: UUID, environment: Environment
    ) -> LiveManifest | None:
        """The live manifest, or None when nothing is live there."""
        state = await self._database.fetchval(
            "SELECT state FROM app WHERE id = $1 AND workspace_id = $2", app_id, workspace_id
        )
        pointer = state and state["pointers"].get(environment.value)
        if not pointer:
            return None
        name = f"delivery:manifest:{workspace_id}:{app_id}:{environment}:{pointer['version']}"
        kept = await self._cached(name)
        if kept is None:
            manifest = await self._build(workspace_id, app_id, environment, pointer)
            body = manifest.model_dump_json().encode()
            kept = sha256(body).hexdigest().encode() + body
            await self._cache(name, kept)
        return LiveManifest(
            visibility=Visibility(state["visibility"]),
            digest=kept[:_DIGEST_BYTES].decode(),
            body=kept[_DIGEST_BYTES:],
        )

    async def _build(
        self,
        workspace_id: UUID,
        app_id: UUID,
        environment: Environment,
        pointer: dict[str, Any],  # the app's state as JSON
    ) -> Manifest:
        release_id = UUID(pointer["release_id"])
        release = await self._database.fetchval(
            "SELECT state FROM release WHERE id = $1 AND workspace_id = $2",
            release_id,
            workspace_id,
        )
        assert release, "a pointer is saved with its release"
        files = await self._database.fetch(
            "SELECT path, digest, size, content_type FROM bundle_file"
            " WHERE workspace_id = $1 AND bundle_digest = $2 ORDER BY path",
            workspace_id,
            release["bundle_digest"],
        )
        root = f"/files/{workspace_id}/{app_id}/{release_id}/"
        return Manifest(
            workspace_id=workspace_id,
            app_id=app_id,
            environment=environment,
            release_id=release_id,
            revision_id=release["revision_id"],
            release_number=release["number"],
            pointer_version=pointer["version"],
            bundle_digest=release["bundle_digest"],
            entry=release["entry"],
            files=[ManifestFile(**file, url=root + quote(file["path"])) for file in files],
        )

    async def _cached(self, name: str) -> bytes | None:
        try:
            async with asyncio.timeout(self._settings.manifest_cache_timeout_ms / 1000):
                kept = await self._redis.get(name)
                return kept if isinstance(kept, bytes) else None
        except (RedisError, OSError, TimeoutError):
            return None

    async def _cache(self, name: str, kept: bytes) -> None:
        try:
            async with asyncio.timeout(self._settings.manifest_cache_timeout_ms / 1000):
                await self._redis.set(name, kept, ex=self._settings.manifest_cache_seconds)
        except (RedisError, OSError, TimeoutError):
            return
