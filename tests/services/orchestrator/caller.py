"""The orchestrator on real servers, called as the gateway and as operators do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

import services.orchestrator
from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.stores.migrate import migrate, migrations_of
from chassis.stores.postgres import Database
from services.orchestrator.main import service
from services.orchestrator.settings import Settings

KEY = "only-for-benchmarks-and-tests"
WORKSPACE, ACTOR = UUID(int=7), UUID(int=70)


class Caller:
    """Calls as the gateway does."""

    def __init__(self, client: httpx.AsyncClient, database: Database) -> None:
        self._client = client
        self.database = database
        self.url = str(client.base_url)

    async def send(
        self,
        kind: str,
        name: str,
        permission: str,
        body: dict[str, Any],
        *,
        command_id: UUID | None = None,
        workspace_id: UUID = WORKSPACE,
        actor_id: UUID = ACTOR,
    ) -> httpx.Response:
        expires = datetime.now(UTC) + timedelta(minutes=1)
        context = Context(actor_id, workspace_id, permission, expires)
        headers = {
            "basalt-context": sign(context, KEY.encode()),
            "basalt-command-id": str(command_id or new_id()),
        }
        body = {"workspace_id": str(workspace_id), **body}
        return await self._client.post(f"/{kind}/{name}", json=body, headers=headers)

    async def publish(self, command_id: UUID | None = None, **fields: Any) -> httpx.Response:
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

    async def operate(self, door: str, name: str, /, **fields: Any) -> httpx.Response:
        """As an operator at a terminal: no user, no workspace."""
        expires = datetime.now(UTC) + timedelta(minutes=1)
        context = Context(None, None, "operator", expires)
        headers = {
            "basalt-context": sign(context, KEY.encode()),
            "basalt-command-id": str(new_id()),
        }
        return await self._client.post(f"/{door}/{name}", json=fields, headers=headers)

    async def raw(self, path: str) -> str:
        return (await self._client.get(path)).text


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
