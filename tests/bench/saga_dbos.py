"""The same five steps with DBOS, on the same PostgreSQL: one process, as DBOS runs.

    figures = measure(postgres_url, total=400, in_flight=16)

Each step is a DBOS transaction that writes a row of a table of its own, as the participant of the
saga does; DBOS records the step's outcome in the same transaction.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 300


def measure(postgres_url: str, *, total: int, in_flight: int) -> dict[str, float]:
    """Run `total` workflows, `in_flight` at a time. Times in ms. Needs an administrator's URL."""
    environment = {
        **os.environ,
        "DBOS_URL": postgres_url,
        "LOAD": json.dumps({"total": total, "in_flight": in_flight}),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.saga.dbos_process"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"sagas_per_s"')]
    if not lines:
        raise RuntimeError(f"DBOS gave no figures:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(lines[0])
    return figures


if __name__ == "__main__":
    from tests.servers import Servers

    servers = Servers()
    try:
        url = f"{servers.postgres_url}/postgres"
        for in_flight in (1, 4, 16, 64):
            total = 60 if in_flight == 1 else 400
            print(in_flight, json.dumps(measure(url, total=total, in_flight=in_flight)), flush=True)
    finally:
        servers.close()
