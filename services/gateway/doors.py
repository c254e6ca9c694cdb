"""All that clients can reach: GraphQL, REST and live apps, with one rule for other origins."""

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from chassis.resources import Resources
from chassis.wiring import Wiring
from services.gateway.facts import listen
from services.gateway.graphql.routes import graphql_router
from services.gateway.memory import RedisMemory
from services.gateway.rest.archives import archives_router
from services.gateway.rest.proxy import Files, files_router
from services.gateway.scope import World
from services.gateway.settings import Settings
from services.gateway.watch import Nudges, Watch

EXPOSED = ("etag", "retry-after", "traceparent")


def open_doors(wiring: Wiring) -> None:
    """Put the doors together, and start listening to facts. Found by `public_router`."""
    settings: Settings = wiring.settings
    nudges = Nudges()
    listen(wiring, nudges)
    watch = Watch(nudges, settings.watch_poll_ms_min / 1000, settings.watch_poll_ms_max / 1000)
    memory = RedisMemory(
        wiring.resources.redis, settings.filled_seconds, settings.redis_connections_max
    )
    resources = wiring.resources
    world = World(
        resources.clients,
        resources.clock,
        watch,
        memory,
        settings.context_seconds,
        settings.optional_ms_max,
    )
    services = {name: Files(name, settings) for name in ("delivery", "studio")}
    for files in services.values():
        wiring.close(files.http.aclose)
    resources.opened["public"] = public_app(world, resources, settings, services)


def public_router(resources: Resources) -> APIRouter:
    """Everything that is not the service's own (health, metrics) belongs to clients."""
    public = resources.opened["public"]
    router = APIRouter()
    router.routes += [Route("/{path:path}", public), WebSocketRoute("/{path:path}", public)]
    return router


def public_app(
    world: World, resources: Resources, settings: Settings, services: dict[str, Files]
) -> FastAPI:
    """The public application: its OpenAPI document describes REST, `/graphql` describes itself."""
    app = FastAPI(
        title="Basalt",
        openapi_url="/api/openapi.json",
        docs_url="/api/docs" if settings.development else None,
        redoc_url=None,
    )
    app.include_router(graphql_router(world, settings))
    app.include_router(archives_router(world, resources, settings))
    app.include_router(files_router(world, resources, settings, services))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["authorization", "content-type", "idempotency-key", "traceparent"],
            expose_headers=list(EXPOSED),
            max_age=600,
        )
    return app
