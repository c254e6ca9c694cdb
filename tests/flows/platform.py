"""The platform as processes: two replicas of every service on the test run's own servers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra.local.places import ROOT, Ports
from infra.local.servers import accepts
from infra.local.stack import SERVICES, Service, Stack, service_command
from tests.servers import Servers

READY_TIMEOUT_S = 90
STOP_TIMEOUT_S = 40
REPLICAS = 2
POLL_S = 0.05


def await_true(condition: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Wait for a condition; AssertionError that says what did not come true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s} s still not: {what}"
        time.sleep(POLL_S)


@dataclass
class Platform:
    """Start it once; kill and restart parts of it at will."""

    servers: Servers
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="basalt-flow-")))
    processes: dict[tuple[str, int], "subprocess.Popen[bytes]"] = field(default_factory=dict)
    replicas: int = REPLICAS

    def __post_init__(self) -> None:
        self.stack = Stack(
            self.folder,
            _free_ports(),
            {
                "POSTGRES_URL": f"{self.servers.postgres_url}/postgres",
                "KAFKA_BOOTSTRAP": self.servers.kafka_bootstrap,
                "MONGO_URL": self.servers.mongo_url,
                "REDIS_URL": self.servers.redis_url,
                "PAYMENTS_URL": self.servers.payments_url,
            },
            replicas=self.replicas,
        )

    @property
    def gateway(self) -> str:
        """The gateway's URL."""
        return self.stack.url("gateway")

    def start(self) -> None:
        """Provision, start every replica, wait until all are ready."""
        provision = [sys.executable, "-m", "chassis.provision"]
        environment = {**os.environ, **self.stack.provision_environment()}
        subprocess.run(provision, cwd=ROOT, env=environment, timeout=READY_TIMEOUT_S, check=True)
        for service in SERVICES:
            for replica in range(self.replicas):
                self.start_replica(service.name, replica)
        self.await_ready()

    def start_replica(self, name: str, replica: int) -> None:
        """Start one process; its log goes on where the last one's ended."""
        service = next(each for each in SERVICES if each.name == name)
        with self.log(name, replica).open("ab") as output:
            self.processes[(name, replica)] = subprocess.Popen(
                service_command(service),
                cwd=ROOT,
                env={**os.environ, **self._environment(service)},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill9(self, name: str, replica: int) -> None:
        """Kill without warning."""
        process = self.processes.pop((name, replica))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)

    def await_ready(self) -> None:
        """Every service answers that it is ready, several times over: replicas share a port."""
        for service in SERVICES:
            url = self.stack.url(service.name)
            await_true(lambda url=url: _all_ready(url), f"{url} is ready", READY_TIMEOUT_S)  # type: ignore[misc]

    def log(self, name: str, replica: int) -> Path:
        """Where a replica's JSON lines go."""
        return self.folder / f"{name}-{replica}.log"

    def database_url(self, service: str) -> str:
        """A service's database, to look into."""
        return self.stack.database_url(service)

    def stop(self) -> None:
        """SIGTERM to all, by pid; AssertionError when one does not drain and end with 0."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {}
        for key, process in self.processes.items():
            try:
                codes[key] = process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                codes[key] = -signal.SIGKILL
        self.processes.clear()
        assert set(codes.values()) <= {0}, f"not drained: {codes}"
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self, service: Service) -> dict[str, str]:
        return self.stack.service_environment(service)


def _all_ready(url: str) -> bool:
    """Asked over new connections, so that the kernel's choice meets every replica."""
    try:
        return all(
            httpx.get(f"{url}/readyz", timeout=5).status_code == 200 for _ in range(6 * REPLICAS)
        )
    except httpx.HTTPError:
        return False


def _free_ports() -> Ports:
    """A base of which none of the stack's ports is in use."""
    offsets = [service.port_offset for service in SERVICES]
    for base in range(23_000 + os.getpid() % 500 * 20, 60_000, 20):
        if not any(accepts(base + offset) for offset in offsets):
            return Ports(base)
    raise RuntimeError("no free ports")
