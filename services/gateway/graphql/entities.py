"""What an app is made of, one GraphQL type per kind, all with the interface Entity."""

from typing import Any

import strawberry
from strawberry import Info
from strawberry.scalars import JSON

from contracts.studio.app import Entity as EntityContract
from contracts.studio.app import EntityKind, ListEntities
from services.gateway import ids
from services.gateway.graphql.connection import FIRST_DEFAULT, Connection, paged
from services.gateway.graphql.connection import Page as Fetched
from services.gateway.graphql.fields import field
from services.gateway.graphql.loaders import AppKey, EntityKey, ListKey
from services.gateway.graphql.node import NodeShape
from services.gateway.graphql.shapes import Fields, shape
from services.gateway.scope import Scope

ENTITY_FIELDS = {"entity_version": "version"}
HIDDEN = ("parent_id", "source", "text", "page")


@shape(EntityContract, node="Entity", hide=HIDDEN, rename=ENTITY_FIELDS, interface=True)
class Entity(NodeShape):
    """A part of an app's draft. `version` is its own: editing it does not disturb its siblings."""

    @field("The entity's JSON, as it stands in the draft.")
    async def source(self, info: Info[Scope, None]) -> JSON | None:
        """Read when asked for: lists do not carry it."""
        body = await self._body(info.context, "source")
        return None if body is None else JSON(body)

    @field("The text body of a query or script.")
    async def text(self, info: Info[Scope, None]) -> str | None:
        """Read when asked for: lists do not carry it."""
        body = await self._body(info.context, "text")
        return None if body is None else str(body)

    @field("The name of the page that it belongs to; empty outside pages.")
    def page_name(self) -> str:
        """The contract's `page`."""
        return str(self.shown.page)

    @field("The container that a widget is in; null = the page's canvas.")
    def parent_id(self) -> strawberry.ID | None:
        """As a global id."""
        parent = self.shown.parent_id
        app = self.app_key
        return strawberry.ID(ids.encode("Entity", *app, parent)) if parent else None

    @property
    def app_key(self) -> AppKey:
        """The app that it is part of."""
        return AppKey(self.known["workspace_id"], self.shown.app_id)

    async def _body(self, scope: Scope, name: str) -> Any:  # JSON or text
        value = getattr(self.shown, name)
        if value is not None:
            return value
        key = EntityKey(self.app_key, self.shown.entity_id)
        full = await scope.loaders.entities.load(key)
        return getattr(full, name) if full else None


@strawberry.type(description="A container, control or text of a page.")
class Widget(Entity):
    """EntityKind.WIDGET."""


@strawberry.type(name="DataQuery", description="A question that the app asks of a datasource.")
class DataQuery(Entity):
    """EntityKind.QUERY."""


@strawberry.type(description="A script object; its functions are parts of it.")
class Script(Entity):
    """EntityKind.SCRIPT."""


@strawberry.type(description="A function of a script object.")
class ScriptFunction(Entity):
    """EntityKind.SCRIPT_FUNCTION."""


@strawberry.type(description="Where the app's queries go. Holds no secrets.")
class Datasource(Entity):
    """EntityKind.DATASOURCE."""


@strawberry.type(
    description="Anything else that the app's source tree holds: theme, library, file."
)
class OtherEntity(Entity):
    """Every other kind, also such as this gateway does not know yet."""


@strawberry.type(description="A page of an app.")
class Page(Entity):
    """EntityKind.PAGE."""

    @field("Its widgets.")
    async def widgets(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Widget]:
        """Batched over pages and apps."""
        return await listed(info.context, self.app_key, Widget, self._name, first, after)

    @field("Its queries.")
    async def queries(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[DataQuery]:
        """Batched over pages and apps."""
        return await listed(info.context, self.app_key, DataQuery, self._name, first, after)

    @field("Its script objects.")
    async def scripts(
        self, info: Info[Scope, None], first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Script]:
        """Batched over pages and apps."""
        return await listed(info.context, self.app_key, Script, self._name, first, after)

    @property
    def _name(self) -> str:
        return str(self.shown.page or self.shown.name)


TYPES: dict[EntityKind, type[Entity]] = {
    EntityKind.PAGE: Page,
    EntityKind.WIDGET: Widget,
    EntityKind.QUERY: DataQuery,
    EntityKind.SCRIPT: Script,
    EntityKind.SCRIPT_FUNCTION: ScriptFunction,
    EntityKind.DATASOURCE: Datasource,
}
KINDS: dict[type[Entity], EntityKind] = {gql: kind for kind, gql in TYPES.items()}
ALL_TYPES = (*TYPES.values(), OtherEntity)


def show_entity(entity: EntityContract, known: Fields) -> Entity:
    """An entity as the type of its kind."""
    return TYPES.get(entity.kind, OtherEntity).of(entity, known)


async def listed(
    scope: Scope, app: AppKey, gql_type: Any, page: str, first: int, after: str | None
) -> Connection[Any]:
    """Entities of one kind. A first page is batched with the first pages of others."""
    kind = KINDS[gql_type]

    async def fetch(limit: int, cursor: str) -> Fetched[EntityContract]:
        if not cursor and not after:
            rows = await scope.loaders.lists.load(ListKey(app, kind, page, limit + 1))
            return rows or [], ""
        query = ListEntities(
            workspace_id=app.workspace_id,
            app_ids=[app.app_id],
            kinds=[kind],
            pages=[page] if page else [],
            limit=limit,
            cursor=cursor,
        )
        answer = await scope.ask(query)
        return answer.entities, answer.cursor_next

    known = {"workspace_id": app.workspace_id}
    return await paged(first, after, fetch, lambda entity: gql_type.of(entity, known))
