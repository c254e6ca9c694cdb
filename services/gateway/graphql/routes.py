"""Where GraphQL is found: `/graphql`, over HTTP and WebSocket."""

from fastapi import APIRouter
from starlette.routing import Route, WebSocketRoute

from services.gateway.graphql.schema import build_schema
from services.gateway.graphql.socket import SocketDoor
from services.gateway.graphql.view import HttpDoor
from services.gateway.scope import Scope, World
from services.gateway.settings import Settings

PATH = "/graphql"


def graphql_router(world: World, settings: Settings) -> APIRouter:
    """Both doors on one path, sharing one schema and its caches."""

    def new_scope(token: str) -> Scope:
        return Scope(world, token)

    schema = build_schema(settings)
    http = HttpDoor(schema, new_scope, settings, world.clock)
    socket = SocketDoor(schema, new_scope, settings)
    router = APIRouter()
    router.routes.append(Route(PATH, http.__call__, methods=["GET", "POST"]))
    router.routes.append(WebSocketRoute(PATH, socket))
    return router
