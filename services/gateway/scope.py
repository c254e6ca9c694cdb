"""One client's operation: who it is, what it may do, and its way to the services.

Every question and every command goes through `ask` and `send`: both demand the permission that
the contract declares, so a resolver can't forget to.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

import orjson
from pydantic import SecretStr

from chassis.clock import Clock, derived_id, new_id
from chassis.context import Context
from chassis.errors import Rejected
from contracts.base import Command, Message, Query
from contracts.identity.session import Authorize, Authorized, SessionEnded
from services.gateway.errors import BadInput, Fault, Forbidden, Unauthenticated
from services.gateway.graphql.loaders import Loaders
from services.gateway.memory import Memory
from services.gateway.watch import Watch

A = TypeVar("A", bound=Message)

PUBLIC = "public"
USER = "user"
WORKERS = ("orchestrator", "studio")
"""Who does long work, newest kinds last: sagas, and imports."""
LONG_WORK = "operation"
"""Whose contracts the workers answer."""
KEY_LENGTH_MAX = 200
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # in JSON: escaped, and not a backslash and u0000
KEYED = datetime(2100, 1, 1, tzinfo=UTC)
"""The birth that ids of keyed commands claim. It has to be constant, and later than any pruning."""


class Client(Protocol):
    """A service, as the gateway sees it: chassis.client.ServiceClient, or a fake in tests."""

    async def ask(self, query: Query[A], context: Context) -> A:
        """Put a question."""
        ...

    async def send(self, command: Command[A], context: Context, *, command_id: UUID) -> A:
        """Have something done."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What all operations share. `context_seconds` = how long a signed context is good for,
    `optional_ms` = how long what is not essential may take."""

    clients: Mapping[str, Client]
    clock: Clock
    watch: Watch
    memory: Memory
    context_seconds: float = 30.0
    optional_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class CommandKey:
    """What makes a command the same one again: its type, the client's key, and what it is about."""

    type: str
    key: str | None
    fields: Mapping[str, Any]  # contract field values


class Scope:
    """The state of one operation. `token` and `connection_params` come from the client."""

    def __init__(self, world: World, token: str) -> None:
        self.world, self.token = world, token
        self.connection_params: dict[str, Any] | None = None  # JSON; set by the socket's protocol
        self.loaders = Loaders(self)
        self._grants: dict[UUID | None, asyncio.Future[Authorized]] = {}

    def fresh(self) -> "Scope":
        """A scope for the next operation of the same client."""
        return Scope(self.world, self.token)

    def refresh(self) -> None:
        """Forget what was read and granted: a subscription does so before each result."""
        self.loaders.clear()
        self._grants.clear()

    async def caller(self) -> Authorized:
        """Who asks. Raises Unauthenticated."""
        return await self._granted(None)

    async def permit(
        self, permission: str, workspace_id: UUID | None, *, founding: bool = False
    ) -> Context:
        """The context to sign for a message. Raises Unauthenticated or Forbidden.

        `founding` = the founder of a workspace has it too, before identity knows the workspace.
        """
        expires_at = self.world.clock.now() + timedelta(seconds=self.world.context_seconds)
        if permission == PUBLIC:
            return Context(None, workspace_id, PUBLIC, expires_at)
        grant = await self._granted(None if permission == USER else workspace_id)
        if permission not in grant.permissions:
            if not founding or workspace_id is None or grant.role is not None:
                raise Forbidden
            if not await self.world.memory.founds(workspace_id, grant.user_id):
                raise Forbidden
        return Context(grant.user_id, workspace_id, permission, expires_at)

    async def ask(self, query: Query[A], *, owner: str = "", founding: bool = False) -> A:
        """Put a question to the service that owns its contract, or to `owner`."""
        context = await self._context_for(query, founding)
        return await self._client(query, owner).ask(query, context)

    async def send(self, command: Command[A], command_id: UUID, *, owner: str = "") -> A:
        """Have a command carried out by the service that owns its contract, or by `owner`."""
        context = await self._context_for(command)
        return await self._client(command, owner).send(command, context, command_id=command_id)

    async def command_id(self, permission: str, key: CommandKey) -> UUID:
        """The same id for the same user, command and key; a fresh one without a key.

        Callers without a user are told apart by what they send, secrets left out.
        """
        if key.key is None:
            return new_id()
        if not 0 < len(key.key) <= KEY_LENGTH_MAX:
            rule = f"must have 1 to {KEY_LENGTH_MAX} characters"
            raise BadInput(Fault("input.idempotencyKey", rule))
        if permission == PUBLIC:
            who = orjson.dumps(_without_secrets(key.fields), default=str).decode()
        else:
            who = str((await self.caller()).user_id)
        return derived_id(KEYED, who, key.type, key.key)

    async def _context_for(self, message: Message, founding: bool = False) -> Context:
        demand_storable(message)
        permission = type(message).permission
        assert permission, f"{type(message).__name__} is not for callers from outside"
        workspace_id = getattr(message, "workspace_id", None)
        return await self.permit(permission, workspace_id, founding=founding)

    def _client(self, message: Message, owner: str) -> Client:
        contract_owner = type(message).address.owner
        if owner and contract_owner == LONG_WORK and owner not in WORKERS:
            raise BadInput(Fault("id", "names nobody who does long work"))
        if (owner or contract_owner) not in self.world.clients:
            raise BadInput(Fault("service", f"is none of {', '.join(sorted(self.world.clients))}"))
        return self.world.clients[owner or contract_owner]

    async def _granted(self, workspace_id: UUID | None) -> Authorized:
        """Ask identity once per workspace, however many resolvers want to know."""
        if not self.token:
            raise Unauthenticated
        known = self._grants.get(workspace_id)
        if known is None and workspace_id is None and self._grants:
            known = next(iter(self._grants.values()))  # any grant says who the caller is
        if known is None:
            known = asyncio.ensure_future(self._authorize(workspace_id))
            self._grants[workspace_id] = known
        return await asyncio.shield(known)

    async def _authorize(self, workspace_id: UUID | None) -> Authorized:
        query = Authorize(token=SecretStr(self.token), workspace_id=workspace_id)
        context = await self.permit(PUBLIC, workspace_id)
        try:
            return await self.world.clients["identity"].ask(query, context)
        except Rejected as refusal:
            if isinstance(refusal.rejection, SessionEnded):
                raise Unauthenticated from None
            raise


def bearer(header: str) -> str:
    """The token of an Authorization header; "" when there is none."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def demand_storable(message: Message) -> None:
    """No store takes U+0000 in a text: BadInput before a service chokes on it."""
    body = message.__pydantic_serializer__.to_json(message)
    if b"\\u0000" in body and NUL.search(body):  # the first test is quick, and nearly always enough
        raise BadInput(Fault("input", "contains the character U+0000"))


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:  # contract field values
    return {name: value for name, value in fields.items() if "password" not in name}
