"""Uploads: streamed to the blob store, refused early, one Operation at the end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.clock import SystemClock
from chassis.resources import Resources
from chassis.stores.blobs import FolderBlobs, digest_of
from contracts.operation import Operation, OperationState
from contracts.studio.app import ImportApp
from services.gateway import ids
from services.gateway.doors import public_app, public_router
from services.gateway.rest.proxy import Files
from tests.services.gateway.fakes import (
    APP,
    NOW,
    OTHER_WORKSPACE,
    TOKEN,
    VIEWER,
    WORKSPACE,
    a_world,
    some_settings,
)

ARCHIVE = b"PK" + bytes(range(256)) * 700
PATH = f"/api/workspaces/{ids.encode('Workspace', WORKSPACE)}"


def started(command: ImportApp) -> Operation:
    return Operation(
        operation_id=command.operation_id,
        workspace_id=command.workspace_id,
        kind="import_app",
        owner="studio",
        state=OperationState.RUNNING,
        started_at=NOW,
        updated_at=NOW,
    )


class Upload:
    """A gateway whose blobs lie in a folder."""

    def __init__(self, folder: Path, *permissions: str, **limits: Any) -> None:
        self.world, self.fake = a_world({ImportApp: started}, *permissions)
        self.blobs = FolderBlobs(folder)
        settings = some_settings(
            delivery_url="http://127.0.0.1:9", studio_url="http://127.0.0.1:9", **limits
        )
        resources = Resources(settings, SystemClock(), opened={"blobs": self.blobs})
        files = {name: Files(name, settings) for name in ("delivery", "studio")}
        resources.opened["public"] = public_app(self.world, resources, settings, files)
        self.app = FastAPI()  # as the chassis makes it
        self.app.include_router(public_router(resources))

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}", **kwargs.pop("headers", {})}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post(path, headers=headers, **kwargs)


@pytest.fixture(autouse=True)
def urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELIVERY_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("STUDIO_URL", "http://127.0.0.1:9")


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(ARCHIVE), 1000):
        yield ARCHIVE[start : start + 1000]


async def test_a_zip_as_the_body_becomes_an_import(tmp_path: Path) -> None:
    upload = Upload(tmp_path)

    response = await upload.post(
        f"{PATH}/apps/import?name=Tea",
        content=pieces(),
        headers={"content-type": "application/zip"},
    )

    command, _ = upload.fake.sent[0]
    assert response.status_code == 202
    assert command.archive_digest == digest_of(ARCHIVE)
    assert command.app_name == "Tea"
    assert await upload.blobs.get(WORKSPACE, command.archive_digest) == ARCHIVE
    expected = ids.encode("Operation", WORKSPACE, "studio", command.operation_id)
    assert response.json()["id"] == expected


async def test_a_file_of_a_form_becomes_an_import_of_an_app_that_exists(tmp_path: Path) -> None:
    upload = Upload(tmp_path)
    app = ids.encode("App", WORKSPACE, APP)

    response = await upload.post(
        f"{PATH}/apps/import?app={app}",
        data={"comment": "not the file"},
        files={"archive": ("a.zip", ARCHIVE, "application/zip")},
    )

    command, _ = upload.fake.sent[0]
    assert response.status_code == 202
    assert (command.app_id, command.archive_digest) == (APP, digest_of(ARCHIVE))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_same_key_is_the_same_import(tmp_path: Path) -> None:
    upload = Upload(tmp_path)
    headers = {"content-type": "application/zip", "idempotency-key": "k"}

    for _ in range(2):
        await upload.post(f"{PATH}/apps/import", content=ARCHIVE, headers=headers)

    first, second = upload.fake.sent
    assert first == second


async def test_an_archive_is_kept_for_the_mutation(tmp_path: Path) -> None:
    upload = Upload(tmp_path)

    response = await upload.post(
        f"{PATH}/archives", content=ARCHIVE, headers={"content-type": "application/zip"}
    )

    assert response.status_code == 201
    assert response.json() == {"archiveDigest": digest_of(ARCHIVE), "bytes": len(ARCHIVE)}


async def test_an_archive_over_the_limit_leaves_nothing_behind(tmp_path: Path) -> None:
    upload = Upload(tmp_path, archive_bytes_max=5000)

    response = await upload.post(
        f"{PATH}/apps/import", content=pieces(), headers={"content-type": "application/zip"}
    )

    assert response.status_code == 400
    assert response.json()["error"]["field"] == "archive"
    assert files_in(tmp_path) == []
    assert upload.fake.sent == []


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "application/zip"),
        (b"x", "text/html"),
        (b"x", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
async def test_what_is_no_archive_is_bad_input(
    tmp_path: Path, content: bytes, content_type: str
) -> None:
    upload = Upload(tmp_path)

    response = await upload.post(
        f"{PATH}/apps/import", content=content, headers={"content-type": content_type}
    )

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_INPUT"


async def test_a_viewer_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    upload = Upload(tmp_path, *VIEWER)

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    response = await upload.post(
        f"{PATH}/apps/import", content=unread(), headers={"content-type": "application/zip"}
    )

    assert response.status_code == 403


async def test_an_app_of_another_workspace_is_bad_input(tmp_path: Path) -> None:
    upload = Upload(tmp_path)
    foreign = ids.encode("App", OTHER_WORKSPACE, APP)

    response = await upload.post(
        f"{PATH}/apps/import?app={foreign}",
        content=ARCHIVE,
        headers={"content-type": "application/zip"},
    )

    assert response.status_code == 400
    assert response.json()["error"]["field"] == "app"


async def test_a_service_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    upload = Upload(tmp_path)
    transport = httpx.ASGITransport(upload.app)

    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        response = await client.get(f"/live/{WORKSPACE}/{APP}/production/manifest.json")
        document = await client.get("/api/openapi.json")

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UNAVAILABLE"
    assert "/api/workspaces/{workspace}/apps/import" in document.json()["paths"]


async def test_other_origins_are_answered_when_they_are_allowed(tmp_path: Path) -> None:
    upload = Upload(tmp_path, cors_origins=("https://front.example",))
    asked = {"origin": "https://front.example", "access-control-request-method": "POST"}
    transport = httpx.ASGITransport(upload.app)

    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        allowed = await client.options("/graphql", headers=asked)
        refused = await client.options("/graphql", headers={**asked, "origin": "https://x.example"})

    assert allowed.headers["access-control-allow-origin"] == "https://front.example"
    assert "access-control-allow-origin" not in refused.headers
