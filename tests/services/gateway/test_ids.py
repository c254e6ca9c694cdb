"""Global ids: what they carry, and what is none."""

import base64
from uuid import uuid4

import pytest

from services.gateway import ids


def test_an_id_carries_its_tenant_and_all_its_parents() -> None:
    workspace, app = uuid4(), uuid4()

    decoded = ids.decode(ids.encode("Entity", workspace, app, "pages/Odd:name ☕"), "Entity")

    assert decoded.workspace_id == workspace
    assert decoded.fields == {
        "workspace_id": workspace,
        "app_id": app,
        "entity_id": "pages/Odd:name ☕",
    }


@pytest.mark.parametrize("kind", list(ids.PARTS))
def test_every_kind_survives_the_way_there_and_back(kind: str) -> None:
    parts = [uuid4() if name not in ids.TEXT_PARTS else "x" for name in ids.PARTS[kind]]

    decoded = ids.decode(ids.encode(kind, *parts))

    assert (decoded.kind, list(decoded.fields.values())) == (kind, parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "A" * 2000,
        base64.urlsafe_b64encode(b"Nothing:1").decode(),
        base64.urlsafe_b64encode(b"Workspace:not-a-uuid").decode(),
        base64.urlsafe_b64encode(b"App:" + str(uuid4()).encode()).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ids.InvalidId):
        ids.decode(text)


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(ids.InvalidId, match="App"):
        ids.decode(ids.encode("Workspace", uuid4()), "App")
