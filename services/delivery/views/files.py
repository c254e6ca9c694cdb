"""What browsers fetch, by way of the gateway: the live manifest, and files that never change.

The gateway says by its signed context whether the caller is a member (`workspace.read` of that
workspace); who is not may have what is public in production. What a caller may not have does not
exist for them. Bodies are other people's content: never sniffed, never run as a page of ours.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from chassis.clock import Clock
from chassis.context import read_context
from chassis.resources import Resources
from contracts.delivery.environment import Environment
from contracts.delivery.release import Visibility
from services.delivery.store.files import Files
from services.delivery.store.manifests import Manifests

READ_METHODS = ["GET", "HEAD"]
MEMBER = "workspace.read"
YEAR_SECONDS = 31_536_000
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}

SignedContext = Annotated[str, Header(alias="basalt-context")]
IfNoneMatch = Annotated[str, Header()]


def router(resources: Resources) -> APIRouter:
    """The two routes. Raises NotAllowed when no context of the gateway's comes with a request."""
    routes = APIRouter(tags=["live apps"])
    manifests, files = Manifests(resources), Files(resources)
    key = resources.settings.context_key.get_secret_value().encode()

    @routes.api_route(
        "/live/{workspace_id}/{app_id}/{environment}/manifest.json", methods=READ_METHODS
    )
    async def live_manifest(
        request: Request,
        workspace_id: UUID,
        app_id: UUID,
        environment: Environment,
        basalt_context: SignedContext = "",
        if_none_match: IfNoneMatch = "",
    ) -> Response:
        member = _is_member(basalt_context, key, resources.clock, workspace_id)
        live = await manifests.live(workspace_id, app_id, environment)
        public = live is not None and (
            environment == Environment.PRODUCTION and live.visibility == Visibility.PUBLIC
        )
        if live is None or not (member or public):
            return _absent()
        headers = _headers(live.digest, public, "no-cache")
        if _matches(if_none_match, live.digest):
            return Response(status_code=304, headers=headers)
        return _body(request, live.body, "application/json", headers)

    @routes.api_route(
        "/files/{workspace_id}/{app_id}/{release_id}/{path:path}", methods=READ_METHODS
    )
    async def release_file(
        request: Request,
        workspace_id: UUID,
        app_id: UUID,
        release_id: UUID,
        path: str,
        basalt_context: SignedContext = "",
        if_none_match: IfNoneMatch = "",
    ) -> Response:
        member = _is_member(basalt_context, key, resources.clock, workspace_id)
        if "\x00" in path:  # PostgreSQL has no such text, so no file has such a name
            return _absent()
        file = await files.find(workspace_id, app_id, release_id, path)
        if file is None or not (member or file.for_everybody):
            return _absent()
        headers = _headers(file.digest, file.for_everybody, f"max-age={YEAR_SECONDS}, immutable")
        if _matches(if_none_match, file.digest):
            return Response(status_code=304, headers=headers)
        return _body(request, await files.read(file), file.content_type, headers)

    return routes


def _is_member(signed: str, key: bytes, clock: Clock, workspace_id: UUID) -> bool:
    context = read_context(signed, key, clock.now())
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


def _absent() -> Response:
    return Response(status_code=404, headers={**SAFE_HEADERS, "Cache-Control": "no-store"})
