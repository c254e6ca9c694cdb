"""The HTTP server: uvicorn without its signal handlers, access log and log configuration."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from chassis.settings import ServiceSettings, SettingsInvalid

_STARTED_POLL_S = 0.01
_KEEP_ALIVE_S = 75  # longer than any client of ours keeps a connection


class SharedConfig(uvicorn.Config):
    """`shared`: replicas on one machine have one port, and the kernel spreads connections."""

    shared = False


class HttpServer(uvicorn.Server):
    """Started and stopped by the service, which owns the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @property
    def port(self) -> int:
        """The port that it listens on (of use when 0 was asked for)."""
        return int(self.servers[0].sockets[0].getsockname()[1])


def http_server(app: Any, settings: ServiceSettings) -> HttpServer:  # any ASGI application
    """Not started yet."""
    config = SharedConfig(
        app,
        host=settings.http_host,
        port=settings.http_port,
        backlog=settings.http_backlog_max,
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, settings.drain_timeout_ms // 2000),
    )
    config.shared = settings.http_port_shared
    return HttpServer(config)


async def start_server(server: HttpServer, timeout_s: float) -> "asyncio.Task[None]":
    """Serve in a task; returns once it listens. Raises SettingsInvalid when the port is taken."""
    task = asyncio.create_task(_serve(server), name="http")
    async with asyncio.timeout(timeout_s):
        while not server.started:
            done, _ = await asyncio.wait({task}, timeout=_STARTED_POLL_S)
            if done:
                await task
                raise SettingsInvalid("the HTTP server ended before it listened")
    return task


async def _serve(server: HttpServer) -> None:
    config = server.config
    assert isinstance(config, SharedConfig), "http_server made it"
    listening = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if config.shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((config.host, config.port))
    except OSError:
        listening.close()
        raise SettingsInvalid(f"cannot listen on {config.host}:{config.port}") from None
    await server.serve([listening])
