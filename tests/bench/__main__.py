"""`make bench`: ratios against peers and physical limits, all of one run on one machine.

Progress goes to stderr; a table to stdout and the same as JSON to bench-results/latest.json. There
are no pass marks: figures of a busy machine mean little, ratios of one run mean more.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Mapping

import uvloop

from tests.bench import saga_dbos, saga_throughput
from tests.bench.events import outbox_to_inbox
from tests.bench.imports import import_files
from tests.bench.messages import row_and_outbox
from tests.bench.table import Measurement, show, write
from tests.servers import Servers

SAGAS_ALONE = 100
SAGAS = {64: 3_000, 512: 8_000, 2_000: 16_000}
DBOS = {4: 200, 16: 400, 64: 400}


def sagas(postgres_url: str, kafka: str) -> list[Measurement]:
    """Five steps each: alone, and at each one's best number in flight."""

    def ours(total: int, in_flight: int) -> dict[str, float]:
        say(f"sagas, {in_flight} in flight")
        return saga_throughput.measure(postgres_url, kafka, total=total, in_flight=in_flight)

    def dbos(total: int, in_flight: int) -> dict[str, float]:
        say(f"DBOS, {in_flight} in flight")
        return saga_dbos.measure(postgres_url, total=total, in_flight=in_flight)

    alone, best = ours(SAGAS_ALONE, 1), _best(ours, SAGAS)
    peer_alone, peer = dbos(SAGAS_ALONE, 1), _best(dbos, DBOS)
    against = "DBOS 3.4, same Postgres"
    how = f"in flight: {best['in_flight']:.0f} ours, {peer['in_flight']:.0f} DBOS"
    rate, peer_rate = best["sagas_per_s"], peer["sagas_per_s"]
    return [
        Measurement("five-step saga, throughput", rate, peer_rate, "sagas/s", against, how),
        *(
            Measurement(
                f"five-step saga alone, {p}", alone[f"{p}_ms"], peer_alone[f"{p}_ms"], "ms", against
            )
            for p in ("p50", "p99")
        ),
        *(
            Measurement(f"CPU of a saga, {who}", best[f"{who}_cpu_ms"], 0.0, "ms", "nothing")
            for who in ("orchestrator", "participant")
        ),
    ]


def _best(
    measure: Callable[[int, int], dict[str, float]], loads: Mapping[int, int]
) -> dict[str, float]:
    """Of several numbers in flight, the one with the most sagas a second."""
    found = [{**measure(total, n), "in_flight": n} for n, total in loads.items()]
    return max(found, key=lambda figures: figures["sagas_per_s"])


def say(what: str) -> None:
    """Progress."""
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("sagas", "messages", "imports"))
    only = parser.parse_args().only
    began = time.perf_counter()
    measurements: list[Measurement] = []
    servers = Servers()
    try:
        postgres, kafka = f"{servers.postgres_url}/postgres", servers.kafka_bootstrap
        if only in (None, "sagas"):
            measurements += sagas(postgres, kafka)
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        if only in (None, "messages"):
            say("row + outbox")
            measurements += asyncio.run(row_and_outbox(postgres, kafka))
            say("outbox to inbox")
            measurements += asyncio.run(outbox_to_inbox(postgres, kafka))
        if only in (None, "imports"):
            say("import")
            measurements += asyncio.run(import_files(postgres, servers.mongo_url))
    finally:
        servers.close()
    print(show(measurements))
    print(f"{write(measurements)}, after {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
