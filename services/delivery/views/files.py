"""What browsers fetch, by way of the gateway: the live manifest, and files that never change.

The gateway says by its signed context whether the caller is a member (`workspace.read` of that
workspace); who is not may have what is public in production. What a caller may not have does not
exist for them.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from chassis.context import read_context
from chassis.doors.answers import Unidentified
from chassis.doors.route import SAFE_HEADERS, absent, route_class
from chassis.resources import Resources
from contracts.delivery.environment import Environment
from contracts.delivery.release import Visibility
from services.delivery.store.files import Files
from services.delivery.store.manifests import Manifests

MANIFEST_PATH = "/live/{workspace_id}/{app_id}/{environment}/manifest.json"
FILE_PATH = "/files/{workspace_id}/{app_id}/{release_id}/{path:path}"
MEMBER = "workspace.read"
YEAR_SECONDS = 31_536_000
SignedContext = Annotated[str, Header(alias="basalt-context")]
IfNoneMatch = Annotated[str, Header()]


def router(resources: Resources) -> APIRouter:
    """The two routes. A request without a context of the gateway's is answered 401 or 403."""
    routes = APIRouter(tags=["live apps"], route_class=route_class(resources))
    door = FileDoor(resources)
    for path, answer in ((MANIFEST_PATH, door.live_manifest), (FILE_PATH, door.release_file)):
        routes.add_api_route(path, answer, methods=["GET"])
        routes.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)
    return routes


class FileDoor:
    """Answers GET and HEAD alike."""

    def __init__(self, resources: Resources) -> None:
        self._manifests, self._files = Manifests(resources), Files(resources)
        self._key = resources.settings.context_key.get_secret_value().encode()
        self._clock = resources.clock

    async def live_manifest(
        self,
        request: Request,
        workspace_id: UUID,
        app_id: UUID,
        environment: Environment,
        basalt_context: SignedContext = "",
        if_none_match: IfNoneMatch = "",
    ) -> Response:
        """What is live: asked for anew each time, sent when it has changed."""
        member = self._is_member(basalt_context, workspace_id)
        live = await self._manifests.live(workspace_id, app_id, environment)
        public = live is not None and (
            environment == Environment.PRODUCTION and live.visibility == Visibility.PUBLIC
        )
        if live is None or not (member or public):
            return absent()
        headers = _headers(live.digest, public, "no-cache")
        if _matches(if_none_match, live.digest):
            return Response(status_code=304, headers=headers)
        return _body(request, live.body, "application/json", headers)

    async def release_file(
        self,
        request: Request,
        workspace_id: UUID,
        app_id: UUID,
        release_id: UUID,
        path: str,
        basalt_context: SignedContext = "",
        if_none_match: IfNoneMatch = "",
    ) -> Response:
        """A file of a release's public part: the same bytes for ever."""
        member = self._is_member(basalt_context, workspace_id)
        if "\x00" in path:  # PostgreSQL has no such text, so no file has such a name
            return absent()
        file = await self._files.find(workspace_id, app_id, release_id, path)
        if file is None or not (member or file.for_everybody):
            return absent()
        headers = _headers(file.digest, file.for_everybody, f"max-age={YEAR_SECONDS}, immutable")
        if _matches(if_none_match, file.digest):
            return Response(status_code=304, headers=headers)
        return _body(request, await self._files.read(file), file.content_type, headers)

    def _is_member(self, signed: str, workspace_id: UUID) -> bool:
        if not signed:
            raise Unidentified("basalt-context is missing")
        context = read_context(signed, self._key, self._clock.now())
        return context.permission == MEMBER and context.workspace_id == workspace_id


def _headers(digest: str, public: bool, freshness: str) -> dict[str, str]:
    circle = "public" if public else "private"
    return {**SAFE_HEADERS, "ETag": f'"{digest}"', "Cache-Control": f"{circle}, {freshness}"}


def _matches(if_none_match: str, digest: str) -> bool:
    """Weak comparison, as If-None-Match wants it."""
    wanted = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in wanted or f'"{digest}"' in wanted


def _body(request: Request, body: bytes, content_type: str, headers: dict[str, str]) -> Response:
    """HEAD gets the headers of GET, the length included."""
    sent = b"" if request.method == "HEAD" else body
    return Response(
        sent, headers={**headers, "Content-Type": content_type, "Content-Length": str(len(body))}
    )
