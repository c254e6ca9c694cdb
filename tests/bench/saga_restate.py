"""The same five steps with Restate, on the same PostgreSQL: its server (npm), its service (Python).

    with restate(postgres_url) as peer:
        figures = peer.measure(total=400, in_flight=16)

The server keeps its default, durable settings. Steps write to PostgreSQL, as the participant of the
saga does. `Missing` says why there is no Restate here.
"""

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import asyncpg

from chassis.clock import SystemClock, new_id
from infra.local.servers import free_ports

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-bench" / "restate"
VERSION = "1.7.12"
START_S = 30.0
STOP_S = 10.0
SECONDS_MAX = 120.0
INSTALL_S = 300.0
WARM = 20


class Missing(Exception):
    """Restate cannot be had on this machine, and why."""


class Peer:
    """A running Restate with the service of five steps."""

    def __init__(self, ingress: str) -> None:
        self._url = f"{ingress}/trade/run"

    def measure(self, *, total: int, in_flight: int) -> dict[str, float]:
        """Run `total` sagas, `in_flight` at a time. Times in ms, as the caller sees them."""
        return asyncio.run(self._measure(total, in_flight))

    async def _measure(self, total: int, in_flight: int) -> dict[str, float]:
        connector = aiohttp.TCPConnector(limit=in_flight)
        wait = aiohttp.ClientTimeout(total=SECONDS_MAX)
        async with aiohttp.ClientSession(connector=connector, timeout=wait) as session:
            await self._run(session, WARM, min(in_flight, WARM))
            began = time.perf_counter()
            times = await self._run(session, total, in_flight)
            seconds = time.perf_counter() - began
        cuts = statistics.quantiles(times, n=100)
        return {"sagas_per_s": total / seconds, "p50_ms": cuts[49], "p99_ms": cuts[98]}

    async def _run(self, session: aiohttp.ClientSession, total: int, in_flight: int) -> list[float]:
        left, times = iter(range(total)), list[float]()

        async def worker() -> None:
            for _ in left:
                began = time.perf_counter()
                async with session.post(self._url, json=str(new_id())) as answer:
                    answer.raise_for_status()
                    assert await answer.json() == 5, "all steps are done"
                times.append((time.perf_counter() - began) * 1000)

        async with asyncio.timeout(SECONDS_MAX):
            await asyncio.gather(*(worker() for _ in range(in_flight)))
        return times


@contextmanager
def restate(postgres_url: str) -> Iterator[Peer]:
    """A server and a service of its own, gone afterwards. Raises Missing."""
    server = _installed()
    database = f"restate_{new_id().hex[-12:]}"
    url = f"{postgres_url.rsplit('/', 1)[0]}/{database}"
    folder = Path(tempfile.mkdtemp(prefix="basalt-restate-"))
    ingress, admin, node, port = free_ports(4)
    asyncio.run(_administer(postgres_url, f"CREATE DATABASE {database}"))
    try:
        asyncio.run(_administer(url, "CREATE TABLE thing (id text PRIMARY KEY, stage int)"))
        with (
            _process([str(server)], _settings(folder, ingress, admin, node)),
            _process(
                [sys.executable, "-m", "tests.bench.saga.restate_process"],
                {"POSTGRES_URL": url, "PORT": str(port), "PYTHONPATH": str(ROOT)},
            ),
        ):
            asyncio.run(_register(f"http://127.0.0.1:{admin}", f"http://127.0.0.1:{port}"))
            yield Peer(f"http://127.0.0.1:{ingress}")
    finally:
        asyncio.run(_administer(postgres_url, f"DROP DATABASE {database} WITH (FORCE)"))
        shutil.rmtree(folder, ignore_errors=True)


def _installed() -> Path:
    """The server's binary, from npm into the environment of the bench. Raises Missing."""
    packages = HOME / "node_modules" / "@restatedev"
    found = next(packages.glob("restate-server-*/bin/restate-server"), None)
    if found is not None:
        return found
    if shutil.which("npm") is None:
        raise Missing("npm is not installed")
    HOME.mkdir(parents=True, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    wanted = f"@restatedev/restate-server@{VERSION}"
    done = subprocess.run(
        ["npm", "install", "--prefix", str(HOME), *quiet, wanted],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    found = next(packages.glob("restate-server-*/bin/restate-server"), None)
    if done.returncode or found is None:
        raise Missing(f"npm could not install it (exit {done.returncode})")
    return found


def _settings(folder: Path, ingress: int, admin: int, node: int) -> dict[str, str]:
    """Addresses and a folder only: how it stores and how it syncs is left as it comes."""
    here = "127.0.0.1"
    return {
        "RESTATE_BASE_DIR": str(folder),
        "RESTATE_INGRESS__BIND_ADDRESS": f"{here}:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"{here}:{admin}",
        "RESTATE_BIND_ADDRESS": f"{here}:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://{here}:{node}",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
    }


@contextmanager
def _process(command: list[str], settings: Mapping[str, str]) -> Iterator[None]:
    started = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait(STOP_S)


async def _register(admin: str, service: str) -> None:
    """Tell the server of the service, as soon as both answer."""
    async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(f"{admin}/deployments", json={"uri": service}) as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await SystemClock().sleep(0.2)


async def _administer(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(sql, timeout=60)
    finally:
        await connection.close(timeout=5)
