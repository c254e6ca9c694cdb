"""Identity runs for real: its HTTP door as the gateway sees it, and Kafka as sagas see it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from chassis.client import ServiceClient
from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.errors import NotAllowed, Rejected
from chassis.messaging.envelope import wire_headers
from chassis.provision import Plan, database_url, provision
from chassis.running import Running
from contracts.base import Command, Message, Query
from contracts.identity.session import (
    Authorize,
    Authorized,
    LogIn,
    LogOut,
    SessionEnded,
    SessionOpened,
)
from contracts.identity.user import CredentialsRefused, Register, TooManyAttempts
from contracts.identity.workspace import (
    AcceptInvitation,
    ActivateWorkspace,
    ApplyDefaultSettings,
    ChangeMemberRole,
    CreateWorkspace,
    InvitationIssued,
    InviteMember,
    ListMembers,
    Members,
    Role,
)
from services.identity.main import service
from tests.servers import Servers
from tests.services.identity.fakes import CONTEXT_KEY, PASSWORD
from tests.services.participant import an_envelope

FAR = datetime(2200, 1, 1, tzinfo=UTC)
REPLIES = "reply.orchestrator.v1"
PREFIX = "identity_service_"
WAIT_S = 30


@dataclass
class Door:
    """A running identity, and a client that speaks as gateway and as saga."""

    running: Running
    client: ServiceClient
    producer: Any  # aiokafka is untyped
    replies: Any  # aiokafka is untyped
    facts: Any  # aiokafka is untyped
    run: str = field(default_factory=lambda: new_id().hex[-8:])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.port}"

    def email(self, name: str) -> str:
        """An address of this test run: the database outlives a test."""
        return f"{name}.{self.run}@example.org"

    async def send(self, command: Command[Any], actor_id: UUID | None = None) -> Message:
        """As the gateway, which has checked the contract's permission."""
        context = self._context(command, actor_id)
        return await self.client.send(command, context, command_id=new_id())

    async def ask(self, query: Query[Any], actor_id: UUID | None = None) -> Message:
        return await self.client.ask(query, self._context(query, actor_id))

    async def refusal(self, message: Message, actor_id: UUID | None = None) -> Message:
        """Why a command or a query is refused."""
        assert isinstance(message, Command | Query)
        put = self.send if isinstance(message, Command) else self.ask
        with pytest.raises(Rejected) as refused:
            await put(message, actor_id)  # type: ignore[arg-type]  # each takes its own kind
        return refused.value.rejection

    async def by_saga(self, command: Command[Any]) -> str:
        """Over Kafka, twice; the wire type of the reply."""
        envelope = an_envelope(command, SystemClock())
        headers = wire_headers({**envelope.headers(), "ce_replyto": REPLIES})
        for _ in range(2):
            await self.producer.send_and_wait(
                envelope.topic, envelope.data, key=envelope.key.encode(), headers=headers
            )
        async with asyncio.timeout(WAIT_S):
            async for record in self.replies:
                told = {name: value.decode() for name, value in record.headers}
                if told.get("ce_causationid") == str(envelope.id):
                    return str(told["ce_type"])
        raise AssertionError("the replies ended")

    async def logged_in(self, name: str) -> SessionOpened:
        """A new user with a session."""
        email, password = self.email(name), SecretStr(PASSWORD)
        await self.send(Register(email=email, password=password))
        opened = await self.send(LogIn(email=email, password=password))
        assert isinstance(opened, SessionOpened)
        return opened

    async def who(self, token: SecretStr, workspace_id: UUID | None = None) -> Authorized:
        found = await self.ask(Authorize(token=token, workspace_id=workspace_id))
        assert isinstance(found, Authorized)
        return found

    @staticmethod
    def _context(message: Message, actor_id: UUID | None) -> Context:
        workspace_id = getattr(message, "workspace_id", None)
        return Context(actor_id, workspace_id, message.permission or "", FAR)


