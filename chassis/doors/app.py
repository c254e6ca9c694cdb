"""The ASGI application of a service: the door's endpoints, health, metrics, extra routes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.doors.http import HttpDoor, Taken
from chassis.doors.openapi import describe

Check = Callable[[], Awaitable[None]]
"""Raises, with the reason as its text, while the service is not ready."""

_REASON_CHARS_MAX = 200


class Health:
    """Whether requests should come here. `draining` is final."""

    def __init__(self, checks: Mapping[str, Check], timeout_s: float) -> None:
        self.checks = dict(checks)
        self.draining = False
        self._timeout_s = timeout_s

    async def reasons(self) -> list[str]:
        """Why not, one line for each dependency; empty when ready."""
        if self.draining:
            return ["the service is stopping"]
        names = list(self.checks)
        found = await asyncio.gather(*(self._reason(name) for name in names))
        return [reason for reason in found if reason]

    async def _reason(self, name: str) -> str:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.checks[name]()
        except TimeoutError:
            return f"{name}: no answer in {self._timeout_s:g} s"
        except Exception as error:
            return f"{name}: {type(error).__name__}: {error}"[:_REASON_CHARS_MAX]
        return ""


def build_app(
    name: str,
    door: HttpDoor,
    health: Health,
    commands: Mapping[str, Taken],
    queries: Mapping[str, Taken],
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """Everything behind the port. The door's endpoints are raw routes: no second validation."""
    app = FastAPI(title=f"Basalt {name}", docs_url="/docs", redoc_url=None)
    app.add_route("/commands/{name}", door.command, methods=["POST"], include_in_schema=False)
    app.add_route("/queries/{name}", door.query, methods=["POST"], include_in_schema=False)
    app.add_route("/metrics", _metrics, include_in_schema=False)

    @app.get("/healthz", summary="The process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="The service can take requests")
    async def readyz() -> JSONResponse:
        reasons = await health.reasons()
        if reasons:
            return JSONResponse({"status": "not ready", "reasons": reasons}, 503)
        return JSONResponse({"status": "ready"})

    for router in routers:
        app.include_router(router)

    def openapi() -> dict[str, Any]:  # a JSON document
        if not app.openapi_schema:
            app.openapi_schema = _openapi(app, commands, queries)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _openapi(
    app: FastAPI, commands: Mapping[str, Taken], queries: Mapping[str, Taken]
) -> dict[str, Any]:  # a JSON document
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    paths, schemas = describe(commands.values(), queries.values())
    document["paths"] |= paths
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    return document


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
