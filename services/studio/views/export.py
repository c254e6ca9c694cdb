"""Export: an app as the zip of its source tree, exactly as it was imported or edited."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Response

from chassis.context import read_context
from chassis.doors.answers import Unidentified
from chassis.doors.route import SAFE_HEADERS, absent, route_class
from chassis.resources import Resources
from services.studio.appsmith import export, zip_bytes
from services.studio.store.contents import Contents

EXPORT_PATH = "/export/{workspace_id}/{app_id}"
MEMBER = "workspace.read"
_DIGEST = """
SELECT r.state->>'digest' FROM app AS a JOIN app_revision AS r
    ON r.app_id = a.id AND r.id = coalesce($3::uuid, (a.state->>'head_revision_id')::uuid)
WHERE a.id = $1 AND a.workspace_id = $2
"""
SignedContext = Annotated[str, Header(alias="basalt-context")]


def router(resources: Resources) -> APIRouter:
    """`GET /export/{workspace_id}/{app_id}?revision=`: a zip of the head, or of a revision."""
    routes = APIRouter(tags=["export"], route_class=route_class(resources))
    contents = Contents(resources)
    key = resources.settings.context_key.get_secret_value().encode()

    async def export_app(
        workspace_id: UUID,
        app_id: UUID,
        revision: UUID | None = None,
        basalt_context: SignedContext = "",
    ) -> Response:
        if not basalt_context:
            raise Unidentified("basalt-context is missing")
        context = read_context(basalt_context, key, resources.clock.now())
        member = context.permission == MEMBER and context.workspace_id == workspace_id
        digest = await resources.database.fetchval(_DIGEST, app_id, workspace_id, revision)
        if not member or digest is None:
            return absent()
        manifest = await contents.manifest(workspace_id, digest)
        app = await contents.app(workspace_id, manifest)
        body = await asyncio.to_thread(lambda: zip_bytes(export(app)))
        headers = {
            **SAFE_HEADERS,
            "ETag": f'"{digest}"',
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'attachment; filename="{app_id}.zip"',
        }
        return Response(body, media_type="application/zip", headers=headers)

    routes.add_api_route(EXPORT_PATH, export_app, methods=["GET"])
    return routes
