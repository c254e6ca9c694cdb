"""Studio's part of the schema: apps, what is in them, and their revisions."""

from typing import Any

import strawberry
from strawberry import Info

from contracts.studio.app import App as AppContract
from contracts.studio.app import BoundValue as BoundValueContract
from contracts.studio.app import Dependency as DependencyContract
from contracts.studio.app import (
    DiffRevisions,
    EntityKind,
    GetDependencies,
    GetEvaluationOrder,
    ListEntities,
    ListRevisions,
    ValidateApp,
    WhatBreaks,
)
from contracts.studio.app import Direction as DirectionContract
from contracts.studio.app import Entity as EntityContract
from contracts.studio.app import Findings as FindingsContract
from contracts.studio.app import Revision as RevisionContract
from contracts.studio.app import RevisionDifference as DifferenceContract
from services.gateway import ids
from services.gateway.errors import BadInput, Fault
from services.gateway.graphql.activity import FeedEntry, feed_of
from services.gateway.graphql.connection import FIRST_DEFAULT, Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.degrade import or_degraded
from services.gateway.graphql.delivery import (
    Delivery,
    Environment,
    Release,
    delivery_of,
    releases_of,
)
from services.gateway.graphql.entities import (
    DataQuery,
    Datasource,
    Entity,
    Page,
    Script,
    Widget,
    listed,
    show_entity,
)
from services.gateway.graphql.fields import field, selects
from services.gateway.graphql.inputs import build
from services.gateway.graphql.loaders import AppKey, EntityKey
from services.gateway.graphql.node import NodeShape
from services.gateway.graphql.shapes import Shape, enum_of, shape, shape_of
from services.gateway.scope import Scope

Kind = enum_of(EntityKind)
Direction = enum_of(DirectionContract)
Difference = shape_of(DifferenceContract)
BoundValue = shape_of(BoundValueContract)
Dependency = shape_of(DependencyContract)
Findings = shape_of(FindingsContract)


@shape(RevisionContract, node="Revision")
class Revision(Shape):
    """An immutable state of an app. `tags`: the environments that it went live in."""


