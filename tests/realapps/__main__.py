"""`make realapps DIR="one/app another/app"`: git-synced apps against Appsmith's own records.

Prints a table; the exit code is 1 when a difference has no rule, when names are not the referee's,
or when the rename of any referenced entity changes too little or too much.
"""

import argparse
import sys
from pathlib import Path

from services.studio.appsmith import ImportRefused
from tests.realapps.check import check
from tests.realapps.findings import Findings, table, unexplained
from tests.realapps.referee import Missing, Referee


class NoApp(Exception):
    """A folder is no git-synced app, or can't be read; the text says which and why."""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make realapps", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument(
        "--no-referee", action="store_true", help="without node: no names, no renames"
    )
    parser.add_argument("--no-renames", action="store_true", help="seconds instead of minutes")
    given = parser.parse_args()
    try:
        referee = None if given.no_referee else Referee()
        all_of = [
            checked_folder(folder, referee, renames=not given.no_renames)
            for folder in given.folders
        ]
    except Missing as missing:
        print(f"realapps: {missing}: install node and npm, or --no-referee", file=sys.stderr)
        return 2
    except NoApp as error:
        print(f"realapps: {error}", file=sys.stderr)
        return 2
    print(table(all_of))
    if lines := unexplained(all_of):
        print(f"\nunexplained:\n{lines}")
        return 1
    return 0


def checked_folder(folder: Path, referee: Referee | None, *, renames: bool = True) -> Findings:
    """The findings of one app. Raises NoApp."""
    try:
        return check(folder, referee, _progress if renames else None)
    except (ImportRefused, OSError) as error:
        raise NoApp(f"{folder}: {error}") from error


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {count} renames", end="\r", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
