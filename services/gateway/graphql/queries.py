"""Every root query."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from contracts.identity.session import ListSessions
from contracts.identity.workspace import ListWorkspaces
from services.gateway import ids
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.activity import FeedEntry, feed_of
from services.gateway.graphql.billing import Plan, all_plans
from services.gateway.graphql.connection import FIRST_DEFAULT, Connection
from services.gateway.graphql.delivery import find_release
from services.gateway.graphql.entities import Entity
from services.gateway.graphql.fields import field
from services.gateway.graphql.identity import (
    Session,
    User,
    Workspace,
    find_member,
    find_user,
    find_workspace,
)
from services.gateway.graphql.node import Node
from services.gateway.graphql.operation_list import operations_of
from services.gateway.graphql.operations import Operation, find_operation
from services.gateway.graphql.sagas import (
    DeadLetterDetails,
    DeadLetterPage,
    SagaDetails,
    SagaPage,
    find_letter,
    find_saga,
    list_letters,
    list_sagas,
)
from services.gateway.graphql.studio import (
    App,
    Findings,
    find_app,
    find_entity,
    read_id,
    validate,
)
from services.gateway.scope import Scope

FINDERS: dict[str, Callable[[Scope, dict[str, Any]], Awaitable[Any]]] = {
    "User": find_user,
    "Workspace": find_workspace,
    "Member": find_member,
    "App": find_app,
    "Entity": find_entity,
    "Release": find_release,
    "Operation": find_operation,
}
"""How a thing is found by its decoded id, by kind."""


@strawberry.type(description="What can be asked, within the caller's rights.")
class Query:
    """What can be asked."""

    @field("Anything with a global id; null when it is gone or not yours.")
    async def node(self, info: Info[Scope, None], id: strawberry.ID) -> Node | None:
        """Relay's refetching."""
        try:
            decoded = ids.decode(id, *FINDERS)
        except ids.InvalidId as error:
            raise BadInput(Fault("id", str(error))) from None
        found: Node | None = await FINDERS[decoded.kind](info.context, dict(decoded.fields))
        return found

    @field("The caller.")
    async def me(self, info: Info[Scope, None]) -> User | None:
        """Null only when the caller's account is gone."""
        return await find_user(info.context, {"user_id": (await info.context.caller()).user_id})

    @field("The caller's live sessions, newest first.")
    async def sessions(self, info: Info[Scope, None]) -> list[Session]:
        """Tokens are not among what it shows."""
        query = ListSessions(user_id=(await info.context.caller()).user_id)
        return [Session.of(session) for session in (await info.context.ask(query)).sessions]

    @field("The workspaces that the caller is a member of, oldest first.")
    async def workspaces(self, info: Info[Scope, None]) -> list[Workspace]:
        """A person is in few workspaces: no pages."""
        query = ListWorkspaces(user_id=(await info.context.caller()).user_id)
        return [Workspace.of(item) for item in (await info.context.ask(query)).workspaces]

    @field("A workspace; null for those who are no members.")
    async def workspace(self, info: Info[Scope, None], id: strawberry.ID) -> Workspace | None:
        """By global id."""
        return await find_workspace(info.context, read_id(id, "id", "Workspace"))

    @field("An app; null when it is gone.")
    async def app(self, info: Info[Scope, None], id: strawberry.ID) -> App | None:
        """By global id."""
        return await find_app(info.context, read_id(id, "id", "App"))

    @field("A part of an app's draft; null when it is gone.")
    async def entity(self, info: Info[Scope, None], id: strawberry.ID) -> Entity | None:
        """By global id."""
        return await find_entity(info.context, read_id(id, "id", "Entity"))

    @field(
        "What is wrong with an app: names that nothing has, cycles, broken code, what is unused."
    )
    async def validate_app(
        self,
        info: Info[Scope, None],
        id: strawberry.ID,
        pages: list[str] | None = None,
        first: int = 200,
    ) -> Findings:  # type: ignore[valid-type]  # derived from its contract
        """Of all its pages, or of some; errors first."""
        app = read_id(id, "id", "App")
        return await validate(info.context, app, pages or [], first)

    @field("Every plan on offer, smallest first.")
    async def plans(self, info: Info[Scope, None]) -> list[Plan]:  # type: ignore[valid-type]
        """For logged-in users."""
        return await all_plans(info.context)

    @field("Long work; null when there is none of this id.")
    async def operation(self, info: Info[Scope, None], id: strawberry.ID) -> Operation | None:
        """By global id, which names its owner."""
        return await find_operation(info.context, read_id(id, "id", "Operation"))

    @field("For operators: sagas of all workspaces, newest first.")
    async def sagas(
        self,
        info: Info[Scope, None],
        kind: str = "",
        status: str = "",
        subject_id: str = "",
        step: str = "",
        stuck: bool = False,
        first: int = FIRST_DEFAULT,
        after: str = "",
    ) -> SagaPage:  # type: ignore[valid-type]
        """Needs the permission `operator`."""
        return await list_sagas(
            info.context,
            {"kind": kind, "status": status, "subject_id": subject_id, "step": step}
            | {"stuck": stuck, "limit": first, "cursor": after},
        )

    @field("For operators: one saga with its steps and its history; null when there is none.")
    async def saga(self, info: Info[Scope, None], id: str) -> SagaDetails | None:  # type: ignore[valid-type]
        """By the id that logs and events carry."""
        return await find_saga(info.context, id)

    @field("For operators: a service's dead letters and parked keys, oldest first.")
    async def dead_letters(
        self,
        info: Info[Scope, None],
        service: str,
        topic: str = "",
        record_key: str = "",
        type: str = "",
        first: int = FIRST_DEFAULT,
        after: str = "",
    ) -> DeadLetterPage:  # type: ignore[valid-type]
        """Those that have not ended. Needs the permission `operator`."""
        return await list_letters(
            info.context,
            service,
            {"topic": topic, "record_key": record_key, "type": type}
            | {"limit": first, "cursor": after},
        )

    @field("For operators: one dead letter, its secrets masked; null when there is none.")
    async def dead_letter(
        self, info: Info[Scope, None], service: str, id: str
    ) -> DeadLetterDetails | None:  # type: ignore[valid-type]
        """By the id that a list shows."""
        return await find_letter(info.context, service, id)

    @field("The long work of a workspace, newest first.")
    async def operations(
        self,
        info: Info[Scope, None],
        workspace_id: strawberry.ID,
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Operation]:
        """Sagas and imports together."""
        workspace = read_id(workspace_id, "workspaceId", "Workspace")["workspace_id"]
        return await operations_of(info.context, workspace, first, after)

    @field("What happened in a workspace, newest first.")
    async def activity(
        self,
        info: Info[Scope, None],
        workspace_id: strawberry.ID,
        app_id: strawberry.ID | None = None,
        actor_id: strawberry.ID | None = None,
        types: list[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[FeedEntry] | None:
        """Null, with code DEGRADED, when activity is down."""
        app = read_id(app_id, "appId", "App")["app_id"] if app_id else None
        actor = read_id(actor_id, "actorId", "User")["user_id"] if actor_id else None
        return await feed_of(
            info.context,
            read_id(workspace_id, "workspaceId", "Workspace")["workspace_id"],
            first,
            after,
            app_id=app,
            actor_id=actor,
            types=types or (),
            since=since,
            until=until,
        )
