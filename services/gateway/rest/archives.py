"""Uploads: an app's archive goes to the blob store as it comes in, never into memory.

`POST /api/workspaces/{workspace}/apps/import` takes a zip as the body or as a multipart file, and
answers an Operation. `POST /api/workspaces/{workspace}/archives` only keeps it and answers its
digest, for the mutation `importApp`.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from chassis.resources import Resources
from chassis.stores.blobs import Blobs
from contracts.studio.app import ImportApp
from services.gateway import ids
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.inputs import build
from services.gateway.graphql.mutation import filled
from services.gateway.graphql.operations import Operation
from services.gateway.graphql.publishing import fill_import
from services.gateway.rest.answers import route_class
from services.gateway.rest.multipart import file_part
from services.gateway.scope import CommandKey, Scope, World, bearer
from services.gateway.settings import Settings

EDIT = "app.edit"
ZIP = ("application/zip", "application/x-zip-compressed", "application/octet-stream")
FORM = "multipart/form-data"

IdempotencyKey = Annotated[str | None, Header(description="Names this call: see importApp.")]
OPENAPI_BODY: dict[str, Any] = {  # an OpenAPI document's part
    "requestBody": {
        "required": True,
        "content": {
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"archive": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


def archives_router(world: World, resources: Resources, settings: Settings) -> APIRouter:
    """The two upload routes."""
    routes = APIRouter(
        prefix="/api/workspaces/{workspace}",
        tags=["apps"],
        route_class=route_class(resources.clock, settings.upload_ms_max),
    )
    door = ArchiveDoor(world, resources.blobs, settings.archive_bytes_max)
    routes.add_api_route(
        "/apps/import",
        door.import_app,
        methods=["POST"],
        status_code=202,
        openapi_extra=OPENAPI_BODY,
        response_class=JSONResponse,
    )
    routes.add_api_route(
        "/archives",
        door.keep_archive,
        methods=["POST"],
        status_code=201,
        openapi_extra=OPENAPI_BODY,
        response_class=JSONResponse,
    )
    return routes


class ArchiveDoor:
    """Takes archives. The caller must be allowed to edit before the first byte is read."""

    def __init__(self, world: World, blobs: Blobs, bytes_max: int) -> None:
        self._world, self._blobs, self._bytes_max = world, blobs, bytes_max

    async def keep_archive(self, request: Request, workspace: str) -> Response:
        """Keep an archive. Answers `{"archiveDigest", "bytes"}`."""
        scope, workspace_id = self._scope(request), workspace_of(workspace)
        await scope.permit(EDIT, workspace_id)
        digest, size = await self._keep(request, workspace_id)
        return JSONResponse({"archiveDigest": digest, "bytes": size}, 201)

    async def import_app(
        self,
        request: Request,
        workspace: str,
        app: Annotated[str | None, Query(description="Global id: a new revision of it.")] = None,
        name: Annotated[str, Query(description="What a new app is called.")] = "",
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Import an archive: a new app, or a new revision of `app`. Answers the Operation."""
        scope, workspace_id = self._scope(request), workspace_of(workspace)
        await scope.permit(EDIT, workspace_id)
        digest, _ = await self._keep(request, workspace_id)
        fields: dict[str, Any] = {  # contract field values
            "workspace_id": workspace_id,
            "archive_digest": digest,
            "app_name": name,
        }
        if app:
            fields |= app_of(app, workspace_id)
        key = CommandKey(ImportApp.address.type, idempotency_key, fields)
        command_id = await scope.command_id(EDIT, key)
        fields |= await filled(scope, key, command_id, ("operation_id",), fill_import)
        command = build(ImportApp, fields, prefix="")
        operation = await scope.send(command, command_id)
        return JSONResponse(shown_operation(Operation.of(operation)), 202)

    def _scope(self, request: Request) -> Scope:
        return Scope(self._world, bearer(request.headers.get("authorization", "")))

    async def _keep(self, request: Request, workspace_id: UUID) -> tuple[str, int]:
        counted = Counted(body_of(request), self._bytes_max)
        digest = await self._blobs.put_stream(workspace_id, counted)
        return digest, counted.size


class Counted:
    """A stream that is not allowed to grow over `bytes_max`. Raises BadInput."""

    def __init__(self, pieces: AsyncIterator[bytes], bytes_max: int) -> None:
        self._pieces, self._bytes_max, self.size = pieces, bytes_max, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            self.size += len(piece)
            if self.size > self._bytes_max:
                raise BadInput(Fault("archive", f"is over {self._bytes_max} bytes"))
            yield piece
        if not self.size:
            raise BadInput(Fault("archive", "is empty"))


def body_of(request: Request) -> AsyncIterator[bytes]:
    """The archive's bytes: the body itself, or the first file of a form."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return file_part(request, content_type)
    if kind not in ZIP:
        raise BadInput(Fault("content-type", f"must be {ZIP[0]} or {FORM}"))
    return request.stream()


def workspace_of(text: str) -> UUID:
    """The workspace of a path, as a global id. BadInput otherwise."""
    try:
        found = ids.decode(text, "Workspace").workspace_id
    except ids.InvalidId as error:
        raise BadInput(Fault("workspace", str(error))) from None
    assert found is not None, "a workspace's id carries a workspace"
    return found


def app_of(text: str, workspace_id: UUID) -> dict[str, Any]:
    """`app_id` of a global id. BadInput when it is none, or one of another workspace."""
    try:
        decoded = ids.decode(text, "App")
    except ids.InvalidId as error:
        raise BadInput(Fault("app", str(error))) from None
    if decoded.workspace_id != workspace_id:
        raise BadInput(Fault("app", "belongs to another workspace"))
    return {"app_id": decoded.fields["app_id"]}


def shown_operation(operation: Operation) -> dict[str, Any]:  # JSON
    """The Operation as GraphQL shows it, without its links."""
    names = ("id", "kind", "step", "done", "total", "cancellable")
    return {
        **{name: operation.read(name) for name in names},
        "state": operation.shown.state.value,
        "startedAt": operation.shown.started_at.isoformat(),
    }
