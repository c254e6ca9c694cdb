"""process-compose, as `make` uses it: start detached, ask, restart, stop; with deadlines.

Its interface asks for no password, runs any command, and would listen on every network of the
machine. So it is a socket in a folder that only its owner may enter, and no port.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.places import Unfit
from infra.local.prepare import binaries
from infra.local.stack import Stack

CALL_TIMEOUT_S = 40
SOCKET_PATH_MAX = 100
"""Bytes; the kernel's own limit is a little above."""


@dataclass(frozen=True)
class Process:
    """A supervised process as process-compose lists it."""

    name: str
    pid: int
    status: str
    ready: str
    restarts: int
    exit_code: int
    memory_bytes: int

    @property
    def well(self) -> bool:
        """Ready, or done."""
        done = self.status == "Completed" and self.exit_code == 0
        return done or (self.status == "Running" and self.ready in ("Ready", "-"))


class Supervisor:
    """The process-compose of one stack; it listens on a socket in the stack's data folder."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._socket = stack.data / "supervisor" / "control.sock"
        if len(os.fsencode(self._socket)) > SOCKET_PATH_MAX:
            raise Unfit(
                f"the path {stack.data} is too long for a socket: choose a shorter BASALT_DATA"
            )

    @property
    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(str(self._socket)) == 0

    def start(self, file: Path) -> None:
        """Start it and everything in the file, detached; wait until it answers."""
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)  # one that was killed leaves its own
        log = self._stack.data / "logs" / "supervisor.log"
        self._call(
            [
                "-f",
                str(file),
                "-L",
                str(log),
                "-t=false",
                "up",
                "-D",
                "--keep-project",
                "--ordered-shutdown",
            ],
            PC_DISABLE_TUI="1",
        )
        self._await(running=True)

    def stop(self) -> None:
        """Stop every process in reverse order, then itself. Unfit when it does not end."""
        self._call(["down"])
        self._await(running=False)

    def processes(self) -> list[Process]:
        """What it supervises."""
        listed = json.loads(self._call(["process", "list", "-o", "json"]) or "[]")
        return [
            Process(
                name=each["name"],
                pid=each.get("pid", 0),
                status=each["status"],
                ready=each.get("is_ready", "-"),
                restarts=each.get("restarts", 0),
                exit_code=each.get("exit_code", 0),
                memory_bytes=memory_bytes(_family(each.get("pid", 0))),
            )
            for each in listed
        ]

    def restart(self, name: str) -> None:
        """Restart one process; the others go on."""
        self._call(["process", "restart", name])

    def _await(self, *, running: bool) -> None:
        deadline = time.monotonic() + CALL_TIMEOUT_S
        while self.running is not running:
            if time.monotonic() > deadline:
                log = self._stack.data / "logs" / "supervisor.log"
                raise Unfit(f"the supervisor does not {'answer' if running else 'end'}: see {log}")
            time.sleep(0.05)

    def _call(self, arguments: list[str], **environment: str) -> str:
        command = [str(binaries() / "process-compose"), "-U", "-u", str(self._socket)]
        done = subprocess.run(  # noqa: S603  # our own command
            [*command, *arguments],
            env={**os.environ, "XDG_CONFIG_HOME": str(self._stack.data), **environment},
            cwd=self._stack.data,
            capture_output=True,
            text=True,
            timeout=CALL_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            tail = " ".join((done.stdout + done.stderr).strip().splitlines()[-2:])
            raise Unfit(f"process-compose {' '.join(arguments[-2:])}: {tail}")
        return done.stdout


def memory_bytes(pids: Iterable[int]) -> int:
    """Proportional memory (PSS): shared pages are counted once over all processes."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it ended meanwhile
        found = next((line for line in rollup.splitlines() if line.startswith("Pss:")), "Pss: 0")
        total += int(found.split()[1]) * 1024
    return total


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    if not pid:
        return []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]