@shape(AppContract, node="App", rename={"app_name": "name"})
class App(NodeShape):
    """An app: the draft that people edit."""

    @field("Its pages.")
    async def pages(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Page]:
        """Batched over apps."""
        return await listed(info.context, self.key, Page, "", first, after)

    @field("All its widgets, whatever their page.")
    async def widgets(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Widget]:
        """Batched over apps."""
        return await listed(info.context, self.key, Widget, "", first, after)

    @field("All its queries, whatever their page.")
    async def queries(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[DataQuery]:
        """Batched over apps."""
        return await listed(info.context, self.key, DataQuery, "", first, after)

    @field("All its script objects, whatever their page.")
    async def scripts(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Script]:
        """Batched over apps."""
        return await listed(info.context, self.key, Script, "", first, after)

    @field("Its datasources.")
    async def datasources(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Datasource]:
        """Batched over apps."""
        return await listed(info.context, self.key, Datasource, "", first, after)

    @field("Any of its entities, by kind, page and name.")
    async def entities(
        self,
        info: Info[Scope, None],
        kinds: list[Kind] | None = None,  # type: ignore[valid-type]  # an enum made at import
        page_name: str = "",
        name: str = "",
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Entity]:
        """One question for each app."""

        async def fetch(limit: int, cursor: str) -> Fetched[EntityContract]:
            query = ListEntities(
                workspace_id=self.key.workspace_id,
                app_ids=[self.key.app_id],
                kinds=kinds or [],
                pages=[page_name] if page_name else [],
                name=name,
                limit=limit,
                cursor=cursor,
            )
            answer = await info.context.ask(query)
            return answer.entities, answer.cursor_next

        return await paged(first, after, fetch, lambda row: show_entity(row, self.known))

    @field("Its history, newest first.")
    async def revisions(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Revision]:
        """One question for each app."""

        async def fetch(limit: int, cursor: str) -> Fetched[RevisionContract]:
            query = ListRevisions(**self.key._asdict(), limit=limit, cursor=cursor)
            answer = await info.context.ask(query)
            return answer.revisions, answer.cursor_next

        return await paged(first, after, fetch, lambda row: Revision.of(row, self.known))

    @field("What differs between two of its revisions, by entity, property and line.")
    async def difference(
        self,
        info: Info[Scope, None],
        before: strawberry.ID,
        after: strawberry.ID,
        entity_ids: list[strawberry.ID] | None = None,
    ) -> Difference:  # type: ignore[valid-type]  # derived from its contract
        """Both must be revisions of this app. Properties and lines are read when asked for."""
        query = {
            **self.key._asdict(),
            "revision_before": self._own(before, "before", "Revision"),
            "revision_after": self._own(after, "after", "Revision"),
            "detailed": selects(info, "properties", "lines", "more", "unlisted"),
            "entity_ids": [self._own(one, "entityIds", "Entity") for one in entity_ids or ()],
        }
        query = build(DiffRevisions, query, prefix="")
        return Difference.of(await info.context.ask(query), self.known)

    @field("What an entity of it uses, or what uses it: nearest first.")
    async def dependencies(
        self,
        info: Info[Scope, None],
        of: strawberry.ID,
        direction: Direction = DirectionContract.USED_BY,  # type: ignore[valid-type]  # at import
        depth: int = 1,
    ) -> list[Dependency]:  # type: ignore[valid-type]  # derived from its contract
        """As the app's code has it, parsed; names in strings and computed members are not told."""
        query = {
            **self.key._asdict(),
            "entity_id": self._own(of, "of", "Entity"),
            "direction": direction,
            "depth": depth,
        }
        answer = await info.context.ask(build(GetDependencies, query, prefix=""))
        return [Dependency.of(one, self.known) for one in answer.dependencies]

    @field("What refers to an entity of it, or to anything inside, and would break without it.")
    async def what_breaks(
        self, info: Info[Scope, None], without: strawberry.ID
    ) -> list[Dependency]:  # type: ignore[valid-type]  # derived from its contract
        """Ask before an entity is removed."""
        entity_id = self._own(without, "without", "Entity")
        answer = await info.context.ask(WhatBreaks(**self.key._asdict(), entity_id=entity_id))
        return [Dependency.of(one, self.known) for one in answer.dependencies]

    @field("The bound values of one of its pages, each after those that it uses.")
    async def evaluation_order(self, info: Info[Scope, None], page_name: str) -> list[BoundValue]:  # type: ignore[valid-type]  # derived from its contract
        """Values of a cycle stand together; `validateApp` names it."""
        query = {**self.key._asdict(), "page": page_name}
        answer = await info.context.ask(build(GetEvaluationOrder, query, prefix=""))
        return [BoundValue.of(one, self.known) for one in answer.values]

    @field("Where it is live. Null when delivery is down.")
    async def delivery(self, info: Info[Scope, None]) -> Delivery | None:
        """Batched over apps; not essential."""
        return await or_degraded(info.context, delivery_of(info.context, self.key), "What is live")

    @field("Its releases, newest first. Null when delivery is down.")
    async def releases(
        self,
        info: Info[Scope, None],
        environment: Environment | None = None,  # type: ignore[valid-type]  # made at import
        first: int = FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Release] | None:
        """One question for each app; not essential."""
        found = releases_of(info.context, self.key, environment, first, after)
        return await or_degraded(info.context, found, "The release history")

    @field("What happened to it, newest first. Null when unavailable.")
    async def activity(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[FeedEntry] | None:
        """One question for each app; not essential."""
        return await feed_of(
            info.context, self.key.workspace_id, first, after, app_id=self.key.app_id
        )

    @property
    def key(self) -> AppKey:
        """The app and its tenant."""
        return AppKey(self.shown.workspace_id, self.shown.app_id)

    def _own(self, text: str, argument: str, kind: str) -> Any:  # a UUID or a text
        found = read_id(text, argument, kind)
        if AppKey(found["workspace_id"], found["app_id"]) != self.key:
            raise BadInput(Fault(argument, f"is not of this app: {kind}"))
        return found[ids.PARTS[kind][-1]]


def read_id(text: str, argument: str, kind: str) -> dict[str, Any]:
    """The fields that an id argument carries. BadInput when it is none of that kind."""
    try:
        return dict(ids.decode(text, kind).fields)
    except ids.InvalidId as error:
        raise BadInput(Fault(argument, str(error))) from None


async def find_app(scope: Scope, fields: dict[str, Any]) -> App | None:
    """The app of a decoded id; None when there is no such app."""
    found = await scope.loaders.apps.load(AppKey(fields["workspace_id"], fields["app_id"]))
    return App.of(found) if found else None


async def validate(scope: Scope, fields: dict[str, Any], pages: list[str], first: int) -> Findings:  # type: ignore[valid-type]  # derived from its contract
    """What is wrong with the app of a decoded id."""
    query = {**fields, "pages": pages, "limit": first}
    answer = await scope.ask(build(ValidateApp, query, prefix=""))
    return Findings.of(answer, fields)


async def find_entity(scope: Scope, fields: dict[str, Any]) -> Entity | None:
    """The entity of a decoded id; None when it is not in the draft."""
    app = AppKey(fields["workspace_id"], fields["app_id"])
    found = await scope.loaders.entities.load(EntityKey(app, fields["entity_id"]))
    return show_entity(found, {"workspace_id": app.workspace_id}) if found else None
