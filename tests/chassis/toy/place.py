"""Where the toy service runs in tests: its database, its topics, its environment."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.provision import Plan, provision
from chassis.stores.migrate import CHASSIS, migrate
from infra.local.servers import free_ports
from tests.chassis.toy.service import TABLE, Settings

KEY = "a key for the tests of services"
CLOCK = SystemClock()
START_S = 30
ROOT = os.getcwd()


@dataclass(slots=True)
class Place:
    """One database and one Kafka, for any number of processes."""

    postgres_url: str
    kafka_bootstrap: str
    group: str

    def settings(self, **limits: object) -> Settings:
        """For a service inside the test's process."""
        return Settings(**self.fields(), **limits)  # type: ignore[arg-type]

    def fields(self) -> dict[str, str]:
        """What every process of the place has in common."""
        return {
            "postgres_url": self.postgres_url,
            "kafka_bootstrap": self.kafka_bootstrap,
            "kafka_group": self.group,
            "context_key": KEY,
            "http_port": "0",
            "environment": "test",
        }


async def a_place(postgres_url: str, kafka_bootstrap: str) -> Place:
    """Migrated, with its table and topics."""
    await migrate(postgres_url, [CHASSIS])
    connection = await asyncpg.connect(postgres_url, timeout=10)
    await connection.execute(TABLE, timeout=10)
    await connection.close()
    group = f"toy-{new_id().hex[-8:]}"
    await provision(Plan("", kafka_bootstrap, ("toy",), partitions=2))
    return Place(postgres_url, kafka_bootstrap, group)


class Process:
    """The toy service as a process of its own."""

    def __init__(self, place: Place, **variables: str) -> None:
        (self.port,) = free_ports(1)
        fields = place.fields() | {"http_port": str(self.port)} | variables
        environment = {name.upper(): value for name, value in fields.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chassis.toy.service"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    async def ready(self) -> float:
        """Wait until it is; how long that took, in seconds."""
        began = CLOCK.monotonic()
        async with asyncio.timeout(START_S):
            while True:
                try:
                    if (await self.http.get("/readyz")).status_code == 200:
                        return CLOCK.monotonic() - began
                except httpx.TransportError:
                    assert self.process.poll() is None, self.output()
                await CLOCK.sleep(0.02)

    async def send(self, name: str, **fields: Any) -> httpx.Response:  # fields of any contract
        """A command, with a fresh id unless `command_id` is given; `permission` is app.edit."""
        return await self._post(f"/commands/{name}", fields.pop("permission", "app.edit"), fields)

    async def ask(self, name: str, **fields: Any) -> httpx.Response:  # fields of any contract
        """A query."""
        return await self._post(f"/queries/{name}", "workspace.read", fields)

    async def _post(self, path: str, permission: str, fields: dict[str, object]) -> httpx.Response:
        headers = {
            "basalt-command-id": str(fields.pop("command_id", new_id())),
            "traceparent": str(fields.pop("traceparent", "")),
        }
        workspace_id = fields.get("workspace_id")
        context = Context(
            new_id(),
            workspace_id if isinstance(workspace_id, UUID) else None,
            permission,
            CLOCK.now() + timedelta(seconds=30),
        )
        headers["basalt-context"] = sign(context, KEY.encode())
        body = {
            name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()
        }
        return await self.http.post(path, json=body, headers=headers)

    def terminate(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """The exit code, once it has ended."""
        return await asyncio.to_thread(self.process.wait, 30)

    def kill9(self) -> None:
        """Without warning."""
        self.process.kill()
        self.process.wait(10)

    def output(self) -> str:
        """All that it wrote; of use after its end."""
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()

    async def close(self) -> None:
        """End it if it lives."""
        await self.http.aclose()
        if self.process.poll() is None:
            self.kill9()
        if self.process.stdout is not None:
            self.process.stdout.close()
