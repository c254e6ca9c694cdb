"""Five-step sagas: throughput and latency, orchestrator and participant in processes of their own.

figures = measure(postgres_url, kafka_bootstrap, total=20_000, in_flight=2_000)
{"sagas_per_s", "p50_ms", "p99_ms", "orchestrator_cpu_ms", "participant_cpu_ms", ...}
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import services.orchestrator
from chassis.clock import new_id
from chassis.stores.migrate import migrate, migrations_of
from tests.bench.usage import cpu_s, tree_cpu_s

ROOT = Path(__file__).parents[2]
PARTITIONS = 6
TOPICS = (
    "cmd.dummy.v1",
    "cmd.orchestrator.v1",
    "reply.orchestrator.v1",
    "dummy.thing.v1",
    "orchestrator.saga.v1",
    "dlq.orchestrator",
    "dlq.dummy",
)
PARTICIPANT = "tests.bench.saga.participant.main"
ORCHESTRATOR = "tests.bench.saga.orchestrator"
STOP_S = 30

Filling = Callable[[str], Coroutine[Any, Any, None]]


def measure(
    postgres_url: str,
    kafka_bootstrap: str,
    *,
    total: int,
    in_flight: int,
    seconds_max: int = 300,
    profile: str = "",
    servers: Mapping[str, int] | None = None,
    filled: Filling | None = None,
    pairs: int = 1,
) -> dict[str, float]:
    """Run `total` sagas, `in_flight` at a time; ms, CPU in ms per saga. `postgres_url`: of an
    administrator. `profile`: a path for where time goes. `servers`: names and pids whose CPU is
    told. `filled` puts rows in first. `pairs`: replicas of both, the load is shared."""
    pids, warm = servers or {}, min(200, total)
    load = _share(pairs, total=total, in_flight=in_flight, warm=warm)
    with arena(postgres_url, kafka_bootstrap) as place:
        if filled is not None:
            asyncio.run(filled(place.url("orchestrator")))
        settings, others = _environments(place, load, profile)
        with _processes(PARTICIPANT, others, pairs) as participants:
            began = {name: tree_cpu_s(pid) for name, pid in pids.items()}
            with _processes(ORCHESTRATOR, settings, pairs) as orchestrators:
                told = [json.loads(_line(each, seconds_max)) for each in orchestrators]
                used = {n: tree_cpu_s(pid) - began[n] for n, pid in pids.items()}
            cpu = sum(cpu_s(each.pid) for each in participants)
        seconds = max(each["ended"] for each in told) - min(each["began"] for each in told)
        latency = asyncio.run(_latency(place.url("orchestrator"), total))
        if pairs > 1:
            asyncio.run(_exact(place.url("dummy"), total + warm))
    return {
        "sagas_per_s": total / seconds,
        **latency,
        "orchestrator_cpu_ms": 1000 * sum(each["cpu_s"] for each in told) / total,
        "participant_cpu_ms": 1000 * cpu / total,
        **{f"{name}_cpu_ms": 1000 * seconds / total for name, seconds in used.items()},
    }


def _share(pairs: int, **load: int) -> dict[str, int]:
    """Of each of the replicas."""
    share = {name: number // pairs for name, number in load.items()}
    return share | {"replicas": pairs, "batch": min(64, share["in_flight"])}


def _environments(
    place: "Arena", load: Mapping[str, int], profile: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Of an orchestrator with its load, and of a participant."""
    settings, others = place.environment("orchestrator"), place.environment("dummy")
    settings["LOAD"] = json.dumps(load)
    if profile:
        settings["PROFILE"], others["PROFILE"] = f"{profile}.orchestrator", f"{profile}.dummy"
    return settings, others


class Arena:
    """Databases and topics of one run."""

    def __init__(self, postgres_url: str, kafka_bootstrap: str) -> None:
        self._server = postgres_url.rsplit("/", 1)[0]
        self.admin_url = postgres_url
        self.kafka = kafka_bootstrap
        self.suffix = new_id().hex[-12:]

    def url(self, service: str) -> str:
        return f"{self._server}/{service}_{self.suffix}"

    def environment(self, service: str, **extra: str) -> dict[str, str]:
        """What a process of this service reads."""
        return {
            **os.environ,
            "POSTGRES_URL": self.url(service),
            "KAFKA_BOOTSTRAP": self.kafka,
            "CONTEXT_KEY": "only-for-benchmarks-and-tests",
            "HTTP_PORT": "0",
            "LOG_LEVEL": "warning",
            "PYTHONPATH": str(ROOT),
            **extra,
        }


