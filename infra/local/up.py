"""The stack from the command line: `python -m infra.local.up up|down|status|logs|restart|reset`.

`up` starts what does not run, waits until everything is healthy, runs the golden journey, and says
where the time went. Safe to repeat; with `BASALT_PORT_BASE` and `BASALT_DATA` several run beside
each other.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from infra.local import compose
from infra.local.places import ROOT, Unfit, complain, demand_disk
from infra.local.servers import accepts
from infra.local.stack import SERVICES, Stack, here
from infra.local.supervisor import Process, Supervisor

HEALTHY_TIMEOUT_S = 120
JOURNEY_TIMEOUT_S = 180
POLL_S = 0.1


class Times:
    """Where the time went: a line per phase."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._phases: list[tuple[str, float]] = []

    def phase(self, name: str) -> None:
        now = time.monotonic()
        self._phases.append((name, now - self._last))
        self._last = now

    def show(self) -> None:
        total = sum(seconds for _, seconds in self._phases)
        for name, seconds in [*self._phases, ("in all", total)]:
            print(f"  {name:<28} {seconds:6.1f} s")


def up(stack: Stack) -> None:
    """Start, wait, prove, tell."""
    times = Times()
    supervisor = Supervisor(stack)
    if supervisor.running:
        print(
            "the stack runs already, with the settings of its start (other ones: make down first)"
        )
    else:
        _demand_ports(stack)
        demand_disk(stack.data)
        _make(stack)
        times.phase("data folders")
        supervisor.start(compose.write(stack))
        times.phase("supervisor started")
    _await_healthy(stack, supervisor, times)
    if (ROOT / "tools" / "journey").exists():
        journey(stack)
        times.phase("golden journey")
    tell(stack, supervisor, times)


def _demand_ports(stack: Stack) -> None:
    wanted = {server.name: server.port for server in stack.servers()}
    wanted |= {service.name: stack.port(service) for service in SERVICES}
    for name, port in wanted.items():
        if accepts(port):
            raise Unfit(
                f"port {port} ({name}) is taken by another program: stop it, or choose other"
                f" ports, e.g. BASALT_PORT_BASE={stack.ports.base + 100} make up"
            )


def _make(stack: Stack) -> None:
    """The folders of the servers, at the same time."""
    (stack.data / "logs").mkdir(parents=True, exist_ok=True)
    stack.data.chmod(0o711)  # the server user passes through
    (stack.data / "servers").mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        for outcome in [pool.submit(server.prepare) for server in stack.servers()]:
            outcome.result()


def _await_healthy(stack: Stack, supervisor: Supervisor, times: Times) -> None:
    """Wait for the ports of the servers, then for each process to be ready."""
    deadline = time.monotonic() + HEALTHY_TIMEOUT_S
    for server in stack.servers():
        while not accepts(server.port):
            _demand_time(deadline, f"{server.name} does not answer on {server.port}", stack)
    times.phase("servers accept")
    for service in (each for each in SERVICES if here(each)):
        while not _ready(stack.url(service.name)):
            _demand_time(deadline, f"{service.name} is not ready", stack)
    times.phase("services ready")
    lost = [each.name for each in supervisor.processes() if each.status in ("Failed", "Error")]
    if lost:
        raise Unfit(f"{', '.join(lost)} ended: make logs S={lost[0]}")


def _demand_time(deadline: float, complaint: str, stack: Stack) -> None:
    if time.monotonic() > deadline:
        raise Unfit(f"{complaint} after {HEALTHY_TIMEOUT_S} s: see {stack.data}/logs")
    time.sleep(POLL_S)


def _ready(url: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{url}/readyz", timeout=5.0).status_code == 200
    except httpx.HTTPError:
        return False


def journey(stack: Stack, arguments: tuple[str, ...] = ()) -> None:
    """Run the golden journey against the stack, through its gateway. Unfit when it fails."""
    environment = {**os.environ, **stack.urls(), "GATEWAY_URL": stack.url("gateway")}
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "tools.journey", *arguments],
        cwd=ROOT,
        env=environment,
        timeout=JOURNEY_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise Unfit("the golden journey failed: see its last line above, and make logs S=gateway")


def tell(stack: Stack, supervisor: Supervisor, times: Times) -> None:
    """URLs, times, memory."""
    memory = sum(process.memory_bytes for process in supervisor.processes())
    print("where the time went")
    times.show()
    print(f"memory in all: {memory / 1024**3:.2f} GiB")
    print(f"GraphQL   {stack.url('gateway')}/graphql")
    for name, url in stack.urls().items():
        print(f"{name:<16} {url.split('@')[-1] if name in stack.external else url}")
    print("make status | make logs S=gateway | make restart S=billing | make down")


def status(stack: Stack) -> None:
    """A line per process."""
    supervisor = Supervisor(stack)
    if not supervisor.running:
        raise Unfit("the stack does not run: make up")
    for process in supervisor.processes():
        print(_line(process))


def _line(process: Process) -> str:
    memory = f"{process.memory_bytes / 1024**2:.0f} MiB"
    state = "ready" if process.well else f"{process.status}, {process.ready}"
    return (
        f"{process.name:<16} {state:<22} pid {process.pid:<8} {memory:>9} {process.restarts}x again"
    )


def down(stack: Stack) -> None:
    """Stop everything that `up` started."""
    supervisor = Supervisor(stack)
    if supervisor.running:
        supervisor.stop()
    print("stopped")


def reset(stack: Stack) -> None:
    """Stop, and forget all data."""
    down(stack)
    if stack.data.exists():
        shutil.rmtree(stack.data)
    print(f"removed {stack.data}")


def logs(stack: Stack, name: str) -> None:
    """Follow one log, or show where they all are."""
    folder = stack.data / "logs"
    if not name:
        print("\n".join(sorted(str(file) for file in folder.glob("*.log"))) or "no logs yet")
        return
    file = folder / f"{name}.log"
    if not file.exists():
        known = ", ".join(sorted(each.stem for each in folder.glob("*.log")))
        raise Unfit(f"there is no log of {name}: choose one of {known}")
    os.execvp("tail", ["tail", "-n", "100", "-F", str(file)])  # noqa: S606, S607


def restart(stack: Stack, name: str) -> None:
    """Restart one process."""
    supervisor = Supervisor(stack)
    if not supervisor.running:
        raise Unfit("the stack does not run: make up")
    known = [process.name for process in supervisor.processes()]
    if name not in known:
        raise Unfit(f"there is no process {name!r}: make restart S= one of {', '.join(known)}")
    supervisor.restart(name)
    print(f"{name} restarted")


WHOLE: dict[str, Callable[[Stack], None]] = {
    "up": up,
    "down": down,
    "status": status,
    "reset": reset,
    "journey": lambda stack: journey(stack, ("--mirrors",)),
}
ONE = {"logs": logs, "restart": restart}


def main() -> None:
    """Parse and run; what can't be done is one line with the remedy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=(*WHOLE, *ONE))
    parser.add_argument("name", nargs="?", default="")
    given = parser.parse_args()
    try:
        stack = Stack.from_environment()
        if given.verb in ONE:
            ONE[given.verb](stack, given.name)
        else:
            WHOLE[given.verb](stack)
    except Unfit as unfit:
        complain(unfit)


if __name__ == "__main__":
    main()
