"""Identity's part of the schema: users, sessions, workspaces, members, invitations."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from contracts.identity.session import Session as SessionContract
from contracts.identity.user import User as UserContract
from contracts.identity.workspace import EffectivePermissions, ListInvitations
from contracts.identity.workspace import Invitation as InvitationContract
from contracts.identity.workspace import Member as MemberContract
from contracts.identity.workspace import Permissions as PermissionsContract
from contracts.identity.workspace import Workspace as WorkspaceContract
from contracts.studio.app import App as AppContract
from contracts.studio.app import ListApps
from services.gateway.graphql.activity import FeedEntry, feed_of
from services.gateway.graphql.billing import (
    LedgerBalance,
    LedgerTransaction,
    Usage,
    balances_of,
    ledger_of,
    usage_of,
)
from services.gateway.graphql.connection import FIRST_DEFAULT, Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.degrade import or_degraded
from services.gateway.graphql.fields import field
from services.gateway.graphql.node import NodeShape
from services.gateway.graphql.operation_list import operations_of
from services.gateway.graphql.operations import Operation
from services.gateway.graphql.shapes import Shape, shape, shape_of
from services.gateway.graphql.studio import App, read_id
from services.gateway.scope import Scope

Permissions = shape_of(PermissionsContract)


@shape(UserContract, node="User")
class User(NodeShape):
    """A person who can log in."""


@shape(SessionContract, node="Session")
class Session(Shape):
    """A logged-in client of the caller's."""


@shape(InvitationContract, node="Invitation")
class Invitation(Shape):
    """An invitation that can be accepted. Its token is shown once, to who invited."""


@shape(MemberContract, node="Member")
class Member(NodeShape):
    """A user's place in a workspace."""

    @field("The person; null for one whom the caller may not see.")
    async def user(self, info: Info[Scope, None]) -> User | None:
        """Batched."""
        found = await info.context.loaders.users.load(self.shown.user_id)
        return User.of(found) if found else None


@shape(WorkspaceContract, node="Workspace", hide=("members",), rename={"workspace_name": "name"})
class Workspace(NodeShape):
    """Where people work together; the tenant. `role` is the caller's own."""

    @field("How many members there are.")
    def member_count(self) -> int:
        """The contract's `members`."""
        return int(self.shown.members)

    @field("Its members, in order of joining.")
    async def members(self, info: Info[Scope, None]) -> list[Member]:
        """Batched over workspaces."""
        found = await info.context.loaders.members.load(self.shown.workspace_id)
        return [Member.of(member) for member in found]

    @field("Open invitations; null for those who may not invite.")
    async def invitations(self, info: Info[Scope, None]) -> list[Invitation] | None:
        """One question for each workspace."""
        query = ListInvitations(workspace_id=self.shown.workspace_id)
        return [Invitation.of(item) for item in (await info.context.ask(query)).invitations]

    @field("What a user may do here, and why.")
    async def permissions(self, info: Info[Scope, None], user_id: strawberry.ID) -> Permissions:  # type: ignore[valid-type]  # derived from its contract
        """One question for each workspace."""
        user = read_id(user_id, "userId", "User")
        query = EffectivePermissions(workspace_id=self.shown.workspace_id, **user)
        return Permissions.of(await info.context.ask(query))

    @field("Its apps, newest first.")
    async def apps(
        self,
        info: Info[Scope, None],
        archived: bool = False,
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[App]:
        """One question for each workspace."""

        async def fetch(limit: int, cursor: str) -> Fetched[AppContract]:
            query = ListApps(
                workspace_id=self.shown.workspace_id,
                archived=archived,
                limit=limit,
                cursor=cursor,
            )
            answer = await info.context.ask(query)
            return answer.apps, answer.cursor_next

        return await paged(first, after, fetch, App.of)

    @field("What it may consume and does. Null when billing is down.")
    async def usage(self, info: Info[Scope, None]) -> Usage | None:
        """Not essential."""
        return await or_degraded(
            info.context, usage_of(info.context, self.shown.workspace_id), "Usage"
        )

    @field("What it was charged, paid and was given back, newest first; for owners.")
    async def ledger(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[LedgerTransaction] | None:
        """Not essential."""
        page = ledger_of(info.context, self.shown.workspace_id, first, after)
        return await or_degraded(info.context, page, "The ledger")

    @field("What the accounts of its ledger hold; for owners.")
    async def balances(self, info: Info[Scope, None]) -> list[LedgerBalance] | None:
        """Not essential."""
        held = balances_of(info.context, self.shown.workspace_id)
        return await or_degraded(info.context, held, "The ledger")

    @field("Sagas of this workspace, newest first. Null when unavailable.")
    async def operations(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Operation] | None:
        """Not essential."""
        page = operations_of(info.context, self.shown.workspace_id, first, after)
        return await or_degraded(info.context, page, "The list of operations")

    @field("What happened in it, newest first. Null when unavailable.")
    async def activity(
        self,
        info: Info[Scope, None],
        types: list[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[FeedEntry] | None:
        """Not essential."""
        return await feed_of(
            info.context,
            self.shown.workspace_id,
            first,
            after,
            types=types or (),
            since=since,
            until=until,
        )


async def find_workspace(scope: Scope, fields: dict[str, Any]) -> Workspace | None:
    """The workspace of a decoded id; None for those who are no members."""
    found = await scope.loaders.workspaces.load(fields["workspace_id"])
    return Workspace.of(found) if found else None


async def find_user(scope: Scope, fields: dict[str, Any]) -> User | None:
    """The user of a decoded id; None for those whom the caller may not see."""
    found = await scope.loaders.users.load(fields["user_id"])
    return User.of(found) if found else None


async def find_member(scope: Scope, fields: dict[str, Any]) -> Member | None:
    """The member of a decoded id; None when there is none."""
    members = await scope.loaders.members.load(fields["workspace_id"])
    return next((Member.of(m) for m in members if m.user_id == fields["user_id"]), None)
