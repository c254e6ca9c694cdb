"""The platform under chaos: one replica of each service, under the real local supervisor.

One replica, so that an armed rule surely meets its message. A killed process, server or service, is
started again by process-compose, as it would be after `make up`.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import orjson

from chassis.clock import SystemClock, new_id
from chassis.context import Context, sign
from chassis.doors.faults import OPERATOR
from infra.local import compose
from infra.local.places import ROOT, Ports, Unfit
from infra.local.servers import accepts
from infra.local.stack import SERVICES, Service, Stack, service_command
from infra.local.supervisor import Supervisor
from tests.chaos.cases import Arm
from tests.flows.platform import await_true

CLOCK = SystemClock()
READY_S = 120.0
POLL_S = 0.1
STOP_TRIES = 3
ORDER_S = 60.0
RULE_S = 240
STORM_PORT_OFFSET = 40


@dataclass(frozen=True)
class StagingStack(Stack):
    """Every service takes fault rules, and writes each firing to one file."""

    @property
    def fired_log(self) -> Path:
        return self.data / "fired.jsonl"

    def service_environment(self, service: Service) -> dict[str, str]:
        given = {"ENVIRONMENT": "staging", "FAULTS": "staging", "FAULTS_LOG": str(self.fired_log)}
        return {**super().service_environment(service), **given}


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, by the names that the soundness checks use."""

    kafka_bootstrap: str
    mongo_url: str
    redis_url: str


