"""Measurements, their table and their file."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "bench-results"
PACKAGES = ("aiokafka", "asyncpg", "dbos", "faststream", "pydantic", "uvloop")


@dataclass(frozen=True)
class Measurement:
    """Ours against a peer or a limit, of the same run. `settings` says how it was taken."""

    what: str
    ours: float
    peer: float
    unit: str
    against: str
    settings: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else 0.0


def show(measurements: Sequence[Measurement]) -> str:
    """The table: more is better, except for times."""
    lines = [f"{'what':<46} {'ours':>10} {'peer':>10} {'ratio':>7}  unit      against"]
    lines += [
        f"{m.what:<46} {m.ours:>10,.1f} {m.peer:>10,.1f} {m.ratio:>7.2f}  {m.unit:<9} {m.against}"
        for m in measurements
    ]
    return "\n".join(lines)


def write(measurements: Sequence[Measurement]) -> Path:
    """The same as JSON, with versions."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "latest.json"
    content = {
        "machine": {"cores": len(_cores()), "python": platform.python_version()},
        "versions": {package: version(package) for package in PACKAGES},
        "measurements": [{**asdict(m), "ratio": m.ratio} for m in measurements],
    }
    file.write_text(json.dumps(content, indent=1))
    return file


def _cores() -> set[int]:
    import os

    return os.sched_getaffinity(0)
