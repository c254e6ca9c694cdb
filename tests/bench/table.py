"""Measurements, their table and their file."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from chassis.clock import SystemClock

RESULTS = Path(__file__).parents[2] / "bench-results"
PACKAGES = ("aiokafka", "asyncpg", "dbos", "faststream", "pydantic", "restate-sdk", "uvloop")


@dataclass(frozen=True)
class Measurement:
    """Ours against a peer or a limit, of the same run; None where nobody is compared with.
    `settings` says how it was taken."""

    what: str
    ours: float
    peer: float | None
    unit: str
    against: str
    settings: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None


def show(measurements: Sequence[Measurement]) -> str:
    """The table: more is better, except for times."""
    head = f"{'what':<42} {'ours':>10} {'peer':>10} {'ratio':>7}  {'unit':<9} against"
    return "\n".join([head, *map(_line, measurements)])


def _line(m: Measurement) -> str:
    against = f"{'-':>10} {'-':>7}"
    if m.peer is not None and m.ratio is not None:
        against = f"{m.peer:>10,.2f} {m.ratio:>7.2f}"
    return f"{m.what:<42} {m.ours:>10,.2f} {against}  {m.unit:<9} {m.against}"


def write(measurements: Sequence[Measurement], postgres: str) -> Path:
    """The same as JSON, with versions; `postgres` is the server's."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "latest.json"
    content = {
        "at": SystemClock().now().isoformat(),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load_average_at_end": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {
            "python": platform.python_version(),
            "postgres": postgres,
            **{package: version(package) for package in PACKAGES},
        },
        "measurements": [{**asdict(m), "ratio": m.ratio} for m in measurements],
    }
    file.write_text(json.dumps(content, indent=1))
    return file
