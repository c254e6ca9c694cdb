"""Files of other services, passed on: the same bytes and headers, under a context of ours."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from chassis.clock import SystemClock
from chassis.context import Context, read_context
from chassis.resources import Resources
from services.gateway import ids
from services.gateway.rest.proxy import Files, files_router
from tests.services.gateway.fakes import (
    APP,
    OTHER_WORKSPACE,
    REVISION,
    TOKEN,
    WORKSPACE,
    a_world,
    some_settings,
)

KEY = b"0123456789abcdef"
LIVE = f"/live/{WORKSPACE}/{APP}/production/manifest.json"
EXPORT = (
    f"/api/workspaces/{ids.encode('Workspace', WORKSPACE)}/apps/{ids.encode('App', WORKSPACE, APP)}"
)


class Upstream:
    """A service that keeps files; remembers what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request)

    def context(self) -> Context:
        """Who the last request was for."""
        signed = self.asked[-1].headers["basalt-context"]
        return read_context(signed, KEY, SystemClock().now())


def a_file(request: httpx.Request) -> httpx.Response:
    headers = {"etag": '"d"', "cache-control": "private, no-cache", "content-type": "text/x"}
    if request.headers.get("if-none-match") == '"d"':
        return httpx.Response(304, headers=headers, content=pieces())
    return httpx.Response(200, headers=headers, content=pieces(b"the ", b"bytes"))


class AsItIs(httpx.URL):
    """httpx would tidy the path away before it is sent; a raw socket does not."""

    def __init__(self, path: str) -> None:
        super().__init__("http://gateway")
        self._path = path

    @property
    def raw_path(self) -> bytes:
        return self._path.encode()

    @property
    def path(self) -> str:
        return unquote(self._path)


async def pieces(*bodies: bytes) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body


@pytest.fixture
def upstream() -> Upstream:
    return Upstream(a_file)


@pytest.fixture
async def client(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("DELIVERY_URL", "http://delivery")
    monkeypatch.setenv("STUDIO_URL", "http://studio")
    settings = some_settings()
    world, _ = a_world({})
    services = {name: Files(name, settings) for name in ("delivery", "studio")}
    for files in services.values():
        transport = httpx.MockTransport(upstream)
        files.http = httpx.AsyncClient(transport=transport, base_url=f"http://{files.name}")
    app = FastAPI()
    resources = Resources(settings, SystemClock())
    app.include_router(files_router(world, resources, settings, services))
    gateway = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=gateway, base_url="http://gateway") as opened:
        yield opened


def member() -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}"}


async def test_a_member_gets_the_file_as_it_is(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    response = await client.get(LIVE, headers=member())

    assert (response.status_code, response.content) == (200, b"the bytes")
    assert response.headers["etag"] == '"d"'
    assert response.headers["cache-control"] == "private, no-cache"
    context = upstream.context()
    assert (context.permission, context.workspace_id) == ("workspace.read", WORKSPACE)


async def test_what_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    response = await client.get(LIVE, headers={**member(), "if-none-match": '"d"'})

    assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize("workspace", [WORKSPACE, OTHER_WORKSPACE])
async def test_a_stranger_is_nobody(
    client: httpx.AsyncClient, upstream: Upstream, workspace: UUID
) -> None:
    path = LIVE.replace(str(WORKSPACE), str(workspace))
    headers = {} if workspace == WORKSPACE else member()

    await client.get(path, headers=headers)

    context = upstream.context()
    assert (context.actor_id, context.permission) == (None, "public")


async def test_odd_names_reach_the_service_as_they_came(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    path = f"/files/{WORKSPACE}/{APP}/{REVISION}/pages/a%20b%2Fc%3F%23%25.js"

    await client.get(path, headers=member())

    assert upstream.asked[-1].url.raw_path.decode() == path


@pytest.mark.parametrize("climb", ["../../../../metrics", "a/../../../../../metrics", "./x", ".."])
@pytest.mark.parametrize("dot", [".", "%2e", "%2E"])
async def test_a_path_that_climbs_reaches_nobody(
    client: httpx.AsyncClient, upstream: Upstream, climb: str, dot: str
) -> None:
    path = f"/files/{WORKSPACE}/{APP}/{REVISION}/{climb.replace('.', dot)}"
    sent = client.build_request("GET", "/", headers=member())
    sent.url = AsItIs(path)

    response = await client.send(sent)

    assert response.status_code == 404
    assert upstream.asked == []


async def test_an_environment_that_climbs_reaches_nobody(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    sent = client.build_request("GET", "/", headers=member())
    sent.url = AsItIs(f"/live/{WORKSPACE}/{APP}/../manifest.json")

    response = await client.send(sent)

    assert response.status_code == 404
    assert upstream.asked == []


async def test_an_export_names_its_revision_by_global_id(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    revision = ids.encode("Revision", WORKSPACE, APP, REVISION)
    foreign = ids.encode("Revision", WORKSPACE, REVISION, REVISION)

    head = await client.get(f"{EXPORT}/export", headers=member())
    older = await client.get(f"{EXPORT}/export?revision={revision}", headers=member())
    refused = await client.get(f"{EXPORT}/export?revision={foreign}", headers=member())
    stranger = await client.get(f"{EXPORT}/export")

    assert (head.status_code, older.status_code) == (200, 200)
    paths = [request.url.raw_path.decode() for request in upstream.asked]
    assert paths == [f"/export/{WORKSPACE}/{APP}", f"/export/{WORKSPACE}/{APP}?revision={REVISION}"]
    assert (refused.status_code, stranger.status_code) == (400, 401)


async def test_a_service_that_fails_is_unavailable(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream._answer = lambda request: httpx.Response(500, content=b"its own affairs")

    response = await client.get(LIVE, headers=member())

    assert response.status_code == 503
    assert b"its own" not in response.content
