"""`make realapps DIR="one/app another/app"`: git-synced apps against Appsmith's own records, and
through the running product.

Prints a table; the exit code is 1 when a difference has no rule, when names are not the referee's,
or when the rename of any referenced entity changes too little or too much. The product runs on
ports and folders of its own, and is stopped, unless a gateway is given.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from infra.local.places import Unfit
from services.studio.appsmith import ImportRefused, parse, read_folder
from tests.realapps.check import check
from tests.realapps.doors import Gateway
from tests.realapps.findings import Findings, table, unexplained
from tests.realapps.platform import running
from tests.realapps.product import ByProduct
from tests.realapps.referee import Missing, Referee
from tools.journey.client import Client, Failed

SHOWN_EACH = 50
"""A line of progress so often, where there is no terminal."""


class NoApp(Exception):
    """A folder is no git-synced app, or can't be read; the text says which and why."""


def main() -> int:
    """The exit code."""
    given = _arguments()
    try:
        referee = None if given.no_referee else Referee()
        all_of = [
            checked_folder(folder, referee, renames=not given.no_renames)
            for folder in given.folders
        ]
        if referee is not None and not (given.no_product or given.no_renames):
            with running(given.gateway) as gateway:
                for folder, findings in zip(given.folders, all_of, strict=True):
                    asyncio.run(renamed_by_product(folder, findings, referee, gateway))
    except Missing as missing:
        print(f"realapps: {missing}: install node and npm, or --no-referee", file=sys.stderr)
        return 2
    except (NoApp, Failed, Unfit, httpx.HTTPError, TimeoutError) as error:
        print(f"realapps: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(table(all_of))
    if lines := unexplained(all_of):
        print(f"\nunexplained:\n{lines}")
        return 1
    return 0


def checked_folder(folder: Path, referee: Referee | None, *, renames: bool = True) -> Findings:
    """The findings of one app, by the library. Raises NoApp."""
    try:
        return check(folder, referee, _progress(folder, "by the library") if renames else None)
    except (ImportRefused, OSError) as error:
        raise NoApp(f"{folder}: {error}") from error


async def renamed_by_product(
    folder: Path, findings: Findings, referee: Referee, gateway: str
) -> None:
    """Every referenced entity, through a gateway, by a new user. Raises Failed."""
    app = parse(read_folder(folder))
    client = Client(gateway)
    try:
        doors = Gateway(client)
        await doors.settle()
        told = _progress(folder, "by the product")
        await ByProduct(folder.name, app, referee, doors, told).check(findings)
    finally:
        await client.close()


def _progress(folder: Path, how: str) -> Callable[[int, int], None]:
    shown = -SHOWN_EACH

    def told(done: int, count: int) -> None:
        nonlocal shown
        line = f"{folder.name}, {how}: {done} of {count} renames"
        if sys.stderr.isatty():
            print(f"\r{line:<72}", end="\r", file=sys.stderr)
        elif done >= shown + SHOWN_EACH or done < shown:
            shown = done
            print(line, file=sys.stderr, flush=True)

    return told


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make realapps", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument(
        "--no-referee", action="store_true", help="without node: no names, no renames"
    )
    parser.add_argument("--no-renames", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--no-product", action="store_true", help="renames by the library alone")
    parser.add_argument("--gateway", default="", metavar="URL", help="of a platform that runs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
