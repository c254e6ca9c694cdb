"""A world without services: every question is answered from a table, every call is recorded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import FastAPI

from chassis.clock import SystemClock
from chassis.context import Context
from contracts.base import Message
from contracts.identity.session import Authorize, Authorized
from services.gateway.graphql.routes import graphql_router
from services.gateway.scope import World
from services.gateway.settings import Settings
from services.gateway.watch import Nudges, Watch

USER = UUID("018f0000-0000-7000-8000-000000000001")
SESSION = UUID("018f0000-0000-7000-8000-000000000002")
WORKSPACE = UUID("018f0000-0000-7000-8000-00000000000a")
OTHER_WORKSPACE = UUID("018f0000-0000-7000-8000-00000000000b")
APP = UUID("018f0000-0000-7000-8000-0000000000a1")
REVISION = UUID("018f0000-0000-7000-8000-0000000000c1")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TOKEN = "a-token"

OWNER = ["public", "user", "workspace.read", "app.edit", "app.publish", "member.manage"]
VIEWER = ["public", "user", "workspace.read"]

Answer = Message | Exception | Callable[[Any], Message]


class FakeService:
    """Every service at once. Demands what the real doors demand of a signed context."""

    def __init__(self, answers: Mapping[type[Message], Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[Message] = []
        self.sent: list[tuple[Message, UUID]] = []

    async def ask(self, query: Any, context: Context) -> Any:
        self.asked.append(query)
        return self._answer(query, context)

    async def send(self, command: Any, context: Context, *, command_id: UUID) -> Any:
        self.sent.append((command, command_id))
        return self._answer(command, context)

    def calls(self, contract: type[Message]) -> list[Any]:
        """The questions of one kind, in order."""
        return [query for query in self.asked if type(query) is contract]

    def _answer(self, message: Message, context: Context) -> Message:
        assert context.permission == type(message).permission
        if "workspace_id" in type(message).model_fields:
            assert context.workspace_id == getattr(message, "workspace_id")  # noqa: B009
        answer = self.answers[type(message)]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Message) else answer(message)


def granted(*permissions: str) -> Callable[[Authorize], Message]:
    """Identity's answer for a known token: these permissions in WORKSPACE, none elsewhere."""

    def answer(query: Authorize) -> Message:
        here = query.workspace_id == WORKSPACE
        return Authorized(
            user_id=USER,
            session_id=SESSION,
            expires_at=NOW + timedelta(days=1),
            workspace_id=query.workspace_id,
            permissions=list(permissions) if here else ["public", "user"],
        )

    return answer


class FakeMemory:
    """Fulfils Memory, in a dict."""

    def __init__(self) -> None:
        self.kept: dict[UUID, bytes] = {}
        self.founders: dict[UUID, UUID] = {}

    async def first(self, command_id: UUID, make: Callable[[], Awaitable[Any]]) -> Any:
        if command_id not in self.kept:
            self.kept[command_id] = orjson.dumps(await make(), default=str)
        return orjson.loads(self.kept[command_id])

    async def found(self, workspace_id: UUID, user_id: UUID) -> None:
        self.founders[workspace_id] = user_id

    async def founds(self, workspace_id: UUID, user_id: UUID) -> bool:
        return self.founders.get(workspace_id) == user_id


def a_world(
    answers: Mapping[type[Message], Answer], *permissions: str
) -> tuple[World, FakeService]:
    """A world whose every service is one fake. Without permissions given, the caller is owner."""
    fake = FakeService({Authorize: granted(*(permissions or OWNER)), **answers})
    names = ("identity", "studio", "billing", "delivery", "activity", "orchestrator")
    memory = FakeMemory()
    watch = Watch(Nudges(), poll_min=0.005, poll_max=0.02)
    return World(dict.fromkeys(names, fake), SystemClock(), watch, memory), fake


def some_settings(**changes: Any) -> Settings:
    """Settings for tests."""
    return Settings(context_key="0123456789abcdef", **changes)  # type: ignore[arg-type]  # SecretStr


def an_app(world: World, **changes: Any) -> FastAPI:
    """The gateway's GraphQL doors as an application."""
    app = FastAPI()
    app.include_router(graphql_router(world, some_settings(**changes)))
    return app


@asynccontextmanager
async def a_client(
    world: World, token: str = TOKEN, **changes: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway, in memory."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(an_app(world, **changes))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers=headers
    ) as client:
        yield client


async def graphql(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    """The response's JSON."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    return response.json()


def code(result: Any) -> str:
    """The code of the first error."""
    return str(result["errors"][0]["extensions"]["code"])
