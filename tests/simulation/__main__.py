"""`python -m tests.simulation`: seeds until so many sagas have run, or until one fails.

`--seeds 17` or `--seeds 100-199` runs exactly these; `--sagas N` as many fresh ones as are needed;
`--saga NAME` only that saga. A failing seed is shrunk and told: exit code 1.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count

from chassis.testing.simulation.run import Totals, shrunk, simulate_many
from chassis.testing.simulation.scenario import Scenario
from chassis.testing.simulation.story import mermaid, story
from tests.simulation.scenarios import ALL, every, one

PROGRESS_S = 5.0
TOLD_MAX = 3


def main() -> int:
    """The exit code."""
    given = _arguments()
    scenarios = partial(one, given.saga) if given.saga else every
    base = secrets.randbelow(10**9) if given.base is None else given.base
    seeds = _seeds(given.seeds) or _enough(scenarios, base, given.sagas)
    print(f"seeds {seeds[0]}-{seeds[-1]}   (again: make sim SEEDS={seeds[0]}-{seeds[-1]})")
    totals, began, shown = Totals(), time.monotonic(), 0.0
    for outcome in simulate_many(scenarios, seeds, jobs=given.jobs):
        totals.add(outcome)
        now = time.monotonic() - began
        if now - shown > PROGRESS_S or totals.failed:
            shown = now
            print(_line(totals, len(seeds), now), flush=True)
        if len(totals.failed) >= TOLD_MAX:
            break
    print(_line(totals, len(seeds), time.monotonic() - began))
    print("  ended    " + ", ".join(f"{name} {n}" for name, n in sorted(totals.sagas.items())))
    print("  faults   " + ", ".join(f"{name} {n}" for name, n in sorted(totals.faults.items())))
    for failed in totals.failed:
        print(f"\nseed {failed.seed}: {len(failed.violations)} violations")
        small = shrunk(scenarios(failed.seed), failed)
        print(story(scenarios(failed.seed), small))
        if given.mermaid:
            print(mermaid(scenarios(failed.seed), small))
    return 1 if totals.failed else 0


def _line(totals: Totals, seeds: int, seconds: float) -> str:
    sagas = totals.sagas.total()
    return (
        f"{totals.seeds}/{seeds} seeds, {sagas} sagas, {totals.faults.total()} faults,"
        f" {totals.seconds / 3600:.1f} virtual hours, {len(totals.failed)} seeds with violations,"
        f" {sagas / max(seconds, 0.001):.0f} sagas/s, {seconds:.0f} s"
    )


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1)) if text else []


def _enough(scenarios: Callable[[int], Scenario], base: int, sagas: int) -> list[int]:
    """Seeds from `base` on whose worlds start so many sagas; real services start more."""
    seeds: list[int] = []
    for seed in count(base):
        if sagas <= 0:
            break
        seeds.append(seed)
        sagas -= scenarios(seed).starts
    return seeds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seeds", default="", help="17 or 100-199; fresh ones otherwise")
    parser.add_argument("--sagas", type=int, default=100_000)
    parser.add_argument("--saga", choices=sorted(ALL), default="")
    parser.add_argument("--base", type=int, help="the first of the fresh seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mermaid", action="store_true", help="draw what failed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
