"""A door to knock at: toy contracts, fake execution, requests with all headers."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import httpx

from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.doors.app import Health, build_app
from chassis.doors.http import HttpDoor, Taken
from chassis.settings import ServiceSettings
from contracts.base import Command, Message, Query
from tests.chassis.toy.contracts.toy.counter import Count, Counted, GetCounter, Reading, Unlock

KEY = "a key for the tests of doors"
WORKSPACE = new_id()
CLOCK = SystemClock()


class FakeExecute:
    """Answers a command as told, and remembers it."""

    def __init__(self, answer: Callable[[Message], Message] | Exception) -> None:
        self.answer = answer
        self.seen: list[tuple[Message, Context, UUID, int | None]] = []

    async def __call__(
        self,
        command: Command[Message],
        context: Context,
        command_id: UUID,
        *,
        traceparent: str = "",
        deadline_ms: int | None = None,
    ) -> Message:
        self.seen.append((command, context, command_id, deadline_ms))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(command)


def counted(command: Message) -> Message:
    """What Count answers."""
    assert isinstance(command, Count)
    return Counted(
        workspace_id=command.workspace_id, counter_id=command.counter_id, value=command.by
    )


async def read(query: Query[Message], context: Context) -> Message:
    """What GetCounter answers."""
    return Reading(value=7)


class Doorway:
    """The application in memory. `post` adds the headers that a gateway would."""

    def __init__(self, execute: FakeExecute, **settings: int) -> None:
        self.settings = ServiceSettings(context_key=KEY, **settings)  # type: ignore[arg-type]
        commands = {"Count": Taken(Count, execute), "Unlock": Taken(Unlock, execute)}
        queries = {"GetCounter": Taken(GetCounter, read)}
        door = HttpDoor(self.settings, CLOCK, commands, queries)
        self.health = Health({}, 0.1)
        self.app = build_app("toy", door, self.health, commands, queries)
        transport = httpx.ASGITransport(app=self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://toy")

    async def post(
        self,
        path: str,
        body: object = None,
        *,
        context: Context | None = None,
        headers: Mapping[str, str] | None = None,
        without: str = "",
    ) -> httpx.Response:
        signed = sign(context or a_context(), KEY.encode())
        sent = {"basalt-context": signed, "basalt-command-id": str(new_id()), **(headers or {})}
        sent.pop(without, None)
        if isinstance(body, bytes):
            return await self.http.post(path, content=body, headers=sent)
        return await self.http.post(path, json=body, headers=sent)


def a_context(
    permission: str = "app.edit", workspace_id: UUID | None = WORKSPACE, seconds: float = 86_400
) -> Context:
    """A caller that may edit apps of the workspace; made when tests are collected, so for long."""
    return Context(new_id(), workspace_id, permission, CLOCK.now() + timedelta(seconds=seconds))


def a_count(**what_matters: object) -> dict[str, object]:
    """The body of a Count."""
    return {"workspace_id": str(WORKSPACE), "counter_id": str(new_id()), **what_matters}
