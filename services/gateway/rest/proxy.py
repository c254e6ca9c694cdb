"""Files that services keep, passed on as they are: live apps from delivery, exports from studio.

`/live/...` and `/files/...` are for members, and for everybody when the app is public: delivery
decides, by the context that is signed here.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

import httpx
from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from chassis.context import Context, sign
from chassis.doors.route import absent
from chassis.errors import Unanswered, Unavailable
from chassis.observability.tracing import inject
from chassis.resilience.deadline import current_deadline_ms
from chassis.resources import Resources
from services.gateway import ids
from services.gateway.errors import BadInput, Fault, Forbidden, Unauthenticated
from services.gateway.rest.answers import route_class
from services.gateway.rest.archives import app_of, workspace_of
from services.gateway.scope import PUBLIC, Scope, World, bearer
from services.gateway.settings import Settings

READ = "workspace.read"
PASSED_UP = ("if-none-match", "accept", "range")
KEPT_BACK = {
    "connection",
    "date",
    "keep-alive",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Files:
    """Another service's files over HTTP. One client per service, closed with the gateway."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._key = settings.context_key.get_secret_value().encode()
        limits = httpx.Limits(max_connections=settings.client_calls_max)
        self.http = httpx.AsyncClient(
            base_url=settings.url_of(name),
            limits=limits,
            timeout=settings.client_timeout_ms / 1000,
            trust_env=False,
        )

    async def pass_on(
        self, request: Request, path: str, context: Context, **params: str
    ) -> Response:
        """The service's answer: status, headers, and the body as a stream."""
        if {".", ".."} & set(unquote(path).split("/")):  # httpx would climb out of what is asked
            return absent()
        headers = {n: request.headers[n] for n in PASSED_UP if n in request.headers}
        headers |= {
            "accept-encoding": "identity",
            "basalt-context": sign(context, self._key),
            "basalt-deadline-ms": str(current_deadline_ms()),
            "traceparent": inject(),
        }
        asked = self.http.build_request(request.method, path, params=params, headers=headers)
        try:
            answer = await self.http.send(asked, stream=True)
        except httpx.ConnectError as error:
            raise Unavailable(f"{self.name}: {type(error).__name__}") from error
        except httpx.TransportError as error:
            raise Unanswered(f"{self.name}: {type(error).__name__}") from error
        if answer.status_code >= 500:
            await answer.aclose()
            raise Unavailable(f"{self.name}: status {answer.status_code}")
        shown = {n: v for n, v in answer.headers.items() if n.lower() not in KEPT_BACK}
        return StreamingResponse(
            _body(answer), answer.status_code, shown, background=BackgroundTask(answer.aclose)
        )


def revision_of(text: str, app_id: UUID) -> str:
    """The revision of a global id, as text. BadInput when it is not this app's."""
    try:
        fields = ids.decode(text, "Revision").fields
    except ids.InvalidId as error:
        raise BadInput(Fault("revision", str(error))) from None
    if fields["app_id"] != app_id:
        raise BadInput(Fault("revision", "belongs to another app"))
    return str(fields["revision_id"])


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in answer.aiter_raw():
        yield piece


class FileDoor:
    """Who may have which file."""

    def __init__(self, world: World, delivery: Files, studio: Files) -> None:
        self._world, self._delivery, self._studio = world, delivery, studio

    async def manifest(
        self, request: Request, workspace: UUID, app: UUID, environment: str
    ) -> Response:
        """What is live. Its file addresses never change their content."""
        path = f"/live/{workspace}/{app}/{environment}/manifest.json"
        return await self._delivery.pass_on(request, path, await self._visitor(request, workspace))

    async def file(
        self, request: Request, workspace: UUID, app: UUID, release: UUID, path: str
    ) -> Response:
        """A file of a release, for ever the same."""
        raw = request.scope["raw_path"].decode("ascii")  # as it came: names may be escaped
        context = await self._visitor(request, workspace)
        return await self._delivery.pass_on(request, raw, context)

    async def export(
        self,
        request: Request,
        workspace: str,
        app: str,
        revision: Annotated[str, Query(description="Global id; the head without it.")] = "",
    ) -> Response:
        """The app's source tree as a zip, equal to what was imported."""
        workspace_id = workspace_of(workspace)
        app_id = app_of(app, workspace_id)["app_id"]
        scope = Scope(self._world, bearer(request.headers.get("authorization", "")))
        context = await scope.permit(READ, workspace_id)
        params = {"revision": revision_of(revision, app_id)} if revision else {}
        path = f"/export/{workspace_id}/{app_id}"
        return await self._studio.pass_on(request, path, context, **params)

    async def _visitor(self, request: Request, workspace: UUID) -> Context:
        """A member's context when the caller is one; a stranger's otherwise."""
        scope = Scope(self._world, bearer(request.headers.get("authorization", "")))
        try:
            return await scope.permit(READ, workspace)
        except (Unauthenticated, Forbidden):
            return await scope.permit(PUBLIC, workspace)


def files_router(
    world: World, resources: Resources, settings: Settings, services: Mapping[str, Files]
) -> APIRouter:
    """Live apps and exports."""
    door = FileDoor(world, services["delivery"], services["studio"])
    routes = APIRouter(route_class=route_class(resources.clock, settings.upload_ms_max))
    paths = (
        ("/live/{workspace}/{app}/{environment}/manifest.json", door.manifest, "live apps"),
        ("/files/{workspace}/{app}/{release}/{path:path}", door.file, "live apps"),
        ("/api/workspaces/{workspace}/apps/{app}/export", door.export, "apps"),
    )
    for path, answer, tag in paths:
        routes.add_api_route(path, answer, methods=["GET"], tags=[tag])
        routes.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)
    return routes