@pytest.fixture
async def door(servers: Servers) -> AsyncIterator[Door]:
    plan = Plan(
        postgres_url=f"{servers.postgres_url}/postgres",
        kafka_bootstrap=servers.kafka_bootstrap,
        services=("identity",),
        prefix=PREFIX,
        partitions=2,
    )
    await provision(plan)
    settings = service.settings(
        context_key=CONTEXT_KEY,
        postgres_url=database_url(plan.postgres_url, "identity", prefix=PREFIX, password=""),
        kafka_bootstrap=plan.kafka_bootstrap,
        redis_url=servers.redis_url,
        http_port=0,
        topic_partitions=2,
    )
    running = await service.start(settings)
    url = f"http://127.0.0.1:{running.port}"
    client = ServiceClient("identity", url, settings, SystemClock())
    producer = AIOKafkaProducer(bootstrap_servers=plan.kafka_bootstrap)
    replies = AIOKafkaConsumer(
        REPLIES, bootstrap_servers=plan.kafka_bootstrap, auto_offset_reset="earliest"
    )
    facts = AIOKafkaConsumer(
        "identity.user.v1",
        "identity.session.v1",
        "identity.workspace.v1",
        bootstrap_servers=plan.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    for part in (producer, replies, facts):
        await part.start()
    await ready(url)
    yield Door(running, client, producer, replies, facts)
    for part in (producer, replies, facts):
        await part.stop()
    await client.close()
    await running.stop()


async def ready(url: str) -> None:
    clock = SystemClock()
    async with asyncio.timeout(WAIT_S), httpx.AsyncClient(timeout=5) as http:
        while (await http.get(f"{url}/readyz")).status_code != 200:
            await clock.sleep(0.05)


async def test_from_registering_to_working_together_and_logging_out(door: Door) -> None:
    ada, bob = await door.logged_in("ada"), await door.logged_in("bob")
    workspace_id = new_id()
    replies = [
        await door.by_saga(command)
        for command in (
            CreateWorkspace(
                workspace_id=workspace_id, owner_id=ada.user_id, workspace_name="Engines"
            ),
            ActivateWorkspace(workspace_id=workspace_id),
            ApplyDefaultSettings(workspace_id=workspace_id),
        )
    ]
    issued = await door.send(
        InviteMember(workspace_id=workspace_id, email=door.email("bob")), ada.user_id
    )
    assert isinstance(issued, InvitationIssued)
    await door.send(AcceptInvitation(user_id=bob.user_id, token=issued.token), bob.user_id)
    as_viewer = await door.who(bob.token, workspace_id)
    await door.send(
        ChangeMemberRole(workspace_id=workspace_id, user_id=bob.user_id, role=Role.EDITOR),
        ada.user_id,
    )
    as_editor = await door.who(bob.token, workspace_id)
    members = await door.ask(ListMembers(workspace_ids=[workspace_id]), bob.user_id)
    await door.send(LogOut(user_id=bob.user_id, session_id=bob.session_id), bob.user_id)
    ended = await door.refusal(Authorize(token=bob.token, workspace_id=workspace_id))

    assert replies == [
        "identity.WorkspaceCreated.v1",
        "identity.WorkspaceActivated.v1",
        "identity.WorkspaceSettingsChanged.v1",
    ]
    assert (as_viewer.role, as_editor.role) == (Role.VIEWER, Role.EDITOR)
    assert "app.edit" in as_editor.permissions
    assert isinstance(members, Members)
    assert [item.user_id for item in members.members] == [ada.user_id, bob.user_id]
    assert ended == SessionEnded()


async def test_facts_reach_kafka_once_in_order_and_without_personal_data(door: Door) -> None:
    opened = await door.logged_in("fay")
    wrong = LogIn(email=door.email("fay"), password=SecretStr("a wrong password"))
    await door.refusal(wrong)
    await door.send(LogOut(user_id=opened.user_id, session_id=opened.session_id), opened.user_id)

    told: dict[str, list[tuple[str, str]]] = {}
    async with asyncio.timeout(WAIT_S):
        async for record in door.facts:
            fact = orjson.loads(record.value)
            assert b"example.org" not in record.value
            if fact.get("user_id") == str(opened.user_id):
                headers = {name: value.decode() for name, value in record.headers}
                numbered = (headers["ce_type"], headers["ce_aggregateversion"])
                told.setdefault(record.topic, []).append(numbered)
            if sum(map(len, told.values())) == 4:
                break

    assert told == {
        "identity.user.v1": [
            ("identity.UserRegistered.v1", "1"),
            ("identity.LoginFailed.v1", "2"),
        ],
        "identity.session.v1": [
            ("identity.LoggedIn.v1", "1"),
            ("identity.SessionRevoked.v1", "2"),
        ],
    }


async def test_a_shut_account_answers_with_a_time_over_http(door: Door) -> None:
    await door.logged_in("gus")
    wrong = LogIn(email=door.email("gus"), password=SecretStr("a wrong password"))
    refusals = [await door.refusal(wrong) for _ in range(6)]

    assert refusals[:5] == [CredentialsRefused()] * 5
    assert isinstance(refusals[5], TooManyAttempts)
    assert 0 < refusals[5].retry_after_seconds <= 5


class TestDoor:
    async def test_a_context_for_something_else_opens_nothing(self, door: Door) -> None:
        context = Context(new_id(), None, "workspace.read", FAR)

        with pytest.raises(NotAllowed):
            await door.client.ask(Authorize(token=SecretStr("x")), context)

    async def test_what_sagas_command_is_not_for_http(self, door: Door) -> None:
        async with httpx.AsyncClient(timeout=5) as http:
            answer = await http.post(
                f"{door.url}/commands/ActivateWorkspace", json={"workspace_id": str(new_id())}
            )

        assert answer.status_code == 404

    async def test_wrong_input_is_named_and_a_password_never_repeated(self, door: Door) -> None:
        context = Context(None, None, "public", FAR)
        async with httpx.AsyncClient(timeout=5) as http:
            answer = await http.post(
                f"{door.url}/commands/Register",
                json={"email": 7, "password": "hunter2" * 200, "display_name": "a\nb"},
                headers={
                    "basalt-context": sign(context, CONTEXT_KEY.encode()),
                    "basalt-command-id": str(new_id()),
                },
            )

        assert answer.status_code == 400
        assert {fault["field"] for fault in answer.json()["errors"]} == {
            "email",
            "password",
            "display_name",
        }
        assert "hunter2" not in answer.text
