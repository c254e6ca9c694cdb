"""`make mutants`: every mutant must be killed by the simulator within its budget of seeds.

Fresh seeds each time, printed; a survivor makes the exit code 1. `--only TEXT` for some of them.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from chassis.testing.simulation.run import settle_in, simulate
from tests.simulation.mutants import MUTANTS


@dataclass(frozen=True)
class Hunt:
    """What became of one mutant. `seeds` it took, or all of its budget."""

    name: str
    seeds: int
    seed: int
    killed_by: str
    seconds: float

    def __str__(self) -> str:
        if not self.killed_by:
            return f"  {self.name:<32} SURVIVED {self.seeds} seeds, {self.seconds:.0f} s"
        return f"  {self.name:<32} killed by seed {self.seed}, the {self.seeds}.: {self.killed_by}"


def hunt(number: int, base: int) -> Hunt:
    """Seeds from `base` on until the mutant is killed."""
    mutant, began = MUTANTS[number], time.monotonic()
    with mutant.at_work():
        for count, seed in enumerate(range(base, base + mutant.seeds_max), 1):
            found = simulate(mutant.scenarios(seed), seed).violations
            if found:
                took = time.monotonic() - began
                return Hunt(mutant.name, count, seed, str(found[0])[:90], took)
    return Hunt(mutant.name, mutant.seeds_max, base, "", time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--base", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    base = secrets.randbelow(10**9) if given.base is None else given.base
    wanted = [n for n, mutant in enumerate(MUTANTS) if given.only in mutant.name]
    print(f"{len(wanted)} mutants, seeds from {base}")
    context = get_context("spawn")
    survivors = 0
    with ProcessPoolExecutor(given.jobs, mp_context=context, initializer=settle_in) as pool:
        for found in pool.map(hunt, wanted, [base] * len(wanted)):
            print(found, flush=True)
            survivors += not found.killed_by
    print(f"{len(wanted) - survivors} of {len(wanted)} killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