@contextmanager
def arena(postgres_url: str, kafka_bootstrap: str) -> Iterator[Arena]:
    """Fresh databases and empty topics, gone afterwards."""
    place = Arena(postgres_url, kafka_bootstrap)
    asyncio.run(_set_up(place))
    try:
        yield place
    finally:
        asyncio.run(_tear_down(place))


@contextmanager
def process(module: str, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A service in a process of its own; stopped by its pid."""
    started = subprocess.Popen(
        [sys.executable, "-m", module],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(STOP_S)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait(STOP_S)


def _line(process: "subprocess.Popen[str]", seconds_max: int) -> str:
    """The figures; what else the process says goes to stderr."""
    assert process.stdout is not None, "its stdout is a pipe"
    import threading

    watchdog = threading.Timer(seconds_max, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith('{"began"'):
                return line
            print(line, end="", file=sys.stderr)
    finally:
        watchdog.cancel()
    raise RuntimeError("the orchestrator ended without figures")


async def _latency(url: str, total: int) -> dict[str, float]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        row = await connection.fetchrow(
            "SELECT count(*) AS ended, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,"
            " percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99 FROM ("
            " SELECT extract(epoch FROM updated_at - started_at)::float8 * 1000 AS ms"
            " FROM saga_instance WHERE status = 'COMPLETED' ORDER BY id DESC LIMIT $1) AS s",
            total,
        )
    finally:
        await connection.close()
    assert row["ended"] == total, f"{row['ended']} of {total} sagas completed"
    return {"p50_ms": row["p50"], "p99_ms": row["p99"]}


@contextmanager
def _processes(
    module: str, environment: dict[str, str], count: int
) -> Iterator[list["subprocess.Popen[str]"]]:
    """Replicas of one service."""
    with ExitStack() as stack:
        yield [stack.enter_context(process(module, environment)) for _ in range(count)]


async def _exact(url: str, sagas: int) -> None:
    """Every command of every saga had its effect, once."""
    once = {f"{verb}Thing": 1 for verb in ("Take", "Wash", "Paint", "Sell", "Ship")}
    connection = await asyncpg.connect(url, timeout=10)
    try:
        sql = "SELECT count(*) FROM thing WHERE state->'effects' = $1::text::jsonb"
        exact = await connection.fetchval(sql, json.dumps(once), timeout=60)
        things = await connection.fetchval("SELECT count(*) FROM thing", timeout=60)
    finally:
        await connection.close()
    assert (exact, things) == (sagas, sagas), f"{exact} exact of {things} things, {sagas} sagas"


async def _set_up(place: Arena) -> None:
    admin = await asyncpg.connect(place.admin_url, timeout=10)
    for service in ("orchestrator", "dummy"):
        name = place.url(service).rsplit("/", 1)[1]
        await admin.execute(f"CREATE DATABASE {name}", timeout=60)
    await admin.close()
    folders = {
        "orchestrator": Path(services.orchestrator.__file__ or "").parent,
        "dummy": Path(__file__).parent / "saga" / "participant",
    }
    for service, folder in folders.items():
        await migrate(place.url(service), migrations_of(folder))
    kafka = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await kafka.start()
    try:
        await kafka.create_topics([NewTopic(name, PARTITIONS, 1) for name in TOPICS])
    finally:
        await kafka.close()


async def _tear_down(place: Arena) -> None:
    kafka = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await kafka.start()
    try:
        await kafka.delete_topics(list(TOPICS))
    finally:
        await kafka.close()
    admin = await asyncpg.connect(place.admin_url, timeout=10)
    for service in ("orchestrator", "dummy"):
        name = place.url(service).rsplit("/", 1)[1]
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", timeout=60)
    await admin.close()


def main(arguments: list[str]) -> dict[str, Any]:
    """`python -m tests.bench.saga_throughput [total] [in_flight]` on servers of its own."""
    from tests.servers import Servers

    total, in_flight = (int(text) for text in (arguments + ["20000", "2000"][len(arguments) :]))
    servers = Servers()
    try:
        postgres = f"{servers.postgres_url}/postgres"
        return measure(
            postgres,
            servers.kafka_bootstrap,
            total=total,
            in_flight=in_flight,
            profile=os.environ.get("PROFILE_TO", ""),
            servers={name: servers.pid(name) for name in ("postgres", "kafka")},
        )
    finally:
        servers.close()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=1))
