"""`make bench`: ratios against peers and physical limits, all of one run on one machine.

Progress goes to stderr; a table to stdout and the same as JSON to bench-results/latest.json. There
are no pass marks: figures of a busy machine mean little, ratios of one run mean more.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import uvloop

from tests.bench import references, saga_dbos, saga_throughput, scale
from tests.bench.asked import through_the_doors
from tests.bench.events import outbox_to_inbox
from tests.bench.heard import outbox_to_inbox_alone
from tests.bench.imports import import_files
from tests.bench.messages import row_and_outbox
from tests.bench.saga_restate import Missing, restate
from tests.bench.table import Measurement, show, write
from tests.servers import Servers

SAGAS_ALONE = 100
SAGAS = {64: 3_000, 512: 8_000, 2_000: 16_000, 4_000: 16_000}
CHECKPOINT_S = 120.0
PARTS = ("sagas", "references", "scale", "replicas", "messages", "imports")
DBOS = {4: 200, 16: 400, 64: 400}
DBOS_PAIR = {8: 400}
"""In two processes: ours has two, so the peer may have them."""
RESTATE = {4: 400, 8: 600, 16: 800, 32: 1_000, 64: 1_000}


def sagas(postgres_url: str, kafka: str) -> list[Measurement]:
    """Five steps each: alone, and at each one's best number in flight."""

    def ours(total: int, in_flight: int) -> dict[str, float]:
        return saga_throughput.measure(postgres_url, kafka, total=total, in_flight=in_flight)

    def dbos(total: int, in_flight: int) -> dict[str, float]:
        return saga_dbos.measure(postgres_url, total=total, in_flight=in_flight)

    def pair(total: int, in_flight: int) -> dict[str, float]:
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: dbos(total // 2, in_flight // 2), range(2)))
        worst = {p: max(figures[p] for figures in both) for p in ("p50_ms", "p99_ms")}
        return {"sagas_per_s": sum(map(_rate, both)), **worst}

    alone, *loaded = _sweep("sagas", ours, {1: SAGAS_ALONE} | SAGAS)
    peer_alone, *peers = _sweep("DBOS", dbos, {1: SAGAS_ALONE} | DBOS)
    peers += _sweep("DBOS, two processes", pair, DBOS_PAIR)
    best, peer = max(loaded, key=_rate), max(peers, key=_rate)
    against = "DBOS 3.4, same Postgres"
    one = f"{SAGAS_ALONE}, one at a time"
    told = f"best of ours {_told(loaded)}; of DBOS {_told(peers)} (the last in two processes)"
    return [
        Measurement("five-step saga", _rate(best), _rate(peer), "sagas/s", against, told),
        *(
            Measurement(f"five-step saga alone, {p}", alone[p], peer_alone[p], "ms", against, one)
            for p in ("p50_ms", "p99_ms")
        ),
        *_against_restate(postgres_url, best, alone),
        *(
            Measurement(f"CPU of a saga, {who}", best[f"{who}_cpu_ms"], None, "ms", "-", told)
            for who in ("orchestrator", "participant")
        ),
    ]


def _against_restate(
    postgres_url: str, best: Mapping[str, float], alone: Mapping[str, float]
) -> list[Measurement]:
    """Nothing, with the reason told, where Restate cannot be had."""

    def one_by_one(total: int, in_flight: int) -> dict[str, float]:
        return peer.measure(total=total, in_flight=in_flight)

    try:
        with restate(postgres_url) as peer:
            peer_alone, *peers = _sweep("Restate", one_by_one, {1: SAGAS_ALONE} | RESTATE)
    except Missing as missing:
        say(f"no Restate: {missing}")
        return [
            Measurement("five-step saga", _rate(best), None, "sagas/s", f"no Restate: {missing}")
        ]
    against, told = "Restate, default settings", f"of Restate {_told(peers)}"
    rate = _rate(max(peers, key=_rate))
    return [
        Measurement("five-step saga", _rate(best), rate, "sagas/s", against, told),
        Measurement(
            "five-step saga alone, p50_ms", alone["p50_ms"], peer_alone["p50_ms"], "ms", against
        ),
    ]


def _sweep(
    who: str, measure: Callable[[int, int], dict[str, float]], loads: Mapping[int, int]
) -> list[dict[str, float]]:
    """The figures at each number in flight, told as they come."""
    found = []
    for in_flight, total in loads.items():
        figures = {**measure(total, in_flight), "in_flight": in_flight, "total": total}
        say(
            f"{who}, {in_flight} in flight: {_rate(figures):,.1f}/s,"
            f" p50 {figures['p50_ms']:,.1f} ms, p99 {figures['p99_ms']:,.1f} ms"
        )
        found.append(figures)
    return found


def _rate(figures: Mapping[str, float]) -> float:
    return figures["sagas_per_s"]


def _told(sweep: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(
        f"{_rate(f):.0f}/s ({f['total']:.0f}, {f['in_flight']:.0f} in flight)" for f in sweep
    )


def _taken(measurements: list[Measurement]) -> list[Measurement]:
    """Told as they come."""
    for m in measurements:
        peer = "-" if m.peer is None else f"{m.peer:,.2f}"
        say(f"{m.what}: {m.ours:,.2f} {m.unit}, {m.against}: {peer}")
    return measurements


def measured(only: str | None, servers: Servers, folder: Path | None) -> list[Measurement]:
    """All of it, or one part. `folder`: of a real app, to ask about who uses whom in it."""
    postgres, kafka = f"{servers.postgres_url}/postgres", servers.kafka_bootstrap
    found: list[Measurement] = []
    if only in (None, "sagas"):
        found += sagas(postgres, kafka)
    if only in (None, "references"):
        files = references.an_app(folder)
        found += _taken(references.graphs(files))
        found += _taken(through_the_doors(files, servers))
    pids = {name: servers.pid(name) for name in ("postgres", "kafka")}
    if only in (None, "scale"):
        found += _taken(scale.beside_many(postgres, kafka, pids))
    if only in (None, "replicas"):
        found += _taken(scale.two_of_each(postgres, kafka, pids))
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    if only in (None, "messages"):
        asyncio.run(_written_out(postgres))
        found += _taken(asyncio.run(row_and_outbox(postgres, kafka)))
        served = _taken(asyncio.run(outbox_to_inbox(postgres, kafka)))
        bare = served[0].peer or 0.0
        found += served
        found += _taken(asyncio.run(outbox_to_inbox_alone(postgres, kafka, pids, bare)))
    if only in (None, "imports"):
        found += _taken(asyncio.run(import_files(postgres, servers.mongo_url)))
    return found


async def _written_out(postgres_url: str) -> None:
    """What the parts before have left is on disk before delays are measured: they wrote millions
    of rows, and that checkpoint is theirs."""
    connection = await asyncpg.connect(postgres_url, timeout=10)
    try:
        await connection.execute("CHECKPOINT", timeout=CHECKPOINT_S)
    finally:
        await connection.close(timeout=5)


async def _version(postgres_url: str) -> str:
    connection = await asyncpg.connect(f"{postgres_url}/postgres", timeout=10)
    try:
        version: str = await connection.fetchval("SHOW server_version", timeout=10)
    finally:
        await connection.close(timeout=5)
    return version


def say(what: str) -> None:
    """Progress."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--app", type=Path, help="a git-synced app's folder; else one is made")
    given = parser.parse_args()
    began = time.perf_counter()
    servers = Servers()
    try:
        measurements = measured(given.only, servers, given.app)
        version = asyncio.run(_version(servers.postgres_url))
    finally:
        servers.close()
    print(show(measurements))
    file = write(measurements, version)
    print(f"{file.relative_to(file.parents[1])}, after {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
