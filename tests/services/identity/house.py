"""Identity on a real Postgres and Redis, without its doors."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from chassis.clock import Clock, new_id
from chassis.context import trusted_context
from chassis.errors import Rejected
from chassis.messaging.chunk import CommandChunk
from chassis.messaging.deadletters import DeadLetters
from chassis.messaging.handlers import Handlers
from chassis.messaging.unit import Kit
from chassis.resources import Resources
from chassis.stores.postgres import Database
from contracts.base import Message
from contracts.identity.session import Authorize, Authorized, SessionEnded, SessionOpened
from contracts.identity.user import UserRegistered
from contracts.identity.workspace import (
    AcceptInvitation,
    ActivateWorkspace,
    CreateWorkspace,
    InvitationIssued,
    InviteMember,
    MemberAdded,
    Role,
)
from services.identity.handlers import HANDLERS
from services.identity.main import service
from services.identity.model.passwords import Mint, Passwords
from services.identity.settings import Settings
from services.identity.store.access import AccessReader
from services.identity.store.chance import SystemMint
from services.identity.store.passwords import Argon2Passwords
from services.identity.views.access import authorize
from tests.services.identity.fakes import EMAIL, FakeClock, a_log_in, a_register, some_settings
from tests.services.participant import AnyCommand, KeptLetters, Participant, PlainCommit


@dataclass
class House(Participant):
    """Its commands have a caller; `reader` is one replica's way to who may do what."""

    clock: FakeClock
    reader: AccessReader

    async def act(
        self, command: AnyCommand, actor_id: UUID | None = None, command_id: UUID | None = None
    ) -> Message:
        """The command's answer. Raises Rejected."""
        workspace_id = getattr(command, "workspace_id", None)
        context = trusted_context(actor_id=actor_id, workspace_id=workspace_id)
        return await self.chunk.execute(command, context, command_id or new_id())

    async def act_at_once(
        self, *acts: tuple[AnyCommand, UUID | None]
    ) -> list[Message | BaseException]:
        """All at once, each in a transaction of its own."""
        return await asyncio.gather(
            *(self.act(command, actor_id) for command, actor_id in acts), return_exceptions=True
        )

    async def registered(self, email: str = EMAIL) -> UUID:
        answer = await self.act(a_register(email))
        assert isinstance(answer, UserRegistered)
        return answer.user_id

    async def logged_in(self, email: str = EMAIL) -> SessionOpened:
        answer = await self.act(a_log_in(email))
        assert isinstance(answer, SessionOpened)
        return answer

    async def owned(self, owner_id: UUID, name: str = "Engines") -> UUID:
        """An active workspace."""
        workspace_id = new_id()
        await self.act(
            CreateWorkspace(workspace_id=workspace_id, owner_id=owner_id, workspace_name=name)
        )
        await self.act(ActivateWorkspace(workspace_id=workspace_id))
        return workspace_id

    async def invited(
        self, workspace_id: UUID, owner_id: UUID, email: str, role: Role = Role.EDITOR
    ) -> SecretStr:
        issued = await self.act(
            InviteMember(workspace_id=workspace_id, email=email, role=role), owner_id
        )
        assert isinstance(issued, InvitationIssued)
        return issued.token

    async def joined(
        self, workspace_id: UUID, owner_id: UUID, email: str, role: Role = Role.EDITOR
    ) -> UUID:
        """A new user who is a member."""
        user_id = await self.registered(email)
        token = await self.invited(workspace_id, owner_id, email, role)
        answer = await self.act(AcceptInvitation(user_id=user_id, token=token), user_id)
        assert isinstance(answer, MemberAdded)
        return user_id

    async def who(self, token: SecretStr, workspace_id: UUID | None = None) -> Authorized | None:
        """What the gateway learns; None: the session has ended."""
        query = Authorize(token=token, workspace_id=workspace_id)
        try:
            return await authorize(query, self.reader, self.resources.settings)
        except Rejected as refusal:
            if refusal.rejection == SessionEnded():
                return None
            raise


def a_house(database: Database, redis: object, **limits: object) -> House:
    """Wire the handlers as the service runner does."""
    clock = FakeClock()
    resources = Resources(some_settings(**limits), clock)
    resources.opened.update(postgres=database, redis=redis)
    given: dict[type, object] = {
        Clock: clock,
        Settings: resources.settings,
        Passwords: Argon2Passwords(resources),
        Mint: SystemMint(resources),
    }
    letters = KeptLetters()
    kit = Kit(
        service="identity",
        group="identity",
        handlers=Handlers(HANDLERS, provides=service.provides, given=given),
        resources=resources,
        commit_point=PlainCommit(database),
    )
    chunk = CommandChunk(kit, DeadLetters("identity", letters))
    return House(database, resources, chunk, letters, clock, AccessReader(resources))
