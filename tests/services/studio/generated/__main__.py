"""`python -m tests.services.studio.generated --apps 2000 [--seed 5] [--size 20]`: more apps than
the tests make. The first that breaks a property is told with its seed; exit code 1."""

import argparse
import secrets
import sys

from tests.services.studio.generated.plans import a_plan
from tests.services.studio.generated.properties import check_references, check_renames

FORMATS = (2, 3, 4, 5)
TOLD_EVERY = 100


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="generated", description=__doc__)
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="of the first app; a fresh one without it")
    parser.add_argument("--size", type=int, default=5, help="about how many of each kind on a page")
    given = parser.parse_args()
    first = secrets.randbelow(10**9) if given.seed is None else given.seed
    print(f"seeds from {first}")
    references = renames = 0
    for number in range(given.apps):
        seed, version = first + number // len(FORMATS), FORMATS[number % len(FORMATS)]
        plan = a_plan(seed, version, given.size)
        try:
            references += check_references(plan, f"seed {seed}, format {version}")
            renames += check_renames(plan, f"seed {seed}, format {version}")
        except AssertionError as broken:
            print(f"broken: {broken}")
            return 1
        if number % TOLD_EVERY == TOLD_EVERY - 1:
            print(f"{number + 1} apps, {references} references, {renames} renames", flush=True)
    print(f"{given.apps} apps, {references} references, {renames} renames: all as planned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
