"""The orchestrator's HTTP door on real servers: at once, idempotent, and by workspace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

import services.orchestrator
from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.stores.migrate import migrate, migrations_of
from chassis.stores.postgres import Database
from contracts.operation import OperationUnknown
from services.orchestrator.main import service
from services.orchestrator.settings import Settings

KEY = "only-for-benchmarks-and-tests"
WORKSPACE, ACTOR = UUID(int=7), UUID(int=70)


class Caller:
    """Calls as the gateway does."""

    def __init__(self, client: httpx.AsyncClient, database: Database) -> None:
        self._client = client
        self.database = database

    async def send(
        self,
        kind: str,
        name: str,
        permission: str,
        body: dict[str, Any],
        *,
        command_id: UUID | None = None,
        workspace_id: UUID = WORKSPACE,
    ) -> httpx.Response:
        expires = datetime.now(UTC) + timedelta(minutes=1)
        context = Context(ACTOR, workspace_id, permission, expires)
        headers = {
            "basalt-context": sign(context, KEY.encode()),
            "basalt-command-id": str(command_id or new_id()),
        }
        body = {"workspace_id": str(workspace_id), **body}
        return await self._client.post(f"/{kind}/{name}", json=body, headers=headers)

    async def publish(self, command_id: UUID | None = None, **fields: str) -> httpx.Response:
        body = {
            "app_id": str(new_id()),
            "revision_id": str(new_id()),
            "environment": "staging",
            **fields,
        }
        return await self.send("commands", "PublishApp", "app.publish", body, command_id=command_id)

    async def list(self, **fields: Any) -> Any:  # an OperationPage as JSON
        answer = await self.send("queries", "ListOperations", "workspace.read", fields)
        return answer.json()["data"]

    async def get(self, operation_id: str, workspace_id: UUID = WORKSPACE) -> httpx.Response:
        body = {"operation_id": operation_id}
        return await self.send(
            "queries", "GetOperation", "workspace.read", body, workspace_id=workspace_id
        )

    async def cancel(self, operation_id: str) -> httpx.Response:
        body = {"operation_id": operation_id}
        return await self.send("commands", "CancelOperation", "app.edit", body)

    async def raw(self, path: str) -> str:
        return (await self._client.get(path)).text


@pytest.fixture
async def caller(fresh_database: str, kafka_bootstrap: str) -> AsyncIterator[Caller]:
    async with a_caller(fresh_database, kafka_bootstrap) as caller:
        yield caller


@asynccontextmanager
async def a_caller(url: str, kafka: str) -> AsyncIterator[Caller]:
    await migrate(url, migrations_of(Path(services.orchestrator.__file__).parent))
    settings = Settings(
        context_key=KEY, postgres_url=url, kafka_bootstrap=kafka, http_port=0, environment="test"
    )
    running = await service.start(settings, clock=SystemClock())
    database = await Database.open(url, pool_max=1)
    base = f"http://127.0.0.1:{running.port}"
    try:
        async with httpx.AsyncClient(base_url=base, timeout=10) as client:
            yield Caller(client, database)
    finally:
        await database.close()
        await running.stop()


async def test_a_start_answers_an_operation_and_writes_saga_and_command(caller: Caller) -> None:
    answer = await caller.publish()

    operation = answer.json()["data"]
    assert answer.status_code == 200
    assert operation["state"] == "RUNNING"
    sagas = await caller.database.fetch("SELECT id, status FROM saga_instance")
    assert [(str(row["id"]), row["status"]) for row in sagas] == [
        (operation["operation_id"], "RUNNING")
    ]


async def test_the_same_command_id_starts_one_saga(caller: Caller) -> None:
    command_id, app_id, revision_id = new_id(), str(new_id()), str(new_id())
    fields = {"app_id": app_id, "revision_id": revision_id}

    first = await caller.publish(command_id, **fields)
    again = await caller.publish(command_id, **fields)
    other = await caller.publish(command_id, **{**fields, "app_id": str(new_id())})

    assert first.json() == again.json()
    assert other.status_code == 409
    assert other.json()["type"] == "idempotency_key_reused"
    assert await caller.database.fetchval("SELECT count(*) FROM saga_instance") == 1


async def test_two_publishes_of_one_app_queue(caller: Caller) -> None:
    app_id = str(new_id())

    first = await caller.publish(app_id=app_id)
    second = await caller.publish(app_id=app_id)

    states = [answer.json()["data"]["state"] for answer in (first, second)]
    assert states == ["RUNNING", "WAITING"]


async def test_operations_are_listed_newest_first_in_pages(caller: Caller) -> None:
    started = [(await caller.publish()).json()["data"]["operation_id"] for _ in range(3)]

    first = await caller.list(limit=2)
    second = await caller.list(limit=2, cursor=first["cursor_next"])

    pages = [[one["operation_id"] for one in page["operations"]] for page in (first, second)]
    assert pages == [[started[2], started[1]], [started[0]]]
    assert second["cursor_next"] == ""


async def test_a_cursor_of_no_page_is_invalid_input(caller: Caller) -> None:
    answer = await caller.send(
        "queries", "ListOperations", "workspace.read", {"cursor": "third page, please"}
    )

    assert answer.status_code == 400


async def test_another_workspace_sees_nothing(caller: Caller) -> None:
    operation_id = (await caller.publish()).json()["data"]["operation_id"]

    foreign = await caller.get(operation_id, workspace_id=UUID(int=99))
    own = await caller.get(operation_id)

    assert foreign.status_code == 422
    assert foreign.json()["type"] == OperationUnknown.address.type
    assert own.json()["data"]["operation_id"] == operation_id


async def test_cancelling_compensates(caller: Caller) -> None:
    operation_id = (await caller.publish()).json()["data"]["operation_id"]

    cancelled = (await caller.cancel(operation_id)).json()["data"]

    assert cancelled["state"] == "COMPENSATING"
    assert cancelled["error_type"] == "orchestrator.SagaCancelled.v1"
    assert (await caller.get(operation_id)).json()["data"] == cancelled


async def test_metrics_tell_of_open_sagas(caller: Caller) -> None:
    await caller.publish()

    text = await caller.raw("/metrics")

    assert 'basalt_sagas_started_total{saga="publish_app"}' in text
    assert "basalt_saga_oldest_overdue_seconds" in text