class ChaosPlatform:
    """Start it once; arm rules, kill servers, ask what fired."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="basalt-chaos-"))
        self._folder.chmod(0o711)
        self.stack = StagingStack(self._folder, _free_ports(), {})
        urls = self.stack.urls()
        self.servers = Addresses(urls["KAFKA_BOOTSTRAP"], urls["MONGO_URL"], urls["REDIS_URL"])
        self.supervisor = Supervisor(self.stack)
        self._http = httpx.AsyncClient(timeout=5, trust_env=False)
        self._reasons: dict[str, str] = {}
        self._storm: list[subprocess.Popen[bytes]] = []

    @property
    def gateway(self) -> str:
        return self.stack.url("gateway")

    def database_url(self, service: str) -> str:
        """A service's database, to look into."""
        return self.stack.database_url(service)

    async def start(self) -> None:
        """Servers, provisioning and services; returns when all are ready."""
        taken = [
            port
            for port in range(self.stack.ports.base, self.stack.ports.base + 16)
            if accepts(port)
        ]
        if taken:
            raise Unfit(f"ports {taken} are taken: choose another BASALT_PORT_BASE")
        (self._folder / "logs").mkdir()
        (self._folder / "servers").mkdir()
        prepared = (asyncio.to_thread(server.prepare) for server in self.stack.servers())
        await asyncio.gather(*prepared)
        await asyncio.to_thread(self.supervisor.start, compose.write(self.stack))
        await self.await_ready()

    async def stop(self) -> None:
        """Stop everything and remove its data; never fails because of what chaos has left."""
        await self._http.aclose()
        self.calm()
        for _ in range(STOP_TRIES):
            if self.supervisor.running:
                try:
                    await asyncio.to_thread(self.supervisor.stop)
                except (Unfit, subprocess.TimeoutExpired) as error:
                    print(f"the platform does not stop: {error}", flush=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def await_ready(self, services: Iterable[str] = ()) -> None:
        """Until these services (all, when none is named) say that they are ready. TimeoutError
        that says why not."""
        wanted = list(services) or [service.name for service in SERVICES]
        self._reasons = dict.fromkeys(wanted, "not asked")
        try:
            async with asyncio.timeout(READY_S):
                await asyncio.gather(*(self._ready(name) for name in wanted))
        except TimeoutError:
            raise TimeoutError(f"after {READY_S:.0f} s not ready: {self._reasons}") from None

    async def arm(self, arm: Arm, workspace_id: UUID | None) -> UUID:
        """Put a rule in force; its id. AssertionError when the service does not take it."""
        rule_id = new_id()
        rule = {
            "rule_id": str(rule_id),
            "point": arm.point,
            "action": arm.action,
            "delay_ms": arm.delay_ms,
            "times": arm.times,
            "message_type": arm.message_type,
            "topic": arm.topic,
            "direction": arm.direction,
            "workspace_id": str(workspace_id) if workspace_id else None,
            "expires_in_s": RULE_S,
        }
        url = f"{self.stack.url(arm.service)}/faults"
        response = await self._http.post(url, json=rule, headers=self._operator())
        assert response.status_code == 200, f"{arm}: {response.text}"
        return rule_id

    async def disarm(self, services: Iterable[str]) -> None:
        """Stop all rules there; a service that is away has none."""
        for name in services:
            try:
                await self._http.delete(f"{self.stack.url(name)}/faults", headers=self._operator())
            except httpx.HTTPError:
                continue

    def fired(self) -> dict[UUID, str]:
        """The rules that have fired, and the service that wrote it down."""
        if not self.stack.fired_log.exists():
            return {}
        lines = map(orjson.loads, self.stack.fired_log.read_bytes().splitlines())
        return {UUID(line["rule_id"]): line["service"] for line in lines}

    async def order(self, service: str, verb: str, body: object) -> httpx.Response:
        """An operator's command at a service's door; asked again under the same command id while
        there is no answer. TimeoutError after a while."""
        headers = {**self._operator(), "basalt-command-id": str(new_id())}
        url = f"{self.stack.url(service)}/commands/{verb}"
        async with asyncio.timeout(ORDER_S):
            while True:
                try:
                    response = await self._http.post(url, json=body, headers=headers)
                    if response.status_code not in (503, 504):
                        return response
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(POLL_S)

    def kill9(self, name: str) -> int:
        """Kill a supervised process without warning; its id, which is dead now."""
        pid = self.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def pid_of(self, name: str) -> int:
        """The process of a server or a service; 0 while it has none."""
        (process,) = [each for each in self.supervisor.processes() if each.name == name]
        return process.pid if process.status == "Running" else 0

    def await_another(self, name: str, pid: int) -> None:
        """Until the supervisor has started it again, or AssertionError."""
        await_true(lambda: self.pid_of(name) not in (0, pid), f"{name} is another", READY_S)

    def join(self, service_name: str) -> None:
        """One more replica, with a port of its own, not supervised: it comes to leave again."""
        service = next(each for each in SERVICES if each.name == service_name)
        port = self.stack.ports.base + STORM_PORT_OFFSET + len(self._storm)
        environment = {**self.stack.service_environment(service), "HTTP_PORT": str(port)}
        with (self._folder / "logs" / f"storm-{service_name}.log").open("ab") as output:
            self._storm.append(
                subprocess.Popen(
                    service_command(service),
                    cwd=ROOT,
                    env={**os.environ, **environment},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )

    def leave(self, number: signal.Signals) -> None:
        """The replica that joined last goes: SIGTERM drains it, SIGKILL does not."""
        process = self._storm.pop()
        process.send_signal(number)
        process.wait(40)

    def calm(self) -> None:
        """No more replicas than before."""
        while self._storm:
            self.leave(signal.SIGKILL)

    def _operator(self) -> dict[str, str]:
        context = Context(None, None, OPERATOR, CLOCK.now() + timedelta(seconds=2 * ORDER_S))
        return {"basalt-context": sign(context, self.stack.secret().encode())}

    async def _ready(self, name: str) -> None:
        url = f"{self.stack.url(name)}/readyz"
        while True:
            try:
                answer = await self._http.get(url)
                if answer.status_code == 200:
                    self._reasons.pop(name, None)
                    return
                self._reasons[name] = answer.text[:300]
            except httpx.HTTPError as error:
                self._reasons[name] = type(error).__name__
            await asyncio.sleep(POLL_S)


def _free_ports() -> Ports:
    """`BASALT_PORT_BASE`, or a base of which nothing is in use."""
    if "BASALT_PORT_BASE" in os.environ:
        return Ports.from_environment()
    for base in range(24_000 + os.getpid() % 200 * 50, 60_000, 50):
        if not any(accepts(base + offset) for offset in range(16)) and _bindable(base):
            return Ports(base)
    raise RuntimeError("no free ports")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
