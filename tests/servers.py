"""Real servers for tests: each started when first asked for, on its own port and folder.

They run beside a `make up` stack and are stopped by pid at the end of the run.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from infra.local.prepare import postgres_home, prepare
from infra.local.servers import (
    Started,
    accepts,
    ferretdb,
    free_ports,
    kafka,
    payments,
    postgres,
    start,
    valkey,
)

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
POSTGRES = ("postgres", "mongo_store")


class Servers:
    """The servers of one test run. Names: postgres, kafka, mongo (and its mongo_store), redis,
    payments."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._ports: dict[str, int] = {}
        self._running: dict[str, Started] = {}

    @property
    def postgres_url(self) -> str:
        """An administrator's URL, without a database."""
        return f"postgresql://postgres@127.0.0.1:{self._ready('postgres')}"

    @property
    def kafka_bootstrap(self) -> str:
        return f"127.0.0.1:{self._ready('kafka')}"

    @property
    def mongo_url(self) -> str:
        return f"mongodb://127.0.0.1:{self._ready('mongo')}/"

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self._ready('redis')}/0"

    @property
    def payments_url(self) -> str:
        """The payment provider for development."""
        return f"http://127.0.0.1:{self._ready('payments')}"

    def pid(self, name: str) -> int:
        """The process of a running server."""
        return self._running[name].process.pid

    def kill9(self, name: str) -> None:
        """Kill without warning, children that have left its group (PostgreSQL's) too: while one of
        them lives, the server cannot be started again."""
        started = self._running.pop(name)
        pid = started.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.killpg(pid, signal.SIGKILL)
        started.process.wait(STOP_TIMEOUT_S)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        until = time.monotonic() + STOP_TIMEOUT_S
        while any(map(_lives, children)) and time.monotonic() < until:
            time.sleep(0.01)

    def restart(self, name: str) -> None:
        """Stop it if it runs; start it again on the same port and folder; wait until ready."""
        if name in self._running:
            self._stop(name)
        self._ready(name)

    def freeze(self, name: str) -> None:
        """Stop the process in its tracks (SIGSTOP)."""
        os.killpg(self.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on (SIGCONT)."""
        os.killpg(self.pid(name), signal.SIGCONT)

    def close(self) -> None:
        """Kill everything, by pid (the data goes anyway), and remove the folder."""
        for name in reversed(list(self._running)):
            self.kill9(name)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self, name: str) -> None:
        started = self._running.pop(name)
        fast = signal.SIGINT if name in POSTGRES else signal.SIGTERM  # don't wait for its clients
        started.process.send_signal(fast)
        try:
            started.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait(STOP_TIMEOUT_S)

    def _ready(self, name: str) -> int:
        """The port of a server that accepts connections; it is started when it does not run."""
        if self._folder is None:
            prepare()
            self._folder = Path(tempfile.mkdtemp(prefix="basalt-test-"))
            self._folder.chmod(0o755)
            names = (
                *("postgres", "kafka", "controller", "mongo", "mongo_store", "redis"),
                "payments",
            )
            self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        if name not in self._running:
            self._start(name, self._folder)
        return self._ports[name]

    def _start(self, name: str, folder: Path) -> None:
        port, home = self._ports[name], folder / name
        if name == "mongo":
            self._ready("mongo_store")
        make = {
            "postgres": lambda: postgres(name, port, home, memory_mb=256, connections=300),
            "mongo_store": lambda: postgres(name, port, home, memory_mb=64, connections=50),
            "kafka": lambda: kafka(port, self._ports["controller"], home),
            "mongo": lambda: ferretdb(port, self._ports["mongo_store"], home),
            "redis": lambda: valkey(port, home),
            "payments": lambda: payments(port, home),
        }
        log = folder / f"{name}.log"
        self._running[name] = start(make[name](), log)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not accepts(port):
            process = self._running[name].process
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        if name in POSTGRES:
            _await_postgres(port, deadline)


def _await_postgres(port: int, deadline: float) -> None:
    """A port that accepts may still answer "starting up": ask it something."""
    ask = [f"{postgres_home()}/bin/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ask, timeout=10, check=False).returncode:
        if time.monotonic() > deadline:
            raise RuntimeError("postgres accepts connections, and no questions")
        time.sleep(0.05)


def _lives(pid: str) -> bool:
    """Whether it is there, and not only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
